package match

import (
	"bytes"
	"math"
	"sync"
	"time"

	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/match/words"
)

// The leaves of KQL: the type of the field decides how a value is compared (kql.md §3), and a value
// that the type cannot take is false. In an event without a mapping it is decided by what the
// constant and the value look like.

// anyKuery is a leaf of KQL over one field. It holds where one of the values passes: a text by its
// words, each other as it is. Of a text whose words only the index knows, the index was asked. An
// event that came without its answer is explained by the words of the standard analyzer.
func (l *leaf) anyKuery(x cond.Expr, passes func(*Evaluation, *event.Value) bool,
	hasWords func(*words.Index) bool) predicate {
	slot := l.slot(cond.Compared(x))
	name := sync.OnceValue(func() string { return cond.Name(x) }) // few indices are asked
	l.worded = append(l.worded, worded{leaf: x})
	holds := func(e *Evaluation, values []event.Value, i int) bool {
		switch v := &values[i]; {
		case !v.HasWords():
			return passes(e, v)
		case v.IndexHasWords() && e.Answered():
			return e.Holds(name())
		}
		return hasWords(e.words(slot, values, i))
	}
	return func(e *Evaluation) bool {
		values := e.Values(slot)
		for i := range values {
			if holds(e, values, i) {
				return true
			}
		}
		return false
	}
}

// is compiles `field : value`.
func (c *compiler) is(x *cond.Is) predicate {
	l := c.leaf(x)
	constant := c.constant(literalValue(x.Value))
	list := words.Split(x.Value.Text)
	hasWords := func(text *words.Index) bool { return text.HasAny(list) }
	if x.Quoted {
		hasWords = func(text *words.Index) bool { return text.HasPhrase(list) }
	}
	p := l.anyKuery(x, constant.is, hasWords)
	l.noteUse(l.slots[0], constant, false)
	return p
}

// is is `field : value` for a value that is compared as a whole.
func (c *constant) is(e *Evaluation, v *event.Value) bool {
	switch {
	case v.Bare && c.isNumber:
		number, ok := event.Decimal(v.Text)
		return ok && compareNumbers(&number, &c.signless) == 0 || c.equals(e, v)
	case !c.taken(e, v):
		return false
	}
	if d, ok := dated(v); ok {
		if first, last, ok := c.dates.place(e, &d); ok {
			return placed(first, last, cond.Equal)
		}
	}
	return c.equals(e, v)
}

// taken reports whether the type of the field takes the constant. What the comparison itself finds
// to be no number, address or date is not looked at here.
func (c *constant) taken(e *Evaluation, v *event.Value) bool {
	switch v.Kind {
	case event.KindVersion:
		return !event.VersionRefused(c.text)
	case event.KindInteger, event.KindUnsigned:
		return v.TakesNumber(c.text)
	case event.KindDateNanos:
		const most = math.MaxInt64 / int64(time.Second)
		p := c.dates.resolve(e, v)
		return p.from.Seconds >= 0 && p.to.Seconds <= most
	case event.KindNull, event.KindText, event.KindUntyped, event.KindFloat, event.KindBoolean,
		event.KindDate, event.KindAddress:
	}
	return true
}

// dated reads a text of an event without a mapping as a date where it looks like one; then it is
// compared as one with whatever names a date: a year, milliseconds.
func dated(v *event.Value) (event.Value, bool) {
	if v.Kind != event.KindUntyped || !looksDated(v.Text) {
		return event.Value{}, false
	}
	return v.AsDate()
}

// looksDated reports whether a text begins like an ISO date with a day.
func looksDated(text []byte) bool {
	return len(text) >= len("2026-01-02") && text[4] == '-' && text[7] == '-'
}

// order compiles `field < value`.
func (c *compiler) order(x *cond.Order) predicate {
	l := c.leaf(x)
	constant := c.constant(literalValue(x.Value))
	p := l.anyKuery(x, func(e *Evaluation, v *event.Value) bool {
		return constant.orders(e, v, x.Op)
	}, func(text *words.Index) bool {
		return text.Some(func(word []byte) bool {
			n := bytes.Compare(word, constant.text) // which is not put into lower case
			return placed(n, n, x.Op)
		})
	})
	l.noteUse(l.slots[0], constant, true)
	return p
}

// orders is `v op constant` for a value that is compared as a whole.
func (c *constant) orders(e *Evaluation, v *event.Value, op cond.CompareOp) bool {
	switch {
	case v.Kind == event.KindUntyped && c.isNumber && !looksDated(v.Text):
		number, ok := event.Decimal(v.Text)
		n := compareNumbers(&number, &c.signless)
		return ok && placed(n, n, op)
	case v.Kind == event.KindAddress && bytes.IndexByte(c.text, '/') >= 0, // a block
		!c.taken(e, v), c.isNumber && !v.TakesBound(&c.number):
		return false
	}
	if d, ok := dated(v); ok {
		if first, last, ok := c.dates.place(e, &d); ok {
			return placed(first, last, op)
		}
	}
	holds, _ := c.compare(e, v, op)
	return holds
}

// exists compiles `field : *`.
func (c *compiler) exists(x *cond.Exists) predicate {
	slot := c.leaf(x).slot(x.Field)
	return func(e *Evaluation) bool { return len(e.Values(slot)) > 0 }
}
