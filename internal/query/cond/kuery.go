package cond

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// The leaves of KQL. Unlike EQL's, they say nothing of how values are compared: the type of the
// field does, in each index (kql.md §3). A leaf over a field that is missing or not mapped is
// false, `not` is its complement, and any of several values satisfies a leaf.

// Is is `field : value`: one of the field's values is the value, as the field's type compares it.
type Is struct {
	Span
	Field *Field
	// Value is a String, after unescaping. KQL's true, false and numbers are texts too: the type
	// of the field decides what they are.
	Value *Literal
	// Quoted: on a text field the value is a phrase, else each of its words suffices.
	Quoted bool
}

// Wildcard is `field : a*b`: one of the field's values fits a pattern whose only sign is the star,
// any run of characters.
type Wildcard struct {
	Span
	Field *Field
	// Pieces are the texts between the stars, after unescaping: a*b is "a", "b". There are two or
	// more; the first and the last may be empty.
	Pieces []string
}

// Exists is `field : *`: the field has a value.
type Exists struct {
	Span
	Field *Field
}

// Order is `field < value` for the operators < <= > >=.
type Order struct {
	Span
	Field *Field
	Op    CompareOp
	Value *Literal // a String, after unescaping
}

// Glob is `wildcard` of query DSL, which rules have in their filters: one of the field's values fits
// a pattern in Elasticsearch's syntax: `*` is any run of characters, `?` one character, and a
// backslash makes the next character itself.
type Glob struct {
	Span
	Field   *Field
	Pattern string
	// Fold: letters A to Z fit either case, but for those after a backslash.
	Fold bool
}

// Nested is `path : { operand }`: one object below the path satisfies the operand by itself. The
// paths of the fields in the operand are whole, with the path before them.
type Nested struct {
	Span
	Path    string
	Operand Expr
}

func (*Is) expr()       {}
func (*Wildcard) expr() {}
func (*Exists) expr()   {}
func (*Order) expr()    {}
func (*Glob) expr()     {}
func (*Nested) expr()   {}

// Compared returns the field that a leaf compares by its words where it is a text; nil for every
// other node.
func Compared(x Expr) *Field {
	switch x := x.(type) {
	case *Is:
		return x.Field
	case *Wildcard:
		return x.Field
	case *Order:
		return x.Field
	case *Glob:
		return x.Field
	}
	return nil
}

// Name returns the name under which an index is asked for a leaf that [Compared] knows: a short
// text that is the same for equal leaves and for no others.
func Name(x Expr) string {
	f := Compared(x)
	asked := fmt.Sprintf("%T %q %t ", x, f.Path, f.Wild)
	switch x := x.(type) {
	case *Is:
		asked += fmt.Sprintf("%t %q", x.Quoted, x.Value.Text)
	case *Wildcard:
		asked += fmt.Sprintf("%q", x.Pieces)
	case *Order:
		asked += fmt.Sprintf("%d %q", x.Op, x.Value.Text)
	case *Glob:
		asked += fmt.Sprintf("%t %q", x.Fold, x.Pattern)
	}
	sum := sha256.Sum256([]byte(asked))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}
