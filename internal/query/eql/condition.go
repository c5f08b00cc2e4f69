package eql

// Condition is the whole of what the query asks of an event: `X where c` is `categoryField == "X" and c`,
// `any where c` is c. The comparison with the category stands at the category's place in the text.
func (q *Query) Condition(categoryField string) Expr {
	if q.Category == nil {
		return q.Where
	}
	category := &Compare{
		Span:  q.Category.Span,
		Op:    Equal,
		Left:  &Field{Span: q.Category.Span, Path: categoryField},
		Right: q.Category,
	}
	operands := []Expr{category, q.Where}
	if and, ok := q.Where.(*And); ok {
		operands = append([]Expr{category}, and.Operands...)
	}
	return &And{Span: Span{Start: q.Category.Start, End: q.Where.Range().End}, Operands: operands}
}

// Turned is the operator that says the same with its sides exchanged: 0 < f is f > 0.
func (op CompareOp) Turned() CompareOp {
	switch op {
	case Less:
		return Greater
	case LessOrEqual:
		return GreaterOrEqual
	case Greater:
		return Less
	case GreaterOrEqual:
		return LessOrEqual
	case Equal, NotEqual:
	}
	return op
}
