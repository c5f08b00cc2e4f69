package match

import (
	"time"

	"esrule/internal/event"
	"esrule/internal/query/match/words"
)

// Evaluation is an event under judgement, with what matchers keep while they judge it. So many
// workers can share one compiled rule, and judging allocates nothing. It is made once a worker and
// reads one event after another; it is not safe for concurrent use.
type Evaluation struct {
	*event.Event

	now time.Time
	// the values that a leaf is judged for, by its own numbering of its fields
	chosen  []*event.Value
	choices int    // how many more choices the leaf may try
	scratch []byte // the texts that functions make

	candidates bitset       // the matchers of a set that could accept the event
	present    []event.Slot // see [event.Event.MayHave]
	seen       seenValues

	texts  [][]textWords // by slot and place of the value
	scopes map[*nested]*scope
}

// textWords are the words of a value, of the event of the round.
type textWords struct {
	words.Index
	round uint64
}

// words returns the words of one of a field's values, which are looked for once an event.
func (e *Evaluation) words(s event.Slot, values []event.Value, at int) *words.Index {
	for len(e.texts) <= int(s) {
		e.texts = append(e.texts, nil)
	}
	for len(e.texts[s]) <= at {
		e.texts[s] = append(e.texts[s], textWords{})
	}
	t := &e.texts[s][at]
	if t.round != e.Round() {
		t.Read(values[at].Text)
		t.round = e.Round()
	}
	return &t.Index
}

// NewEvaluation returns an evaluation of events that have the fields of f, all of them added by
// now. A date such as "now-1h" counts from now: one instant for a whole run, so that pre-filter and
// matcher agree.
func NewEvaluation(f *event.Fields, now time.Time) *Evaluation {
	return &Evaluation{Event: event.New(f), now: now}
}
