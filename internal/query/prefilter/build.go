package prefilter

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"esrule/internal/elastic/dsl"
	"esrule/internal/event"
	"esrule/internal/query/cond"
)

// Filter is the pre-filter of one condition over one class of indices.
type Filter struct {
	Clause dsl.Clause
	// Omitted names the parts of the condition that only the matcher judges.
	Omitted []Omission
}

// Omission is a part of a condition that a pre-filter leaves out.
type Omission struct {
	Node   cond.Expr
	Reason string
}

// Build gives the pre-filter of a condition over the indices of one mapping.
func Build(condition cond.Expr, m *event.Mapping) Filter {
	b := &builder{mapping: m}
	clause := b.build(condition, false)
	clause = b.withinLimits(condition, clause)
	return Filter{Clause: clause, Omitted: b.omitted}
}

type builder struct {
	mapping *event.Mapping
	omitted []Omission
}

// build gives a clause that accepts whatever x accepts, or whatever `not x` accepts where negated:
// the negations are pushed down to the leaves, where they end as "everything".
func (b *builder) build(x cond.Expr, negated bool) dsl.Clause {
	switch x := x.(type) {
	case *cond.And:
		return b.connect(x.Operands, negated, !negated)
	case *cond.Or:
		return b.connect(x.Operands, negated, negated)
	case *cond.Not:
		return b.build(x.Operand, !negated)
	case *cond.Literal:
		if x.Kind == cond.Bool && x.Bool != negated {
			return dsl.Everything()
		}
		return dsl.Nothing()
	case *cond.Compare:
		return b.compare(x, negated)
	case *cond.In:
		if negated != x.Negated {
			return b.omit(x, negation)
		}
		constants, ok := literals(x.List)
		if !ok {
			return b.omit(x, computed)
		}
		return b.list(x, x.Subject, constants, x.Fold)
	case *cond.Like:
		if negated {
			return b.omit(x, negation)
		}
		return b.like(x)
	case *cond.Field:
		if negated {
			return b.omit(x, "a negation")
		}
		return b.list(x, x, []*cond.Literal{{Kind: cond.Bool, Bool: true}}, false)
	case *cond.Call:
		return b.call(x, negated)
	case *cond.Binary, *cond.Negate:
		return b.omit(x, computed)
	case *cond.Is, *cond.Wildcard, *cond.Exists, *cond.Order:
		if negated {
			return b.omit(x, negation)
		}
		return b.kuery(x)
	case *cond.Nested:
		if negated {
			return b.omit(x, negation)
		}
		// Objects that one index has nested are not in another. Without a nested clause the root
		// is asked, and fields in nested objects are left to the matcher.
		return b.build(x.Operand, false)
	}
	return b.omit(x, "not a condition that an index can answer")
}

// connect builds the operands of an `and` (all) or an `or`. Of an `or`, either every operand
// narrows the search or none does.
func (b *builder) connect(operands []cond.Expr, negated, all bool) dsl.Clause {
	clauses := make([]dsl.Clause, len(operands))
	for i, x := range operands {
		clauses[i] = b.build(x, negated)
	}
	if all {
		return dsl.And(b.dropNeedless(operands, clauses)...)
	}
	return dsl.Or(clauses...)
}

// dropNeedless leaves out prefix clauses where an exact term beside them narrows the search
// already: a prefix costs the cluster a walk over all terms that begin so.
func (b *builder) dropNeedless(operands []cond.Expr, clauses []dsl.Clause) []dsl.Clause {
	if !slices.ContainsFunc(clauses, Selective) {
		return clauses
	}
	var kept []dsl.Clause
	for i, c := range clauses {
		if walks(c) {
			b.omit(operands[i], "not needed: an exact term beside it narrows the search already")
			continue
		}
		kept = append(kept, c)
	}
	return kept
}

// coarse are the fields of few values, which alone narrow a search too little.
var coarse = map[string]bool{
	"event.category":      true,
	"event.type":          true,
	"event.kind":          true,
	"event.outcome":       true,
	"event.action":        true,
	"event.module":        true,
	"event.dataset":       true,
	"data_stream.dataset": true,
	"host.os.type":        true,
	"host.os.family":      true,
}

// Selective reports whether c can be trusted to leave few documents, by looking up exact terms
// alone: those of fields with few values, such as event.category, do not count.
func Selective(c dsl.Clause) bool {
	switch c.Kind() {
	case dsl.KindTerm, dsl.KindTerms:
		return !coarse[c.Field()] && c.Field() != "_ignored"
	case dsl.KindOr:
		return !slices.ContainsFunc(c.Operands(), func(o dsl.Clause) bool { return !Selective(o) })
	case dsl.KindAnd:
		return slices.ContainsFunc(c.Operands(), Selective)
	case dsl.KindNothing, dsl.KindWords, dsl.KindPhrase:
		return true
	case dsl.KindEverything, dsl.KindPrefix, dsl.KindPattern, dsl.KindGlob, dsl.KindExists,
		dsl.KindRange, dsl.KindNot, dsl.KindNested, dsl.KindNamed, dsl.KindAsking:
	}
	return false
}

// walks reports whether c holds a clause that walks over terms.
func walks(c dsl.Clause) bool {
	return c.Kind() == dsl.KindPrefix || slices.ContainsFunc(c.Operands(), walks)
}

const (
	computed = "a computed value"
	negation = "a negation: an index may fold values together that the rule tells apart"
)

func (b *builder) omit(x cond.Expr, reason string) dsl.Clause {
	b.omitted = append(b.omitted, Omission{Node: x, Reason: reason})
	return dsl.Everything()
}

// compare handles == and != of a field with a constant. Everything else compared is left to the
// matcher.
func (b *builder) compare(x *cond.Compare, negated bool) dsl.Clause {
	subject, other, op := x.Left, x.Right, x.Op
	if _, ok := subject.(*cond.Literal); ok {
		subject, other, op = other, subject, op.Turned()
	}
	literal, ok := other.(*cond.Literal)
	if !ok {
		return b.omit(x, computed)
	}
	switch op {
	case cond.Equal:
	case cond.NotEqual:
		negated = !negated
	case cond.Less, cond.LessOrEqual, cond.Greater, cond.GreaterOrEqual:
		return b.order(x, subject, op, literal, negated)
	}
	if literal.Kind == cond.Null {
		return b.null(x, subject, !negated)
	}
	if negated {
		return b.omit(x, negation)
	}
	return b.list(x, subject, []*cond.Literal{literal}, false)
}

// null handles `f == null` (missing) and `f != null`. That a field is missing is never asked of the
// index: a value that it left out is there for the matcher.
func (b *builder) null(x cond.Expr, subject cond.Expr, missing bool) dsl.Clause {
	field, ok := subject.(*cond.Field)
	if !ok {
		return b.omit(x, computed)
	}
	f := b.mapping.Fields[field.Path]
	if f.Type == event.Unmapped {
		if missing {
			return dsl.Everything()
		}
		return dsl.Nothing()
	}
	if missing {
		return b.omit(x, "a missing field: the index may have left its value out")
	}
	if reason := unfitByType(f); reason != "" {
		return b.omit(x, reason)
	}
	return dsl.Or(dsl.Exists(f.Exact), dsl.Ignored(f.Exact))
}

// unfitByType is unfit for the types whose values are not compared as texts too.
func unfitByType(f event.FieldMapping) string {
	if isTyped(f) {
		return unreachable(f)
	}
	return unfit(f)
}

// unfit says why a field's index cannot be asked for exact values, or is empty where it can.
func unfit(f event.FieldMapping) string {
	switch {
	case f.Type != event.Keyword && f.Type != event.Text:
		return "a field of type " + f.Name + ": compared by the matcher"
	case f.Exact == "":
		return "no index holds whole values of the field (" + f.Name + ")"
	case f.Name == "flattened":
		return "a flattened field: the index does not say which values it left out"
	}
	return unreachable(f)
}

// unreachable says why a field's index cannot be asked for anything, or is empty where it can.
func unreachable(f event.FieldMapping) string {
	switch {
	case f.Exact == "":
		return "no index holds values of the field (" + f.Name + ")"
	case f.Nested != "":
		return "the field is in nested objects (" + f.Nested + ")"
	case f.Unsearchable:
		return "the field is not indexed"
	case f.Unindexed:
		return "the field is searchable by doc values only, which reads every document"
	}
	return ""
}

// longest is the number of bytes beyond which a constant is left to the matcher: Elasticsearch
// refuses, and fails the shard, a term in any letter case of more than 1,000 characters, and a
// prefix of more than index.max_regex_length, 1,000 by default.
const longest = 1000

// longestTerm is the same for a keyword's whole value in its own letter case, which Elasticsearch
// looks up however long it is.
const longestTerm = 4096

const tooLong = "a constant that is too long for a query"

// list handles equality with one or more constants.
func (b *builder) list(x, subject cond.Expr, constants []*cond.Literal, fold bool) dsl.Clause {
	if f, ok := b.typed(subject); ok && !fold {
		return b.typedList(x, f, constants)
	}
	f, reason := b.field(subject)
	if reason != "" {
		return b.omit(x, reason)
	}
	if f.Type == event.Unmapped {
		return dsl.Nothing()
	}
	var exact []string
	var clauses []dsl.Clause
	for _, l := range constants {
		text, ok := constantText(l)
		switch {
		case l.Kind == cond.Null:
		case !ok:
			return b.omit(x, "a constant that an index may write otherwise")
		case len(text) > longest:
			return b.omit(x, tooLong)
		case fold || mayBeIgnored(f, text) || !findable(f, text, fold):
			clauses = append(clauses, equal(f, text, fold))
		default:
			exact = append(exact, text)
		}
	}
	switch len(exact) {
	case 0:
	case 1:
		clauses = append(clauses, dsl.Term(f.Exact, exact[0], false))
	default:
		clauses = append(clauses, dsl.Terms(f.Exact, exact))
	}
	return dsl.Or(clauses...)
}

// surelyIndexed is a length that no field's ignore_above is below, unless its mapping says so now.
// The mapping's limit may be changed at any time, and documents stay as they were indexed: a longer
// value can be in the index or left out of it, whatever the limit is now.
const surelyIndexed = 100

func mayBeIgnored(f event.FieldMapping, text string) bool {
	// A normalizer may make a short text of a long one.
	return f.Normalizer != nil || len(text) > surelyIndexed || f.Ignores([]byte(text))
}

// equal accepts documents with the value text, those included whose value is that long that the
// field's index left it out.
func equal(f event.FieldMapping, text string, fold bool) dsl.Clause {
	var clause dsl.Clause
	switch {
	case !findable(f, text, fold):
		clause = dsl.Exists(f.Exact)
	case text == "":
		clause = dsl.Term(f.Exact, "", false) // in any letter case, it finds nothing before 8.16
	default:
		clause = dsl.Term(f.Exact, text, fold)
	}
	if mayBeIgnored(f, text) {
		return dsl.Or(clause, dsl.Ignored(f.Exact))
	}
	return clause
}

// findable reports whether each server finds a text by a term. The index of a wildcard field, which
// may be the whole of a text field, is made of groups of three characters: Elasticsearch finds no
// empty text there in any letter case, before 8.19 in none; OpenSearch no text with U+0000, and
// none beyond ASCII in any letter case.
func findable(f event.FieldMapping, text string, fold bool) bool {
	if f.Name == "keyword" || f.Name == "constant_keyword" {
		return true
	}
	return text != "" && strings.IndexByte(text, 0) < 0 && (!fold || isASCII(text))
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// constantText is how a keyword field's index writes a constant. A fraction can be written in many
// ways.
func constantText(l *cond.Literal) (string, bool) {
	switch l.Kind {
	case cond.String:
		return l.Text, true
	case cond.Int:
		return strconv.FormatInt(l.Int, 10), true
	case cond.Uint:
		return strconv.FormatUint(l.Uint, 10), true
	case cond.Bool:
		return strconv.FormatBool(l.Bool), true
	case cond.Float, cond.Null:
		return "", false
	}
	return "", false
}

// field gives the mapping of a subject that an index can answer for, or the reason why not.
func (b *builder) field(subject cond.Expr) (event.FieldMapping, string) {
	field, ok := subject.(*cond.Field)
	if !ok {
		return event.FieldMapping{}, computed
	}
	f := b.mapping.Fields[field.Path]
	if f.Type == event.Unmapped {
		return f, ""
	}
	return f, unfit(f)
}

// literals returns the constants of a list; false where one of them is computed.
func literals(list []cond.Expr) ([]*cond.Literal, bool) {
	constants := make([]*cond.Literal, len(list))
	for i, x := range list {
		l, ok := x.(*cond.Literal)
		if !ok {
			return nil, false
		}
		constants[i] = l
	}
	return constants, true
}
