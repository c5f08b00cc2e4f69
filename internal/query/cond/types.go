package cond

import "fmt"

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

// Fits reports whether a value of the type can be used where the other is wanted, or a mapping
// decides.
func (t Type) Fits(wanted Type) bool {
	return t == wanted || t == Any || t == Nothing || wanted == Any || wanted == Nothing
}

// TypeOf returns the type of an expression.
func TypeOf(e Expr) Type {
	switch e := e.(type) {
	case *And, *Or, *Not, *Compare, *In, *Like, *Is, *Wildcard, *Exists, *Order, *Glob, *Nested:
		return Boolean
	case *Binary, *Negate:
		return Number
	case *Call:
		return e.Result
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
