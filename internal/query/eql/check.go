package eql

import (
	"fmt"
	"strings"

	"esrule/internal/query/cond"
)

// check looks at the whole tree for what the grammar alone does not say: its depth, and comparisons
// of a field with a field.
func (p *parser) check(q *cond.Query) { p.checkExpr(q.Where, 1) }

// checkExpr checks the tree below e, which is at the given depth, and returns the first field
// in it.
func (p *parser) checkExpr(e cond.Expr, depth int) *cond.Field {
	if depth > maxDepth {
		// A chain of + nests its left side without nesting in the text; the parser did not see it
		// grow.
		p.fail(e.Range(), cond.CodeLimit,
			fmt.Sprintf("the condition is nested deeper than %d levels", maxDepth),
			"Split the rule, or write lists: field in (…), field : (…).")
		p.stopped = true
	}
	if p.stopped {
		return nil
	}
	depth++
	switch e := e.(type) {
	case *cond.And:
		return p.checkAll(e.Operands, depth)
	case *cond.Or:
		return p.checkAll(e.Operands, depth)
	case *cond.Not:
		return p.checkExpr(e.Operand, depth)
	case *cond.Compare:
		left, right := p.checkExpr(e.Left, depth), p.checkExpr(e.Right, depth)
		if left != nil && right != nil {
			p.fieldWithField(e.Op.String(), e.Right, right)
		}
		return first(left, right)
	case *cond.In:
		found := p.checkExpr(e.Subject, depth)
		for _, element := range e.List {
			if f := p.checkExpr(element, depth); f != nil {
				p.fieldWithField(inOperator(e), element, f)
				found = first(found, f)
			}
		}
		return found
	case *cond.Like:
		return p.checkExpr(e.Subject, depth)
	case *cond.Binary:
		return first(p.checkExpr(e.Left, depth), p.checkExpr(e.Right, depth))
	case *cond.Negate:
		return p.checkExpr(e.Operand, depth)
	case *cond.Call:
		return p.checkAll(e.Args, depth)
	case *cond.Field:
		return e
	case *cond.Literal:
	}
	return nil
}

func (p *parser) checkAll(list []cond.Expr, depth int) *cond.Field {
	var found *cond.Field
	for _, e := range list {
		found = first(found, p.checkExpr(e, depth))
	}
	return found
}

func first(a, b *cond.Field) *cond.Field {
	if a != nil {
		return a
	}
	return b
}

// fieldWithField reports an operand that has to be a constant and holds a field.
func (p *parser) fieldWithField(op string, operand cond.Expr, field *cond.Field) {
	found := "field " + name(field.Path)
	if operand != cond.Expr(field) {
		found = "an expression over " + found
	}
	span := operand.Range()
	written := p.text[span.Start:span.End]
	advice := "EQL compares a field with constants only."
	switch {
	case operand == cond.Expr(field) && !field.Optional && !strings.Contains(written, "`"):
		advice = unquoted(p.rawWord(span.Start), op)
	case strings.Contains(written, "-- "):
		advice = "A comment is written // … or /* … */."
	}
	if meant, ok := cond.Hyphenated(p.text, operand); ok {
		advice = unquoted(meant, op)
	}
	place := fmt.Sprintf("%q", op)
	if strings.Contains(op, "in") {
		place = name(op)
	}
	p.fail(operand.Range(), cond.CodeType,
		fmt.Sprintf("expected a constant after %s, found %s", place, found), advice)
}
