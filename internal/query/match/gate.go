package match

import "esrule/internal/query/cond"

// Gate is the event category that a rule asks for, `X where …`. A caller with many rules asks each
// distinct gate once an event, and passes over the rules behind those that are shut.
type Gate struct {
	// Field and Category tell gates apart.
	Field, Category string
	opens           predicate
}

// Opens reports whether the event is of the category. It is what the matcher itself would ask first.
func (g Gate) Opens(e *Evaluation) bool {
	e.scratch = e.scratch[:0]
	return g.opens(e)
}

// Gate gives the matcher's gate; ok is false for `any where …`.
func (m *Matcher) Gate() (g Gate, ok bool) {
	and, isAnd := m.root.(*cond.And)
	if !isAnd || m.category == nil {
		return Gate{}, false
	}
	first, isCompare := and.Operands[0].(*cond.Compare)
	if !isCompare {
		return Gate{}, false
	}
	field, isField := first.Left.(*cond.Field)
	if !isField {
		return Gate{}, false
	}
	return Gate{Field: field.Path, Category: m.category.Text, opens: m.compiled[first]}, true
}
