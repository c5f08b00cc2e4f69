package prefilter

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"esrule/internal/date"
	"esrule/internal/elastic/dsl"
	"esrule/internal/event"
	"esrule/internal/query/cond"
)

// Types whose values are not texts: numbers, booleans, dates, addresses and versions. An index
// answers for them by points and terms of few kinds, so equality and order are pushed down. What
// ignore_malformed kept out of the index is named in _ignored; each clause accepts that too, so
// that a value which the matcher can read and the index could not is not lost.

func isTyped(f event.FieldMapping) bool {
	switch f.Type {
	case event.Integer,
		event.Unsigned,
		event.Float,
		event.Boolean,
		event.Date,
		event.DateNanos,
		event.IP,
		event.Version:
		return true
	case event.Unmapped, event.Keyword, event.Text, event.Object, event.Other, event.Untyped:
	}
	return false
}

func (b *builder) typed(subject cond.Expr) (event.FieldMapping, bool) {
	field, ok := subject.(*cond.Field)
	if !ok {
		return event.FieldMapping{}, false
	}
	f := b.mapping.Fields[field.Path]
	return f, isTyped(f)
}

const otherwise = "a constant that an index may read otherwise"

// typedList handles equality with one or more constants.
func (b *builder) typedList(
	x cond.Expr,
	f event.FieldMapping,
	constants []*cond.Literal,
) dsl.Clause {
	if reason := unreachable(f); reason != "" {
		return b.omit(x, reason)
	}
	var texts []string
	var clauses []dsl.Clause
	for _, l := range constants {
		if l.Kind == cond.Null {
			continue
		}
		if text, ok := exactText(f, l); ok {
			texts = append(texts, text)
			continue
		}
		span, ok := spanned(f, l)
		if !ok {
			return b.omit(x, otherwise)
		}
		clauses = append(clauses, span)
	}
	switch len(texts) {
	case 0:
	case 1:
		clauses = append(clauses, dsl.Term(f.Exact, texts[0], false))
	default:
		clauses = append(clauses, dsl.Terms(f.Exact, texts))
	}
	if len(clauses) == 0 {
		return dsl.Nothing()
	}
	return dsl.Or(append(clauses, dsl.Ignored(f.Exact))...)
}

// exactText writes a constant as a term of the field's type.
func exactText(f event.FieldMapping, l *cond.Literal) (string, bool) {
	switch f.Type {
	case event.Integer:
		n, ok := wholeNumber(l)
		return strconv.FormatInt(n, 10), ok && f.HoldsInteger(n)
	case event.Unsigned:
		n, ok := unsignedNumber(l)
		return strconv.FormatUint(n, 10), ok
	case event.Boolean:
		text, _ := constantText(l)
		return text, text == "true" || text == "false"
	case event.IP:
		return block(l)
	case event.Version:
		// Two versions are equal where their texts are.
		text, ok := constantText(l)
		return text, ok && len(text) <= longest && !event.VersionRefused([]byte(text))
	case event.Unmapped,
		event.Keyword,
		event.Text,
		event.Float,
		event.Date,
		event.DateNanos,
		event.Object,
		event.Other,
		event.Untyped:
	}
	return "", false
}

// spanned accepts what equals a constant that stands for more than one term.
func spanned(f event.FieldMapping, l *cond.Literal) (dsl.Clause, bool) {
	switch f.Type {
	case event.Date, event.DateNanos:
		from, to, ok := period(f, l)
		return dates(f, map[string]int64{"gte": from, "lte": to}), ok
	case event.Float:
		c, ok := decimalNumber(l)
		least, most, fits := around(f, c)
		return dsl.Range(f.Exact, "", map[string]any{"gte": least, "lte": most}), ok && fits
	case event.Unmapped,
		event.Keyword,
		event.Text,
		event.Integer,
		event.Unsigned,
		event.Boolean,
		event.IP,
		event.Version,
		event.Object,
		event.Other,
		event.Untyped:
	}
	return dsl.Clause{}, false
}

// block reads a constant that is an address or a block of addresses. Elasticsearch refuses blocks
// of v4 addresses that are written as v6.
func block(l *cond.Literal) (string, bool) {
	if l.Kind != cond.String {
		return "", false
	}
	if a, ok := event.ParseAddress([]byte(l.Text)); ok {
		return a.String(), true
	}
	address, bits, found := strings.Cut(l.Text, "/")
	a, err := netip.ParseAddr(address)
	if !found || err != nil || a.Zone() != "" || a.Is4In6() {
		return "", false
	}
	length, err := strconv.Atoi(bits)
	if err != nil || length < 0 || length > a.BitLen() {
		return "", false
	}
	return netip.PrefixFrom(a, length).String(), true
}

// order handles < <= > >= of a field with a constant.
func (b *builder) order(
	x, subject cond.Expr,
	op cond.CompareOp,
	l *cond.Literal,
	negated bool,
) dsl.Clause {
	f, ok := b.typed(subject)
	switch {
	case negated:
		return b.omit(x, negation)
	case l.Kind == cond.Null:
		return dsl.Nothing()
	case !ok:
		return b.unordered(x, subject)
	}
	if reason := unreachable(f); reason != "" {
		return b.omit(x, reason)
	}
	if f.Type == event.Version {
		return b.omit(
			x,
			"a comparison by order of a field of type version: the cluster would walk over its terms",
		)
	}
	clause, ok := bounded(f, op, l)
	if !ok {
		return b.omit(x, otherwise)
	}
	return dsl.Or(clause, dsl.Ignored(f.Exact))
}

func (b *builder) unordered(x, subject cond.Expr) dsl.Clause {
	field, ok := subject.(*cond.Field)
	switch {
	case !ok:
		return b.omit(x, computed)
	case b.mapping.Fields[field.Path].Type == event.Unmapped:
		return dsl.Nothing()
	}
	return b.omit(x, "a comparison by order of a field of type "+b.mapping.Fields[field.Path].Name)
}

func bounded(f event.FieldMapping, op cond.CompareOp, l *cond.Literal) (dsl.Clause, bool) {
	switch f.Type {
	case event.Integer:
		n, ok := nearest(op, l)
		return dsl.Range(f.Exact, "", map[string]any{bound(op): n}), ok && f.HoldsInteger(n)
	case event.Unsigned:
		n, ok := nearestUnsigned(op, l)
		// As a text: a number beyond 63 bits is written in more than one way. With its end,
		// whatever the operator: OpenSearch 3.8 finds nothing below the greatest number.
		return dsl.Range(f.Exact, "", map[string]any{inclusive(op): strconv.FormatUint(n, 10)}), ok
	case event.Float:
		c, ok := decimalNumber(l)
		least, most, fits := around(f, c)
		if op == cond.Less || op == cond.LessOrEqual {
			return dsl.Range(f.Exact, "", map[string]any{"lte": most}), ok && fits
		}
		return dsl.Range(f.Exact, "", map[string]any{"gte": least}), ok && fits
	case event.Date, event.DateNanos:
		from, to, ok := period(f, l)
		// Wider than need be, by up to a millisecond: a field may hold nanoseconds.
		switch op {
		case cond.Less:
			return dates(f, map[string]int64{"lte": from}), ok
		case cond.LessOrEqual:
			return dates(f, map[string]int64{"lte": to}), ok
		case cond.Greater:
			return dates(f, map[string]int64{"gte": to}), ok
		case cond.GreaterOrEqual:
			return dates(f, map[string]int64{"gte": from}), ok
		case cond.Equal, cond.NotEqual:
		}
	case event.IP:
		a, ok := event.ParseAddress([]byte(l.Text))
		return dsl.Range(
				f.Exact,
				"",
				map[string]any{bound(op): a.String()},
			), ok &&
				l.Kind == cond.String
	case event.Unmapped,
		event.Keyword,
		event.Text,
		event.Boolean,
		event.Version,
		event.Object,
		event.Other,
		event.Untyped:
	}
	return dsl.Clause{}, false
}

// inclusive is the bound of a range query that takes in its end.
func inclusive(op cond.CompareOp) string {
	if op == cond.Less || op == cond.LessOrEqual {
		return "lte"
	}
	return "gte"
}

// bound is the operator's name in a range query.
func bound(op cond.CompareOp) string {
	switch op {
	case cond.Less:
		return "lt"
	case cond.LessOrEqual:
		return "lte"
	case cond.Greater:
		return "gt"
	case cond.GreaterOrEqual, cond.Equal, cond.NotEqual:
	}
	return "gte"
}

// period gives the milliseconds that a constant stands for. What depends on now is left to the
// matcher, whose now the pre-filter does not know.
func period(f event.FieldMapping, l *cond.Literal) (from, to int64, ok bool) {
	var first, last date.Instant
	relative := false
	switch l.Kind {
	case cond.String:
		first, last, relative, ok = f.Dates().Range(l.Text, time.Time{})
	case cond.Int:
		first, last, ok = date.Number(strconv.FormatInt(l.Int, 10))
	case cond.Null, cond.Uint, cond.Float, cond.Bool:
	}
	// Beyond these years the formats of dates differ from version to version; date_nanos ends in
	// 2262.
	earliest, latest := int64(-62_135_596_800_000), int64(253_402_300_799_999)
	if f.Type == event.DateNanos {
		earliest, latest = 0, 9_214_646_400_000
	}
	from, to = first.Millis(), last.Millis()
	return from, to, ok && !relative && from >= earliest && to <= latest
}

// dates asks for a span of time.
func dates(f event.FieldMapping, bounds map[string]int64) dsl.Clause {
	times := map[string]time.Time{}
	for name, millis := range bounds {
		if name == "lte" && f.Type == event.DateNanos {
			millis++ // the nanoseconds after the last millisecond
		}
		times[name] = time.UnixMilli(millis)
	}
	return dsl.Dates(f.Exact, times)
}

// call handles the boolean functions, of which an index answers only cidrMatch.
func (b *builder) call(x *cond.Call, negated bool) dsl.Clause {
	if negated {
		return b.omit(x, negation)
	}
	if x.Name != "cidrMatch" {
		return b.omit(x, "a function: the index would have to compute it for every value")
	}
	f, ok := b.typed(x.Args[0])
	if field, isField := x.Args[0].(*cond.Field); isField &&
		b.mapping.Fields[field.Path].Type == event.Unmapped {
		return dsl.Nothing()
	}
	if !ok || f.Type != event.IP {
		return b.omit(x, "not a field of type ip")
	}
	constants, ok := literals(x.Args[1:])
	if !ok {
		return b.omit(x, computed)
	}
	return b.typedList(x, f, constants)
}
