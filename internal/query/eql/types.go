package eql

import (
	"fmt"
	"slices"
)

// Type is what is known of an expression's value by its form alone. What a field holds is said by a
// mapping.
type Type uint8

// The types.
const (
	Any     Type = iota // a field
	Nothing             // null
	Text
	Number
	Boolean
)

// String names the type as messages do.
func (t Type) String() string {
	switch t {
	case Any:
		return "a field"
	case Nothing:
		return "null"
	case Text:
		return "a string"
	case Number:
		return "a number"
	case Boolean:
		return "a boolean"
	}
	return fmt.Sprintf("Type(%d)", t)
}

// fits reports whether a value of the type can be used where the other is wanted, or a mapping
// decides.
func (t Type) fits(wanted Type) bool {
	return t == wanted || t == Any || t == Nothing || wanted == Any || wanted == Nothing
}

// ResultOf returns the type of a function's result.
func ResultOf(function string) Type {
	s, _ := lookUp(function)
	return s.result
}

// TypeOf returns the type of an expression.
func TypeOf(e Expr) Type {
	switch e := e.(type) {
	case *And, *Or, *Not, *Compare, *In, *Like:
		return Boolean
	case *Binary, *Negate:
		return Number
	case *Call:
		return ResultOf(e.Name)
	case *Field:
		return Any
	case *Literal:
		switch e.Kind {
		case Null:
			return Nothing
		case String:
			return Text
		case Int, Uint, Float:
			return Number
		case Bool:
			return Boolean
		}
	}
	return Any
}

// CheckTypes reports what no mapping could mend: operands that do not fit their operator, arguments
// that do not fit their function, and what is no condition where one has to stand. What a mapping
// makes doubtful is none of its business.
func CheckTypes(q *Query) Errors {
	c := &typeChecker{text: q.Text}
	c.conditions(q.Where)
	Walk(q.Where, func(part Expr) bool {
		c.check(part)
		return true
	})
	slices.SortStableFunc(c.errors, func(a, b *Error) int { return a.Span.Start - b.Span.Start })
	return c.errors
}

type typeChecker struct {
	text   string
	errors Errors
}

func (c *typeChecker) fail(e Expr, message, advice string) {
	if meant, ok := Hyphenated(c.text, e); ok {
		advice = hyphenAdvice(meant)
	}
	c.errors = append(c.errors, NewError(c.text, e.Range(), CodeType, message, advice))
}

// check looks at one node; its parts have their own turn.
func (c *typeChecker) check(e Expr) {
	switch e := e.(type) {
	case *And:
		c.conditions(e.Operands...)
	case *Or:
		c.conditions(e.Operands...)
	case *Not:
		c.conditions(e.Operand)
	case *Compare:
		c.compare(e)
	case *In:
		c.in(e)
	case *Like:
		c.like(e)
	case *Binary:
		c.operands(e.Op.String(), e.Left, e.Right)
	case *Negate:
		c.operands("-", e.Operand)
	case *Call:
		c.arguments(e)
	case *Field, *Literal:
	}
}

// conditions reports what is neither true nor false and stands where a condition has to.
func (c *typeChecker) conditions(operands ...Expr) {
	for _, e := range operands {
		if t := TypeOf(e); !t.fits(Boolean) {
			c.fail(e, fmt.Sprintf("expected a condition, found %s", t),
				"A condition is a comparison, a boolean field or a boolean function: write what "+
					"it is compared with.")
		}
	}
}

func (c *typeChecker) compare(e *Compare) {
	left, right := TypeOf(e.Left), TypeOf(e.Right)
	if left.fits(right) {
		return
	}
	operand, found, other := e.Right, right, left // the constant is what can be written otherwise
	if _, ok := e.Right.(*Literal); !ok {
		if _, ok := e.Left.(*Literal); ok {
			operand, found, other = e.Left, left, right
		}
	}
	for _, side := range []struct {
		operand Expr
		against Type
	}{{e.Left, right}, {e.Right, left}} {
		if meant, ok := Hyphenated(c.text, side.operand); ok {
			c.fail(side.operand, fmt.Sprintf("%s is a subtraction, which is compared with %s",
				name(meant), side.against), "")
			return
		}
	}
	c.fail(operand, fmt.Sprintf("%s is compared with %s by %q", found, other, e.Op),
		mend(operand, other))
}

// mend says how an operand could be written as the type that is wanted.
func mend(operand Expr, wanted Type) string {
	literal, isLiteral := operand.(*Literal)
	switch {
	case isLiteral && wanted == Text && literal.Kind != String:
		return fmt.Sprintf("Write %q in quotes.", literal.print())
	case isLiteral && wanted == Number && literal.Kind == String:
		return "Write the number without quotes."
	case wanted == Text:
		return "string(…) makes a string of it."
	case wanted == Number:
		return "number(…) makes a number of a string."
	case wanted == Boolean:
		return "Write true or false."
	}
	return ""
}

func (c *typeChecker) in(e *In) {
	subject := TypeOf(e.Subject)
	if e.Fold && !subject.fits(Text) {
		c.fail(e.Subject, fmt.Sprintf("%s compares strings, found %s", name("in~"), subject),
			"Write in, or string(…).")
		return
	}
	wanted := subject
	if e.Fold {
		wanted = Text
	}
	for _, element := range e.List {
		t := TypeOf(element)
		if !t.fits(wanted) {
			c.fail(element, fmt.Sprintf("expected %s in the list, found %s", wanted, t),
				mend(element, wanted))
			continue
		}
		if wanted == Any || wanted == Nothing {
			wanted = t // what stands first decides for the rest
		}
	}
}

func (c *typeChecker) like(e *Like) {
	if t := TypeOf(e.Subject); !t.fits(Text) {
		c.fail(e.Subject, fmt.Sprintf("%q compares strings, found %s", e.Op, t),
			"Compare it with ==, or make a string of it with string(…).")
	}
	for _, pattern := range e.Patterns {
		if t := TypeOf(pattern); !t.fits(Text) {
			c.fail(pattern, fmt.Sprintf("expected a string after %q, found %s", e.Op, t),
				"Write it in quotes, or compare with ==.")
		}
	}
}

func (c *typeChecker) operands(op string, operands ...Expr) {
	for _, e := range operands {
		if t := TypeOf(e); !t.fits(Number) {
			c.fail(e, fmt.Sprintf("expected a number beside %q, found %s", op, t), mend(e, Number))
		}
	}
}

// arguments reports arguments that a function cannot take.
func (c *typeChecker) arguments(e *Call) {
	s, ok := lookUp(e.Name)
	if !ok {
		return
	}
	for i, argument := range e.Args {
		wanted := s.argument(i)
		t := TypeOf(argument)
		literal, isLiteral := argument.(*Literal)
		switch {
		case !t.fits(wanted.kind):
			c.fail(argument, fmt.Sprintf("expected %s as argument %d of %s, found %s", wanted, i+1,
				name(s.name), t), mend(argument, wanted.kind))
		case wanted.whole && isLiteral && literal.Kind == Float:
			c.fail(argument, fmt.Sprintf("expected %s as argument %d of %s, found %s", wanted, i+1,
				name(s.name), literal.print()), "Write it without a fraction.")
		case wanted.constant && !isConstant(argument):
			c.fail(argument, fmt.Sprintf("expected %s as argument %d of %s, found %s", wanted, i+1,
				name(s.name), describe(argument)), `Write the value itself, such as "10.0.0.0/8".`)
		case wanted.address && t != Any && t != Nothing:
			c.fail(argument, fmt.Sprintf("expected %s as argument %d of %s, found %s", wanted, i+1,
				name(s.name), t), "Write the field alone, without quotes or functions.")
		}
	}
}

func isConstant(e Expr) bool {
	constant := true
	Walk(e, func(part Expr) bool {
		_, isField := part.(*Field)
		constant = constant && !isField
		return constant
	})
	return constant
}

func describe(e Expr) string {
	if f, ok := e.(*Field); ok {
		return "field " + name(f.Path)
	}
	return "an expression over a field"
}
