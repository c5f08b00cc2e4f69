package sequence

import (
	"fmt"
	"math"
	"time"

	"esrule/internal/span"
)

// Judge takes the events of one window through a plan. E is what the caller keeps of an event. It
// is not safe for concurrent use.
type Judge[E any] struct {
	plan     *Plan
	machine  machine
	from, to int64
	now      int64 // the time of the last event
	failed   error
	room     *Room
	weighed  int // of room

	sight sight[E]
	found []Match[E]
}

// machine is a sequence's or a sample's part of the judge.
type machine interface {
	// see takes the event that the judge is shown; ok is false where the judge failed.
	see() (ok bool)
	// advance decides what no event from now on can change.
	advance(now int64)
	// size returns how many keys are pending, and how many events are kept for them.
	size() (keys, events int)
	// keyBytes returns how long the pending keys are together.
	keyBytes() int
}

// sight is an event that the judge is shown.
type sight[E any] struct {
	look  Look
	at    int64
	keep  func() E
	kept  bool
	event E
}

// value returns what the caller keeps of the event, asked for once.
func (s *sight[E]) value() E {
	if !s.kept {
		s.kept, s.event = true, s.keep()
	}
	return s.event
}

// Match is a complete sequence or sample.
type Match[E any] struct {
	Keys []Key
	// At is when it was decided: the time of its last event, or the end of the time in which a
	// missing event did not come.
	At time.Time
	// Events are those that were found, in the order of the stages.
	Events []Taken[E]
}

// Taken is an event that took a stage.
type Taken[E any] struct {
	Stage int // its number in the statement; several have the same where it says `with runs`
	At    time.Time
	Event E
}

// LimitError says that an event was not judged. What is decided at its time or later is open.
type LimitError struct {
	At           time.Time
	Keys, Events int // that were pending
	what         string
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("the event of %s is not judged: %s", e.At.Format(time.RFC3339Nano), e.what)
}

// NewJudge returns a judge of a window. It keeps as much as there is room for, which it may share
// with others.
func NewJudge[E any](p *Plan, window span.Interval, room *Room) *Judge[E] {
	j := &Judge[E]{plan: p, room: room, from: nanoseconds(window.From), to: math.MaxInt64,
		now: math.MinInt64}
	if !window.Unbounded() {
		j.to = nanoseconds(window.To)
	}
	if p.sample {
		j.machine = newSampler(j)
	} else {
		j.machine = newSequencer(j)
	}
	return j
}

// nanoseconds since 1970, at the ends of what 64 bits hold where a time is beyond.
func nanoseconds(t time.Time) int64 {
	switch {
	case t.Before(time.Unix(0, math.MinInt64)):
		return math.MinInt64
	case t.After(time.Unix(0, math.MaxInt64)):
		return math.MaxInt64
	}
	return t.UnixNano()
}

// See takes the next event and returns what is decided by it, in order. keep is called where the
// judge keeps the event, once. The matches are valid until the next call.
func (j *Judge[E]) See(l Look, at time.Time, keep func() E) ([]Match[E], error) {
	now := nanoseconds(at)
	j.found = j.found[:0]
	switch {
	case j.failed != nil:
		return nil, j.failed
	case now < j.now:
		return nil, fmt.Errorf("the event of %s comes after one of %s: events must come in the "+
			"order of time", at.Format(time.RFC3339Nano), moment(j.now).Format(time.RFC3339Nano))
	}
	j.now = now
	j.machine.advance(now)
	decided := len(j.found)
	j.sight = sight[E]{look: l, at: now, keep: keep}
	if !j.machine.see() {
		j.found = j.found[:decided]
	}
	j.settle()
	return j.found, j.failed
}

// Advance returns what is decided once all events before now were seen.
func (j *Judge[E]) Advance(now time.Time) []Match[E] {
	j.found = j.found[:0]
	if j.failed == nil {
		j.machine.advance(nanoseconds(now))
		j.settle()
	}
	return j.found
}

// End returns what is decided at the end of the window, all events of which were seen.
func (j *Judge[E]) End() []Match[E] {
	if j.to == math.MaxInt64 {
		return nil
	}
	return j.Advance(moment(j.to))
}

// Pending returns how many keys are pending, and how many events are kept for them.
func (j *Judge[E]) Pending() (keys, events int) { return j.machine.size() }

func (j *Judge[E]) emit(m Match[E]) {
	if at := nanoseconds(m.At); j.from <= at && at < j.to {
		j.found = append(j.found, m)
	}
}

// accepts reports whether a query accepts the event.
func (j *Judge[E]) accepts(query int) bool { return j.sight.look.accepted&(1<<query) != 0 }

// combine returns the event's keys by a key list, nil where there are too many of them.
func (j *Judge[E]) combine(list int) *combinations {
	c := &j.sight.look.keys[list]
	if c.tooMany {
		j.fail(fmt.Sprintf("its keys have more than %d combinations of values",
			mostCombinations))
		return nil
	}
	return c
}

// full ends the judge at the event, where there is no more room.
func (j *Judge[E]) full() {
	keys, events := j.machine.size()
	others := ""
	if left := j.room.used - j.weighed; left > keys+events {
		others = ", and other rules that are judged together with it hold more"
	}
	j.fail(fmt.Sprintf("%d events of %d keys are pending within %s%s; narrow its conditions or "+
		"shorten its maxspan", events, keys, j.plan.Span(), others))
}

func (j *Judge[E]) fail(what string) {
	keys, events := j.machine.size()
	j.failed = &LimitError{At: moment(j.sight.at), Keys: keys, Events: events, what: what}
}

func moment(at int64) time.Time { return time.Unix(0, at).UTC() }
