package cond

import (
	"cmp"
	"slices"
)

// DefaultCategoryField is the field that Elasticsearch's EQL reads an event's category from.
const DefaultCategoryField = "event.category"

// Query is a condition on single events, with the text that it was read from.
type Query struct {
	// Text is the query as written; every Span points into it.
	Text string
	// Category is the event category that is asked for, nil for any.
	Category *Literal
	// CategoryField is the field that it is compared with, where that is not DefaultCategoryField.
	CategoryField string
	Where         Expr
	// Filters have to hold too. They are not part of the text, so their spans are zero.
	Filters []Expr
	// Print returns a part of the condition in the canonical form of the query's language.
	Print func(Expr) string
}

// Condition returns the whole of what the query asks of an event: `X where c` is `categoryField ==
// "X" and c`, `any where c` is c, both with the filters. The comparison with the category is at the
// category's place in the text.
func (q *Query) Condition() Expr {
	if q.Category == nil && len(q.Filters) == 0 {
		return q.Where
	}
	operands := []Expr{q.Where}
	if and, ok := q.Where.(*And); ok {
		operands = and.Operands
	}
	span := q.Where.Range()
	if q.Category != nil {
		span.Start = q.Category.Start
		path := cmp.Or(q.CategoryField, DefaultCategoryField)
		operands = append([]Expr{&Compare{
			Span:  q.Category.Span,
			Op:    Equal,
			Left:  &Field{Span: q.Category.Span, Path: path},
			Right: q.Category,
		}}, operands...)
	}
	return &And{Span: span, Operands: slices.Concat(operands, q.Filters)}
}
