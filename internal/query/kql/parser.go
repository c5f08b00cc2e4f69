package kql

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"esrule/internal/query/cond"
)

// The limits of a query. They are far beyond any rule and keep every later pass cheap and its
// recursion shallow.
const (
	maxText  = 1 << 20
	maxDepth = 100
	// maxBrackets is larger than maxDepth, since brackets may be needless.
	maxBrackets = 200
	maxLeaves   = 10_000
	maxErrors   = 50
)

// Parse reads a query. An empty one is true of every event. The error is [cond.Errors].
func Parse(text string) (*cond.Query, error) {
	query, errors := parse(text)
	if len(errors) > 0 {
		return nil, errors
	}
	return query, nil
}

// parse returns the query, nil where it is not read to its end, and everything that is wrong with
// it.
func parse(text string) (*cond.Query, cond.Errors) {
	if len(text) > maxText {
		return nil, cond.Errors{cond.NewError(text, cond.Span{}, cond.CodeLimit,
			"the query is longer than 1 MiB", "Split the rule.")}
	}
	if at := notUTF8(text); at >= 0 {
		return nil, cond.Errors{cond.NewError(text, cond.Span{Start: at, End: at + 1},
			cond.CodeSyntax, fmt.Sprintf("the byte 0x%02x is not UTF-8", text[at]),
			"Save the file as UTF-8.")}
	}
	p := &parser{text: text}
	where, ok := p.query()
	if !ok {
		return nil, p.errors
	}
	p.checkDepth(where, 1)
	return &cond.Query{Text: text, Where: where, Print: Print}, p.errors
}

func notUTF8(text string) int {
	for i, r := range text {
		if r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)) {
			return i
		}
	}
	return -1
}

// parser reads the text by recursive descent. Kibana's grammar is one of ordered choices, but none
// of them has to be tried twice: after a field with an operator, after `not`, and after an opening
// bracket, whatever else the grammar would try ends in an error at an earlier place. So the first
// failure is the farthest one, which is where Kibana reports the error, and the reading ends there.
type parser struct {
	text string
	pos  int
	// prefix is the path of the braces around, with a dot at its end.
	prefix   string
	brackets int
	leaves   int
	errors   cond.Errors
}

// query = space* or? space*.
func (p *parser) query() (cond.Expr, bool) {
	p.space()
	if p.pos == len(p.text) {
		return &cond.Literal{Span: cond.Span{End: len(p.text)}, Kind: cond.Bool, Bool: true}, true
	}
	where, ok := p.or(p.condition)
	if !ok {
		return nil, false
	}
	p.space()
	if p.pos < len(p.text) {
		return nil, p.unexpected(place{after: true})
	}
	return where, true
}

// operand reads what is between the operators: a condition, or a value of a list.
type operand func() (cond.Expr, bool)

// or = and ( "or" and )*.
func (p *parser) or(one operand) (cond.Expr, bool) {
	operands, ok := p.list("or", func() (cond.Expr, bool) { return p.and(one) })
	if !ok || len(operands) == 1 {
		return first(operands), ok
	}
	return &cond.Or{Span: spanOf(operands), Operands: operands}, true
}

// and = not ( "and" not )*.
func (p *parser) and(one operand) (cond.Expr, bool) {
	operands, ok := p.list("and", func() (cond.Expr, bool) { return p.not(one) })
	if !ok || len(operands) == 1 {
		return first(operands), ok
	}
	return &cond.And{Span: spanOf(operands), Operands: operands}, true
}

// list reads operands with a keyword between them, nil where one cannot be read.
func (p *parser) list(keyword string, one operand) ([]cond.Expr, bool) {
	var operands []cond.Expr
	for {
		e, ok := one()
		if !ok {
			return nil, false
		}
		operands = append(operands, e)
		end := joined(p.text, p.pos, keyword)
		if end < 0 {
			return operands, true
		}
		p.pos = end
	}
}

// not = "not"? one.
func (p *parser) not(one operand) (cond.Expr, bool) {
	start := p.pos
	end := negated(p.text, start)
	if end < 0 {
		return one()
	}
	p.pos = end
	e, ok := one()
	if !ok {
		return nil, false
	}
	return &cond.Not{Span: cond.Span{Start: start, End: e.Range().End}, Operand: e}, true
}

// condition = "(" space* or space* ")" | nested | expression.
func (p *parser) condition() (cond.Expr, bool) {
	if p.at('(') {
		return p.bracketed(place{}, ')', func() (cond.Expr, bool) { return p.or(p.condition) })
	}
	return p.expression()
}

// bracketed reads what is between an opening bracket at the current place and the closing one.
func (p *parser) bracketed(in place, closing byte, inner operand) (cond.Expr, bool) {
	if p.brackets++; p.brackets > maxBrackets {
		return nil, p.tooDeep(p.pos)
	}
	p.pos++
	p.space()
	e, ok := inner()
	if !ok {
		return nil, false
	}
	p.space()
	if !p.at(closing) {
		in.after, in.closing = true, closing
		return nil, p.unexpected(in)
	}
	p.pos++
	p.brackets--
	return e, true
}

// expression = field ":" "{" or "}" | field operator literal | field ":" values | value.
func (p *parser) expression() (cond.Expr, bool) {
	name, ok := p.literal()
	if !ok {
		return nil, p.unexpected(place{})
	}
	before := p.pos
	p.space()
	if op, length := orderAt(p.text[p.pos:]); length > 0 {
		p.pos += length
		p.space()
		return p.order(name, op)
	}
	if !p.at(':') {
		p.pos = before
		return p.withoutField(name), true
	}
	p.pos++
	p.space()
	if p.at('{') {
		return p.nested(name)
	}
	if p.at('(') {
		return p.values(name)
	}
	value, ok := p.literal()
	if !ok {
		return nil, p.unexpected(place{field: name.raw(p.text)})
	}
	return p.is(cond.Span{Start: name.span.Start, End: value.span.End}, name, value), true
}

// order makes `field < value`.
func (p *parser) order(name literal, op cond.CompareOp) (cond.Expr, bool) {
	value, ok := p.literal()
	if !ok {
		return nil, p.unexpected(place{field: name.raw(p.text)})
	}
	span := cond.Span{Start: name.span.Start, End: value.span.End}
	p.leaf(span)
	if value.wild() {
		p.refuse(value.span, cond.CodeType, "a pattern cannot be compared with "+op.String(),
			"Write the value without *, in quotes if a star is meant.")
	}
	return &cond.Order{Span: span, Field: p.field(name), Op: op, Value: p.constant(value)}, true
}

// values = "(" space* or space* ")", with values of the field as operands.
func (p *parser) values(name literal) (cond.Expr, bool) {
	in := place{field: name.raw(p.text), list: true}
	var one operand
	one = func() (cond.Expr, bool) {
		if p.at('(') {
			return p.bracketed(in, ')', func() (cond.Expr, bool) { return p.or(one) })
		}
		value, ok := p.literal()
		if !ok {
			return nil, p.unexpected(in)
		}
		return p.is(value.span, name, value), true
	}
	return one()
}

// nested makes `path: { … }`.
func (p *parser) nested(name literal) (cond.Expr, bool) {
	path := p.field(name)
	if path.Wild {
		p.refuse(name.span, cond.CodeUnsupported, "a nested path with * is not supported",
			"Write the path of the nested field.", "pattern of nested paths")
	}
	outer := p.prefix
	p.prefix = path.Path + "."
	e, ok := p.bracketed(place{}, '}', func() (cond.Expr, bool) { return p.or(p.condition) })
	p.prefix = outer
	if !ok {
		return nil, false
	}
	span := cond.Span{Start: name.span.Start, End: p.pos}
	return &cond.Nested{Span: span, Path: path.Path, Operand: e}, true
}

// is makes the leaf for `name: value`.
func (p *parser) is(span cond.Span, name, value literal) cond.Expr {
	p.leaf(span)
	field := p.field(name)
	switch {
	case value.any() && field.Wild && field.Path == "*":
		return &cond.Literal{Span: span, Kind: cond.Bool, Bool: true}
	case value.any():
		return &cond.Exists{Span: span, Field: field}
	case value.wild():
		return &cond.Wildcard{Span: span, Field: field, Pieces: value.pieces}
	}
	return &cond.Is{Span: span, Field: field, Value: p.constant(value), Quoted: value.quoted}
}

// withoutField makes the leaf for a value alone. A star is true of every event; any other value is
// looked for in every field, which is refused.
func (p *parser) withoutField(value literal) cond.Expr {
	p.leaf(value.span)
	if value.any() {
		return &cond.Literal{Span: value.span, Kind: cond.Bool, Bool: true}
	}
	written := clip(value.raw(p.text))
	if !value.quoted {
		written = "`" + written + "`"
	}
	p.refuse(value.span, cond.CodeUnsupported, "the value "+written+" has no field, and a search "+
		"in every field is not supported", p.fieldlessAdvice(value), "value without a field")
	nowhere := &cond.Field{Span: value.span}
	if value.wild() {
		return &cond.Wildcard{Span: value.span, Field: nowhere, Pieces: value.pieces}
	}
	return &cond.Is{Span: value.span, Field: nowhere, Value: value.constant(),
		Quoted: value.quoted}
}

// field makes a field out of its name.
func (p *parser) field(name literal) *cond.Field {
	if name.null() {
		p.refuse(name.span, cond.CodeUnsupported,
			"null before an operator stands for every field, which is not supported",
			`Write the field's name, for a field of this name "null".`, "value without a field")
		return &cond.Field{Span: name.span, Path: p.prefix}
	}
	f := &cond.Field{Span: name.span, Path: p.prefix + strings.Join(name.pieces, "*"),
		Wild: name.wild()}
	if f.Wild && (strings.Contains(p.prefix, "*") ||
		slices.ContainsFunc(name.pieces, func(s string) bool { return strings.Contains(s, "*") })) {
		p.refuse(name.span, cond.CodeUnsupported,
			"a field name with both a wildcard and an escaped star is not supported",
			"Write the names of the fields.", "pattern of field names")
	}
	return f
}

// constant makes the value that a field is compared with. JSON's null, which is what Kibana sends
// for it, is no value to Elasticsearch.
func (p *parser) constant(value literal) *cond.Literal {
	if value.null() {
		p.refuse(value.span, cond.CodeType, "null is no value: Elasticsearch refuses this query",
			`For events without the field write not f: *, for the text f: "null".`)
	}
	return value.constant()
}

// leaf counts a leaf of the tree.
func (p *parser) leaf(span cond.Span) {
	if p.leaves++; p.leaves == maxLeaves+1 {
		p.refuse(span, cond.CodeLimit, "the condition has more than 10,000 comparisons",
			"Split the rule.")
	}
}

// checkDepth reports the first place that is nested deeper than the limit.
func (p *parser) checkDepth(e cond.Expr, depth int) bool {
	if depth > maxDepth {
		return p.tooDeep(e.Range().Start)
	}
	all := func(list ...cond.Expr) bool {
		return !slices.ContainsFunc(list, func(e cond.Expr) bool {
			return !p.checkDepth(e, depth+1)
		})
	}
	switch e := e.(type) {
	case *cond.And:
		return all(e.Operands...)
	case *cond.Or:
		return all(e.Operands...)
	case *cond.Not:
		return all(e.Operand)
	case *cond.Nested:
		return all(e.Operand)
	}
	return true
}

func (p *parser) tooDeep(at int) bool {
	p.refuse(cond.Span{Start: at, End: at + 1}, cond.CodeLimit,
		fmt.Sprintf("the condition is nested deeper than %d levels", maxDepth), "Split the rule.")
	return false
}

func (p *parser) at(c byte) bool { return p.pos < len(p.text) && p.text[p.pos] == c }

func (p *parser) space() { p.pos = skipSpace(p.text, p.pos) }

func orderAt(text string) (cond.CompareOp, int) {
	switch {
	case strings.HasPrefix(text, "<="):
		return cond.LessOrEqual, 2
	case strings.HasPrefix(text, ">="):
		return cond.GreaterOrEqual, 2
	case strings.HasPrefix(text, "<"):
		return cond.Less, 1
	case strings.HasPrefix(text, ">"):
		return cond.Greater, 1
	}
	return 0, 0
}

func first(list []cond.Expr) cond.Expr {
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

func spanOf(list []cond.Expr) cond.Span {
	return cond.Span{Start: list[0].Range().Start, End: list[len(list)-1].Range().End}
}
