package threshold

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/prometheus/common/model"

	"esrule/internal/span"
)

// Burst is events of one key that reach the threshold within the span.
type Burst struct {
	// Values are those of the plan's fields.
	Values []string
	// From and Last are the times of its first event and of the last one that was there when it was
	// found; Count is how many were, and Distinct how many values of each field of the cardinality.
	From, Last time.Time
	Count      int
	Distinct   []int
	Marks      []string // of its events, sorted
}

// Taken is what is known of a burst that was found before: its events count for no other.
type Taken struct {
	Values []string
	From   time.Time
}

// Judge takes the events of one window through a plan. It is not safe for concurrent use.
type Judge struct {
	plan     *Plan
	span     int64
	from, to int64 // of the window
	now      int64 // the time of the last event
	swept    int64 // when keys were let go that nothing pends for
	keys     map[string]*tally
	taken    map[string][]int64 // when bursts of a key begin that were found before
	room     *Room
	held     int // of the room
	found    []Burst
	failed   error
}

// LimitError says that an event was not judged: the judge holds as much as it may.
type LimitError struct {
	At   time.Time
	what string
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("the event of %s is not judged: %s", e.At.Format(time.RFC3339Nano), e.what)
}

// NewJudge returns a judge of a window, which holds what it does in a room.
func NewJudge(p *Plan, window span.Interval, room *Room) *Judge {
	j := &Judge{plan: p, span: p.Span.Milliseconds(), from: window.From.UnixMilli(),
		to: math.MaxInt64, now: math.MinInt64, swept: math.MinInt64, room: room,
		keys: map[string]*tally{}, taken: map[string][]int64{}}
	if !window.Unbounded() {
		j.to = window.To.UnixMilli()
	}
	return j
}

// Taken tells the judge of a burst that was found before. All are told before the first event.
func (j *Judge) Taken(t Taken) {
	if len(t.Values) == len(j.plan.Fields) {
		key := keyOf(t.Values)
		j.taken[key] = append(j.taken[key], t.From.UnixMilli())
	}
}

// See takes the next event and returns the bursts that are over. They are valid until the next
// call.
func (j *Judge) See(l Look, at time.Time) ([]Burst, error) {
	j.found = j.found[:0]
	now := at.UnixMilli()
	switch {
	case j.failed != nil:
		return nil, j.failed
	case now < j.now:
		return nil, fmt.Errorf("the event of %s comes after one of %s: events must come in the "+
			"order of time", at.Format(time.RFC3339Nano), moment(j.now).Format(time.RFC3339Nano))
	case now < j.from-j.span, j.to != math.MaxInt64 && now >= j.to+j.span:
		return nil, nil // of a rule with a longer span
	}
	j.now = now
	if now-j.span >= j.swept {
		j.sweep()
	}
	if l.tooMany {
		j.fail(fmt.Sprintf("its fields have more than %d combinations of values", mostKeys))
	}
	if more := l.Size() + len(l.keys); !j.room.has(more) {
		if j.sweep(); !j.room.has(max(more, j.room.most/8)) { // or it would sweep again soon
			j.fail(fmt.Sprintf("%d keys, and %d events and values of them, are pending within %s; "+
				"narrow the rule's query, or count by fields with fewer values", len(j.keys),
				j.held-len(j.keys), model.Duration(j.plan.Span)))
		}
	}
	if j.failed != nil {
		return j.found, j.failed
	}
	for _, key := range l.keys {
		j.count(key, l.distinct)
	}
	return j.found, nil
}

func (j *Judge) fail(what string) { j.failed = &LimitError{At: moment(j.now), what: what} }

// count counts the event at hand for a key.
func (j *Judge) count(key string, distinct [][]string) {
	if j.isTaken(key) {
		return
	}
	t := j.keys[key]
	if t != nil && t.isBurst && j.now < t.from+j.span {
		j.hold(t.add(j.now, distinct))
		t.inWindow = t.inWindow || j.from <= j.now && j.now < j.to
		return
	}
	if t == nil {
		t = newTally(j.plan.lists())
		j.keys[key] = t
		j.hold(weight(key))
	}
	if t.isBurst {
		j.end(key, t)
	}
	j.hold(-t.forget(j.now - j.span))
	j.hold(t.addPending(j.now, distinct))
	if t.reaches(j.plan) {
		j.hold(-t.becomeBurst(j.from, j.to))
	}
}

// isTaken reports whether the event at hand is one of a burst that was found before.
func (j *Judge) isTaken(key string) bool {
	return slices.ContainsFunc(j.taken[key], func(from int64) bool {
		return from <= j.now && j.now < from+j.span
	})
}

// end ends a burst: no event from now on is a part of it.
func (j *Judge) end(key string, t *tally) {
	if t.inWindow {
		b := Burst{Values: valuesOf(key), From: moment(t.from), Last: moment(t.last),
			Count: t.count}
		for i, values := range t.distinct {
			if i < len(j.plan.distinct) {
				b.Distinct = append(b.Distinct, len(values))
			} else {
				b.Marks = slices.Sorted(maps.Keys(values))
			}
		}
		j.found = append(j.found, b)
	}
	j.hold(-t.size())
	*t = *newTally(j.plan.lists())
}

// sweep ends the bursts that are over, and lets go of the keys that nothing pends for.
func (j *Judge) sweep() {
	j.swept = j.now
	first := len(j.found)
	for key, t := range j.keys {
		if t.isBurst && j.now >= t.from+j.span {
			j.end(key, t)
		}
		if !t.isBurst {
			if j.hold(-t.forget(j.now - j.span)); len(t.pending) == 0 {
				delete(j.keys, key)
				j.hold(-weight(key))
			}
		}
	}
	sortBursts(j.found[first:])
}

// End returns the bursts that were not over at the last event. All events of the window were seen,
// or it failed: what reached the threshold until then has reached it.
func (j *Judge) End() []Burst {
	j.found = j.found[:0]
	for key, t := range j.keys {
		if t.isBurst {
			j.end(key, t)
		}
	}
	clear(j.keys)
	j.hold(-j.held)
	sortBursts(j.found)
	return j.found
}

func sortBursts(list []Burst) {
	slices.SortFunc(list, func(a, b Burst) int {
		return cmp.Or(a.From.Compare(b.From), slices.Compare(a.Values, b.Values))
	})
}

func moment(at int64) time.Time { return time.UnixMilli(at).UTC() }
