package eql

import (
	"fmt"
	"strings"
)

// check looks at the whole tree for what the grammar alone does not say: its depth, and comparisons
// of a field with a field.
func (p *parser) check(q *Query) { p.checkExpr(q.Where, 1) }

// checkExpr checks the tree below e, which stands at the given depth, and returns the first field in
// it.
func (p *parser) checkExpr(e Expr, depth int) *Field {
	if depth > maxDepth {
		// A chain of + nests its left side without nesting in the text; the parser did not see it
		// grow.
		p.fail(e.Range(), CodeLimit,
			fmt.Sprintf("the condition is nested deeper than %d levels", maxDepth),
			"Split the rule, or write lists: field in (…), field : (…).")
		p.stopped = true
	}
	if p.stopped {
		return nil
	}
	depth++
	switch e := e.(type) {
	case *And:
		return p.checkAll(e.Operands, depth)
	case *Or:
		return p.checkAll(e.Operands, depth)
	case *Not:
		return p.checkExpr(e.Operand, depth)
	case *Compare:
		left, right := p.checkExpr(e.Left, depth), p.checkExpr(e.Right, depth)
		if left != nil && right != nil {
			p.fieldWithField(e.Op.String(), e.Right, right)
		}
		return first(left, right)
	case *In:
		found := p.checkExpr(e.Subject, depth)
		for _, element := range e.List {
			if f := p.checkExpr(element, depth); f != nil {
				p.fieldWithField(e.operator(), element, f)
				found = first(found, f)
			}
		}
		return found
	case *Like:
		return p.checkExpr(e.Subject, depth)
	case *Binary:
		return first(p.checkExpr(e.Left, depth), p.checkExpr(e.Right, depth))
	case *Negate:
		return p.checkExpr(e.Operand, depth)
	case *Call:
		return p.checkAll(e.Args, depth)
	case *Field:
		return e
	case *Literal:
	}
	return nil
}

func (p *parser) checkAll(list []Expr, depth int) *Field {
	var found *Field
	for _, e := range list {
		found = first(found, p.checkExpr(e, depth))
	}
	return found
}

func first(a, b *Field) *Field {
	if a != nil {
		return a
	}
	return b
}

// fieldWithField reports an operand that has to be a constant and holds a field.
func (p *parser) fieldWithField(op string, operand Expr, field *Field) {
	found := "field " + name(field.Path)
	if operand != Expr(field) {
		found = "an expression over " + found
	}
	span := operand.Range()
	written := p.text[span.Start:span.End]
	advice := "EQL compares a field with constants only."
	switch {
	case operand == Expr(field) && !field.Optional && !strings.Contains(written, "`"):
		advice = unquoted(p.rawWord(span.Start), op)
	case strings.Contains(written, "-- "):
		advice = "A comment is written // … or /* … */."
	}
	if meant, ok := Hyphenated(p.text, operand); ok {
		advice = unquoted(meant, op)
	}
	place := fmt.Sprintf("%q", op)
	if strings.Contains(op, "in") {
		place = name(op)
	}
	p.fail(operand.Range(), CodeType,
		fmt.Sprintf("expected a constant after %s, found %s", place, found), advice)
}
