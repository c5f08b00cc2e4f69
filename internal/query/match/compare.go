package match

import (
	"esrule/internal/event"
	"esrule/internal/query/cond"
)

// compare compiles a comparison. One of its sides is a constant, as the parser saw to; where that
// is the left one, the comparison is turned round.
func (c *compiler) compare(x *cond.Compare) predicate {
	subject, op, constant := c.sides(x)
	switch {
	case cond.IsConstant(subject):
		v, _ := c.constantOf(x)
		return always(v.Kind == event.KindBoolean && v.Boolean)
	case constant.kind == event.KindBoolean && isCondition(subject) &&
		(op == cond.Equal || op == cond.NotEqual):
		return c.truthCompared(x, subject, (op == cond.Equal) == constant.boolean)
	case op == cond.NotEqual: // eql.md §2: a != b is parsed as not (a == b)
		return not(c.leaf(x).comparison(subject, cond.Equal, constant))
	}
	return c.leaf(x).comparison(subject, op, constant)
}

// truthCompared compiles a condition that is compared with true or false. Elasticsearch replaces it
// before it searches: `condition != false` becomes the condition, and `condition != true` its
// negation. So where the condition is null, `!= false` does not hold and `!= true` does.
func (c *compiler) truthCompared(x *cond.Compare, condition cond.Expr, holds bool) predicate {
	p := c.compile(condition)
	c.leaves[x] = &leaf{compiler: c}
	if !holds {
		return not(p)
	}
	return p
}

// sides gives the constant side as a constant, the other, which may be constant too, and the
// comparison as seen from it.
func (c *compiler) sides(x *cond.Compare) (subject cond.Expr, op cond.CompareOp, with *constant) {
	if v, ok := c.constantOf(x.Right); ok {
		return x.Left, x.Op, c.constant(v)
	}
	v, _ := c.constantOf(x.Left)
	return x.Right, x.Op.Turned(), c.constant(v)
}

// isCondition tells whether an expression is true or false by its form; a field is not.
func isCondition(x cond.Expr) bool {
	switch x := x.(type) {
	case *cond.And, *cond.Or, *cond.Not, *cond.Compare, *cond.In, *cond.Like:
		return true
	case *cond.Call:
		return x.Result == cond.Boolean
	case *cond.Field, *cond.Literal, *cond.Binary, *cond.Negate:
	}
	return false
}

// comparison is the predicate of `subject op constant`, for every operator but !=.
func (l *leaf) comparison(subject cond.Expr, op cond.CompareOp, constant *constant) predicate {
	field, isField := subject.(*cond.Field)
	if constant.isNull() {
		switch {
		case op != cond.Equal:
			return always(false)
		case isField:
			slot := l.slot(field)
			return func(e *Evaluation) bool { return len(e.Values(slot)) == 0 }
		}
		return l.any(isNull(l.value(subject)))
	}
	if !isField {
		value := l.subject(subject)
		return l.any(func(e *Evaluation) bool {
			v := value(e)
			holds, _ := constant.compare(e, &v, op)
			return holds
		})
	}
	slot := l.slot(field)
	l.noteUse(slot, constant, op != cond.Equal)
	if op == cond.Equal {
		return anyValue(slot, constant.equals)
	}
	return anyValue(slot, func(e *Evaluation, v *event.Value) bool {
		holds, _ := constant.compare(e, v, op)
		return holds
	})
}

// compare is `v op constant`. known is false where the two cannot be compared, and then it does not
// hold.
func (c *constant) compare(e *Evaluation, v *event.Value, op cond.CompareOp) (holds, known bool) {
	first, last, known := c.place(e, v, op == cond.Equal || op == cond.NotEqual)
	return known && placed(first, last, op), known
}

// placed is `v op constant`, by where v is compared with the first and the last point of the
// constant.
func placed(first, last int, op cond.CompareOp) bool {
	switch op {
	case cond.Equal:
		return first >= 0 && last <= 0
	case cond.NotEqual:
		return first < 0 || last > 0
	case cond.Less:
		return first < 0
	case cond.LessOrEqual:
		return last <= 0
	case cond.Greater:
		return last > 0
	case cond.GreaterOrEqual:
		return first >= 0
	}
	return false
}

// compared is a comparison with its three outcomes.
func (l *leaf) compared(x *cond.Compare) evaluator {
	subject, op, constant := l.sides(x)
	value := l.value(subject)
	if constant.isNull() {
		return func(e *Evaluation) event.Value {
			v := value(e)
			switch op {
			case cond.Equal:
				return boolean(v.Kind == event.KindNull)
			case cond.NotEqual:
				return boolean(v.Kind != event.KindNull)
			case cond.Less, cond.LessOrEqual, cond.Greater, cond.GreaterOrEqual:
			}
			return event.Value{}
		}
	}
	return func(e *Evaluation) event.Value {
		v := value(e)
		holds, known := constant.compare(e, &v, op)
		if !known {
			return event.Value{}
		}
		return boolean(holds)
	}
}
