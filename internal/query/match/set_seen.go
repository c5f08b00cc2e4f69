package match

import (
	"bytes"
	"hash/maphash"

	"esrule/internal/event"
)

// seenValues remembers which matchers of a set the values of fields are witnesses of: programs,
// users and channels are the same in most events, and looking for a thousand texts in each value
// costs more than to know it. The zero value remembers nothing.
type seenValues struct {
	seed    maphash.Seed
	entries []seenValue // by hash: a later value takes the place of an earlier one
	fields  []seenField // by slot
	found   bitset      // of a value that is not known
}

const (
	seenEntries  = 1 << 11
	longestSeen  = 256 // bytes of a value
	mostOfOne    = 64  // matchers of a value
	seenTries    = 256 // after so many values of a field it is decided whether to go on
	seenFewest   = seenTries / 4
	seenInterval = 1 << 14 // values of a field that are seldom the same, until the next try
)

// seenValue is a value and what it is a witness of. Its memory is used again.
type seenValue struct {
	of       *fieldIndex
	isPlain  bool
	text     []byte
	matchers []int32
}

// seenField decides whether a field's values are worth to be remembered.
type seenField struct{ tries, hits, pause int }

// find is fieldIndex.find for a value that nothing but its text decides about.
func (s *seenValues) find(x *fieldIndex, e *Evaluation, v *event.Value) {
	for len(s.fields) <= int(x.slot) {
		s.fields = append(s.fields, seenField{})
	}
	field := &s.fields[x.slot]
	if field.pause > 0 || len(v.Text) > longestSeen {
		field.pause = max(field.pause-1, 0)
		x.find(e, v, e.candidates)
		return
	}
	if s.entries == nil {
		s.seed, s.entries = maphash.MakeSeed(), make([]seenValue, seenEntries)
	}
	at := maphash.Bytes(s.seed, v.Text) + uint64(x.slot)*0x9e3779b97f4a7c15
	one := &s.entries[at%seenEntries]
	isKnown := one.of == x && one.isPlain == v.IsPlainText() && bytes.Equal(one.text, v.Text)
	field.see(isKnown)
	if isKnown {
		e.candidates.setAll(numbers{few: one.matchers})
		return
	}
	s.found = append(s.found[:0], x.any...)
	clear(s.found)
	x.find(e, v, s.found)
	e.candidates.join(s.found)
	one.keep(x, v, s.found)
}

func (f *seenField) see(isKnown bool) {
	f.tries++
	if isKnown {
		f.hits++
	}
	if f.tries == seenTries {
		if f.hits < seenFewest {
			f.pause = seenInterval
		}
		f.tries, f.hits = 0, 0
	}
}

// keep makes it another value. One of many matchers is not kept.
func (one *seenValue) keep(x *fieldIndex, v *event.Value, found bitset) {
	one.of, one.isPlain = x, v.IsPlainText()
	one.text, one.matchers = append(one.text[:0], v.Text...), one.matchers[:0]
	found.each(func(i int) {
		if len(one.matchers) == mostOfOne {
			one.of = nil
			return
		}
		one.matchers = append(one.matchers, int32(i))
	})
}
