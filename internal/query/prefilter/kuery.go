package prefilter

import (
	"maps"
	"math"
	"slices"
	"strings"

	"esrule/internal/elastic/dsl"
	"esrule/internal/event"
	"esrule/internal/query/cond"
)

// The leaves of KQL (kql.md §3). The type of the field says how a value is compared. A value that
// the type cannot take is false in that index, and sent it would fail the whole shard.

// kuery builds a leaf over one field, or over all fields that fit its pattern.
func (b *builder) kuery(x cond.Expr) dsl.Clause {
	field := fieldOf(x)
	if !field.Wild {
		return b.kueryLeaf(x, b.mapping.Fields[field.Path])
	}
	var clauses []dsl.Clause
	for _, path := range slices.Sorted(maps.Keys(b.mapping.Fields)) {
		if f := b.mapping.Fields[path]; fits(field.Path, path) && f.Type != event.Object {
			clauses = append(clauses, b.kueryLeaf(x, f))
		}
	}
	return dsl.Or(clauses...)
}

func fieldOf(x cond.Expr) *cond.Field { return cond.Fields(x)[0] }

// fits reports whether a path fits a pattern, in which a star is any run of characters.
func fits(pattern, path string) bool {
	return match(strings.Split(pattern, "*"), path)
}

func match(pieces []string, text string) bool {
	first, last := pieces[0], pieces[len(pieces)-1]
	if len(pieces) == 1 || !strings.HasPrefix(text, first) {
		return text == first
	}
	text = text[len(first):]
	for _, piece := range pieces[1 : len(pieces)-1] {
		_, rest, found := strings.Cut(text, piece)
		if !found {
			return false
		}
		text = rest
	}
	return strings.HasSuffix(text, last)
}

func (b *builder) kueryLeaf(x cond.Expr, f event.FieldMapping) dsl.Clause {
	switch f.Type {
	case event.Unmapped:
		return dsl.Nothing()
	case event.Text:
		return b.words(x, f)
	case event.Object, event.Other, event.Untyped, event.Version:
		return b.omit(x, "a field of type "+f.Name+": compared by the matcher")
	case event.Keyword, event.Integer, event.Unsigned, event.Float, event.Boolean, event.Date,
		event.DateNanos, event.IP:
	}
	if reason := unfitByType(f); reason != "" {
		return b.omit(x, reason)
	}
	switch x := x.(type) {
	case *cond.Is:
		return b.is(x, f)
	case *cond.Wildcard:
		if isTyped(f) {
			return dsl.Nothing()
		}
		return b.wildcard(x, f)
	case *cond.Exists:
		return dsl.Or(dsl.Exists(f.Exact), dsl.Ignored(f.Exact))
	case *cond.Order:
		return b.kueryOrder(x, f)
	}
	return b.omit(x, computed)
}

func (b *builder) is(x *cond.Is, f event.FieldMapping) dsl.Clause {
	if !isTyped(f) {
		if n := len(x.Value.Text); n > longest && (f.Name != "keyword" || n > longestTerm) {
			return b.omit(x, tooLong)
		}
		return equal(f, x.Value.Text, false)
	}
	constant := typedConstant(f, x.Value)
	if constant == nil {
		return dsl.Nothing()
	}
	return b.typedList(x, f, []*cond.Literal{constant})
}

// typedConstant is a text as a constant of the field's type; nil where the type cannot take it. It
// is nil only where that is certain: a text that a server may read in some way stays as it is, and
// is left to the matcher.
func typedConstant(f event.FieldMapping, l *cond.Literal) *cond.Literal {
	switch f.Type {
	case event.Boolean:
		if l.Text != "true" && l.Text != "false" {
			return nil
		}
	case event.Integer, event.Unsigned, event.Float:
		number, ok := decimalNumber(l)
		switch {
		case !ok && strings.IndexFunc(l.Text, isDigit) < 0 && !isSpelled(l.Text):
			return nil
		case ok && isPlain(l.Text) && math.Abs(number) < 1<<53:
			return &cond.Literal{Kind: cond.Float, Float: number}
		}
	case event.IP:
		if _, ok := event.ParseAddress([]byte(l.Text)); !ok && !strings.Contains(l.Text, "/") {
			return nil
		}
	case event.Unmapped, event.Keyword, event.Text, event.Date, event.DateNanos, event.Version,
		event.Object, event.Other, event.Untyped:
	}
	return l
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

// isPlain reports whether a text is a number as everyone writes it.
func isPlain(text string) bool {
	return strings.Trim(text, "-.0123456789") == "" && strings.IndexFunc(text, isDigit) >= 0
}

// isSpelled reports whether a text may be a number that is written without digits.
func isSpelled(text string) bool {
	return !isASCII(text) || strings.Contains(text, "NaN") || strings.Contains(text, "Infinity")
}

func (b *builder) kueryOrder(x *cond.Order, f event.FieldMapping) dsl.Clause {
	if !isTyped(f) {
		return b.omit(x, "a comparison by order of a field of type "+f.Name)
	}
	constant := typedConstant(f, x.Value)
	if constant == nil {
		return dsl.Nothing()
	}
	clause, ok := bounded(f, x.Op, constant)
	if !ok {
		return b.omit(x, otherwise)
	}
	return dsl.Or(clause, dsl.Ignored(f.Exact))
}

// escaped are the characters that Kibana escapes in a pattern. A normalizer gets what is between
// them, each piece by itself.
const escaped = `+-=&|><!(){}[]^"~*?:\/`

// wildcard handles a pattern over whole values: its beginning is a prefix.
func (b *builder) wildcard(x *cond.Wildcard, f event.FieldMapping) dsl.Clause {
	start := x.Pieces[0]
	if strings.Join(x.Pieces, "") == "" {
		return dsl.Or(dsl.Exists(f.Exact), dsl.Ignored(f.Exact))
	}
	if end := strings.IndexAny(start, escaped); f.Normalizer != nil && end >= 0 {
		start = start[:end]
	}
	switch {
	case len(start) > longest:
		return b.omit(x, tooLong)
	case alphanumerics(start) < shortest:
		return b.omit(x, early)
	case !findable(f, start, false):
		return dsl.Or(dsl.Exists(f.Exact), dsl.Ignored(f.Exact))
	}
	return dsl.Or(dsl.Prefix(f.Exact, start, false), dsl.Ignored(f.Exact))
}
