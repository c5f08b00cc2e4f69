package match

import (
	"esrule/internal/event"
	"esrule/internal/query/cond"
)

// leaf is a part of a condition that is judged as a whole: it holds where some choice of one value
// for each field that it names makes it true (eql.md §3). A field that it names twice is chosen for
// twice, as in Elasticsearch, and one that is missing is null in the one choice that there is.
type leaf struct {
	*compiler
	// folding: the leaf stands for a constant; what is wrong in it is said where it stands in its
	// own leaf.
	folding bool
	slots   []event.Slot // of the fields, in the order in which they were met
	paths   []string
	parts   []part
}

// part is a computed part of a leaf, for Explain.
type part struct {
	node  cond.Expr
	value evaluator
}

// evaluator computes a value for the choice that e holds. Null is what Elasticsearch gives null
// for.
type evaluator func(e *Evaluation) event.Value

func (c *compiler) leaf(x cond.Expr) *leaf {
	l := &leaf{compiler: c}
	c.leaves[x] = l
	return l
}

func (c *compiler) slot(f *cond.Field) event.Slot {
	if f.Wild {
		return c.fields.AddWild(f.Path)
	}
	return c.fields.Add(f.Path)
}

func (l *leaf) slot(f *cond.Field) event.Slot {
	s := l.compiler.slot(f)
	l.slots = append(l.slots, s)
	l.paths = append(l.paths, f.Path)
	return s
}

// mostChoices bounds the choices that are tried for one leaf and event. They multiply: an event
// with long arrays in several fields of one function could keep the program busy for years. Beyond,
// the leaf does not hold.
const mostChoices = 1 << 20

// any gives the predicate that holds where passes does for some choice.
func (l *leaf) any(passes predicate) predicate {
	slots := l.slots
	return func(e *Evaluation) bool {
		for len(e.chosen) < len(slots) {
			e.chosen = append(e.chosen, nil)
		}
		e.choices = mostChoices
		return choose(e, slots, 0, passes)
	}
}

// choose tries every choice for the fields from at on.
func choose(e *Evaluation, slots []event.Slot, at int, passes predicate) bool {
	if e.choices == 0 {
		return false
	}
	if at == len(slots) {
		e.choices--
		mark := len(e.scratch)
		holds := passes(e)
		e.scratch = e.scratch[:mark]
		return holds
	}
	values := e.Values(slots[at])
	if len(values) == 0 {
		e.chosen[at] = nil
		return choose(e, slots, at+1, passes)
	}
	for i := range values {
		e.chosen[at] = &values[i]
		if choose(e, slots, at+1, passes) {
			return true
		}
	}
	return false
}

// anyValue is a leaf over one field as it is: it holds where one of the field's values passes.
func anyValue(slot event.Slot, passes func(*Evaluation, *event.Value) bool) predicate {
	return func(e *Evaluation) bool {
		values := e.Values(slot)
		for i := range values {
			if passes(e, &values[i]) {
				return true
			}
		}
		return false
	}
}

// isTrue holds where a boolean was computed and is true.
func isTrue(value evaluator) predicate {
	return func(e *Evaluation) bool {
		v := value(e)
		return v.Kind == event.KindBoolean && v.Boolean
	}
}

func isNull(value evaluator) predicate {
	return func(e *Evaluation) bool {
		v := value(e)
		return v.Kind == event.KindNull
	}
}

// value compiles an expression for its value. Inside of a leaf, conditions have three outcomes:
// true, false and null (`null == (f > 1)` asks for the third).
func (l *leaf) value(x cond.Expr) evaluator {
	switch x := x.(type) {
	case *cond.Literal:
		return fixed(literalValue(x))
	case *cond.Field:
		l.slot(x)
		at := len(l.slots) - 1
		return func(e *Evaluation) event.Value {
			if v := e.chosen[at]; v != nil {
				return v.Scripted()
			}
			return event.Value{}
		}
	case *cond.Negate:
		operand := l.value(x.Operand)
		return l.part(x, func(e *Evaluation) event.Value {
			v := operand(e)
			return negate(&v)
		})
	case *cond.Binary:
		left, right, operate := l.value(x.Left), l.value(x.Right), operation(x.Op)
		return l.part(x, func(e *Evaluation) event.Value {
			a := left(e)
			b := right(e)
			return operate(&a, &b)
		})
	case *cond.Call:
		return l.part(x, l.call(x))
	case *cond.Compare, *cond.In, *cond.Like, *cond.And, *cond.Or, *cond.Not:
		return l.part(x, l.truth(x))
	}
	return fixed(event.Value{})
}

// subject compiles what an operator looks at that Elasticsearch may run without a script: a field,
// or its string(), which is dropped where the field is a text. Constants are normalized as the
// field is.
func (l *leaf) subject(x cond.Expr) evaluator {
	call, isCall := x.(*cond.Call)
	if isCall && call.Name == "string" {
		x = call.Args[0]
	}
	field, isField := x.(*cond.Field)
	if !isField && isCall {
		return l.value(call)
	}
	if !isField {
		return l.value(x)
	}
	l.slot(field)
	at := len(l.slots) - 1
	value := func(e *Evaluation) event.Value {
		v := e.chosen[at]
		switch {
		case v == nil:
			return event.Value{}
		case isCall && v.Normalizer() == nil:
			return text(textOf(e, v))
		}
		return *v
	}
	if isCall {
		return l.part(call, value)
	}
	return value
}

func (l *leaf) part(node cond.Expr, value evaluator) evaluator {
	l.parts = append(l.parts, part{node, value})
	return value
}

func fixed(v event.Value) evaluator {
	return func(*Evaluation) event.Value { return v }
}

// truth compiles a condition with its three outcomes.
func (l *leaf) truth(x cond.Expr) evaluator {
	switch x := x.(type) {
	case *cond.And:
		return decided(l.values(x.Operands), false)
	case *cond.Or:
		return decided(l.values(x.Operands), true)
	case *cond.Not:
		return opposite(l.value(x.Operand))
	case *cond.Compare:
		return l.compared(x)
	case *cond.In:
		return l.member(x)
	case *cond.Like:
		return l.fitting(x)
	}
	return fixed(event.Value{})
}

func (l *leaf) values(operands []cond.Expr) []evaluator {
	compiled := make([]evaluator, len(operands))
	for i, x := range operands {
		compiled[i] = l.value(x)
	}
	return compiled
}

// decided joins operands of which one that is by decides: false an `and`, true an `or`. Otherwise
// null wins.
func decided(operands []evaluator, by bool) evaluator {
	return func(e *Evaluation) event.Value {
		result := boolean(!by)
		for _, operand := range operands {
			v := operand(e)
			switch truth, known := truthOf(&v); {
			case known && truth == by:
				return boolean(by)
			case !known:
				result = event.Value{}
			}
		}
		return result
	}
}

func opposite(operand evaluator) evaluator {
	return func(e *Evaluation) event.Value {
		v := operand(e)
		truth, known := truthOf(&v)
		if !known {
			return event.Value{}
		}
		return boolean(!truth)
	}
}

// truthOf reads a value as a condition: a boolean, or the text of one where no mapping is known.
func truthOf(v *event.Value) (truth, known bool) {
	switch v.Kind {
	case event.KindBoolean:
		return v.Boolean, true
	case event.KindText, event.KindUntyped:
		return string(v.Text) == "true", string(v.Text) == "true" || string(v.Text) == "false"
	}
	return false, false
}
