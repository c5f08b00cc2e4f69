package eql

import (
	"fmt"
	"slices"

	"esrule/internal/query/cond"
)

// CheckTypes reports what no mapping could mend: operands that do not fit their operator, arguments
// that do not fit their function, and what is no condition where one has to be. What a mapping
// makes doubtful is none of its business.
func CheckTypes(q *cond.Query) cond.Errors {
	c := &typeChecker{text: q.Text}
	c.conditions(q.Where)
	cond.Walk(q.Where, func(part cond.Expr) bool {
		c.check(part)
		return true
	})
	slices.SortStableFunc(c.errors, func(a, b *cond.Error) int {
		return a.Span.Start - b.Span.Start
	})
	return c.errors
}

type typeChecker struct {
	text   string
	errors cond.Errors
}

func (c *typeChecker) fail(e cond.Expr, message, advice string) {
	if meant, ok := cond.Hyphenated(c.text, e); ok {
		advice = hyphenAdvice(meant)
	}
	c.errors = append(c.errors, cond.NewError(c.text, e.Range(), cond.CodeType, message, advice))
}

// check looks at one node; its parts have their own turn.
func (c *typeChecker) check(e cond.Expr) {
	switch e := e.(type) {
	case *cond.And:
		c.conditions(e.Operands...)
	case *cond.Or:
		c.conditions(e.Operands...)
	case *cond.Not:
		c.conditions(e.Operand)
	case *cond.Compare:
		c.compare(e)
	case *cond.In:
		c.in(e)
	case *cond.Like:
		c.like(e)
	case *cond.Binary:
		c.operands(e.Op.String(), e.Left, e.Right)
	case *cond.Negate:
		c.operands("-", e.Operand)
	case *cond.Call:
		c.arguments(e)
	case *cond.Field, *cond.Literal:
	}
}

// conditions reports what is neither true nor false and is where a condition has to be.
func (c *typeChecker) conditions(operands ...cond.Expr) {
	for _, e := range operands {
		if t := cond.TypeOf(e); !t.Fits(cond.Boolean) {
			c.fail(e, fmt.Sprintf("expected a condition, found %s", t),
				"A condition is a comparison, a boolean field or a boolean function: write what "+
					"it is compared with.")
		}
	}
}

func (c *typeChecker) compare(e *cond.Compare) {
	left, right := cond.TypeOf(e.Left), cond.TypeOf(e.Right)
	if left.Fits(right) {
		return
	}
	operand, found, other := e.Right, right, left // the constant is what can be written otherwise
	if _, ok := e.Right.(*cond.Literal); !ok {
		if _, ok := e.Left.(*cond.Literal); ok {
			operand, found, other = e.Left, left, right
		}
	}
	for _, side := range []struct {
		operand cond.Expr
		against cond.Type
	}{{e.Left, right}, {e.Right, left}} {
		if meant, ok := cond.Hyphenated(c.text, side.operand); ok {
			c.fail(side.operand, fmt.Sprintf("%s is a subtraction, which is compared with %s",
				name(meant), side.against), "")
			return
		}
	}
	c.fail(operand, fmt.Sprintf("%s is compared with %s by %q", found, other, e.Op),
		rewriting(operand, other))
}

// rewriting says how an operand could be written as the type that is wanted.
func rewriting(operand cond.Expr, wanted cond.Type) string {
	literal, isLiteral := operand.(*cond.Literal)
	switch {
	case isLiteral && wanted == cond.Text && literal.Kind != cond.String:
		return fmt.Sprintf("Write %q in quotes.", printLiteral(literal))
	case isLiteral && wanted == cond.Number && literal.Kind == cond.String:
		return "Write the number without quotes."
	case wanted == cond.Text:
		return "string(…) makes a string of it."
	case wanted == cond.Number:
		return "number(…) makes a number of a string."
	case wanted == cond.Boolean:
		return "Write true or false."
	}
	return ""
}

func (c *typeChecker) in(e *cond.In) {
	subject := cond.TypeOf(e.Subject)
	if e.Fold && !subject.Fits(cond.Text) {
		c.fail(e.Subject, fmt.Sprintf("%s compares strings, found %s", name("in~"), subject),
			"Write in, or string(…).")
		return
	}
	wanted := subject
	if e.Fold {
		wanted = cond.Text
	}
	for _, element := range e.List {
		t := cond.TypeOf(element)
		if !t.Fits(wanted) {
			c.fail(element, fmt.Sprintf("expected %s in the list, found %s", wanted, t),
				rewriting(element, wanted))
			continue
		}
		if wanted == cond.Any || wanted == cond.Nothing {
			wanted = t // the first decides for the rest
		}
	}
}

func (c *typeChecker) like(e *cond.Like) {
	if t := cond.TypeOf(e.Subject); !t.Fits(cond.Text) {
		c.fail(e.Subject, fmt.Sprintf("%q compares strings, found %s", e.Op, t),
			"Compare it with ==, or make a string of it with string(…).")
	}
	for _, pattern := range e.Patterns {
		if t := cond.TypeOf(pattern); !t.Fits(cond.Text) {
			c.fail(pattern, fmt.Sprintf("expected a string after %q, found %s", e.Op, t),
				"Write it in quotes, or compare with ==.")
		}
	}
}

func (c *typeChecker) operands(op string, operands ...cond.Expr) {
	for _, e := range operands {
		if t := cond.TypeOf(e); !t.Fits(cond.Number) {
			c.fail(e, fmt.Sprintf("expected a number beside %q, found %s", op, t),
				rewriting(e, cond.Number))
		}
	}
}

// arguments reports arguments that a function cannot take.
func (c *typeChecker) arguments(e *cond.Call) {
	s, ok := lookUp(e.Name)
	if !ok {
		return
	}
	for i, argument := range e.Args {
		wanted := s.argument(i)
		t := cond.TypeOf(argument)
		literal, isLiteral := argument.(*cond.Literal)
		switch {
		case !t.Fits(wanted.kind):
			c.fail(argument, fmt.Sprintf("expected %s as argument %d of %s, found %s", wanted, i+1,
				name(s.name), t), rewriting(argument, wanted.kind))
		case wanted.whole && isLiteral && literal.Kind == cond.Float:
			c.fail(argument, fmt.Sprintf("expected %s as argument %d of %s, found %s", wanted, i+1,
				name(s.name), printLiteral(literal)), "Write it without a fraction.")
		case wanted.constant && !cond.IsConstant(argument):
			c.fail(argument, fmt.Sprintf("expected %s as argument %d of %s, found %s", wanted, i+1,
				name(s.name), describe(argument)), `Write the value itself, such as "10.0.0.0/8".`)
		case wanted.address && t != cond.Any && t != cond.Nothing:
			c.fail(argument, fmt.Sprintf("expected %s as argument %d of %s, found %s", wanted, i+1,
				name(s.name), t), "Write the field alone, without quotes or functions.")
		}
	}
}

func describe(e cond.Expr) string {
	if f, ok := e.(*cond.Field); ok {
		return "field " + name(f.Path)
	}
	return "an expression over a field"
}
