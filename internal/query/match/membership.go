package match

import (
	"esrule/internal/event"
	"esrule/internal/query/cond"
)

// in compiles `subject in (…)` and its variants.
func (c *compiler) in(x *cond.In) predicate {
	l := c.leaf(x)
	contains, constants := l.list(x)
	var p predicate
	if field, ok := x.Subject.(*cond.Field); ok {
		slot := l.slot(field)
		for _, one := range constants {
			l.noteUse(slot, one, false)
		}
		p = anyValue(slot, contains)
	} else {
		value := l.subject(x.Subject)
		p = l.any(func(e *Evaluation) bool {
			v := value(e)
			return contains(e, &v)
		})
	}
	if x.Negated {
		return not(p)
	}
	return p
}

// member is `in` with its three outcomes.
func (l *leaf) member(x *cond.In) evaluator {
	contains, _ := l.list(x)
	value := l.value(x.Subject)
	return func(e *Evaluation) event.Value {
		v := value(e)
		if v.Kind == event.KindNull {
			return event.Value{}
		}
		return boolean(contains(e, &v) != x.Negated)
	}
}

// list compiles the values of a list; null among them is dropped (eql.md §2).
func (l *leaf) list(
	x *cond.In,
) (contains func(*Evaluation, *event.Value) bool, constants []*constant) {
	texts, onlyTexts := map[string]bool{}, true
	for _, item := range x.List {
		v, _ := l.constantOf(item)
		c := l.constant(v)
		if c.isNull() {
			continue
		}
		constants = append(constants, c)
		texts[string(c.text)] = true
		onlyTexts = onlyTexts && c.kind == event.KindText && !c.isNetwork && !c.isDate
		if x.Fold {
			texts[string(c.lower)] = true
		}
	}
	return func(e *Evaluation, v *event.Value) bool {
		if v.IsPlainText() && (onlyTexts || v.Kind == event.KindText) {
			// The plain case, in time that does not grow with the list.
			if x.Fold {
				return texts[string(e.Lower(v))]
			}
			return texts[string(v.Text)]
		}
		for _, c := range constants {
			if c.equals(e, v) || x.Fold && v.Kind != event.KindNull && c.equalsFolded(e, v) {
				return true
			}
		}
		return false
	}, constants
}
