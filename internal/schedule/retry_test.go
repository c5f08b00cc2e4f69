package schedule_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"esrule/internal/detect"
	"esrule/internal/schedule"
	"esrule/internal/sink"
)

// retries is many rules in a world that fails, and what their polls cost.
type retries struct {
	*world
	runner     *schedule.Runner
	detections []*detect.Detection
	refusing   error // each search, unless it is nil
	opened     int
}

const manyRules = 50

// newRetries makes two indices with an event for each rule.
func newRetries(t *testing.T) *retries {
	t.Helper()
	r := &retries{world: newWorld(t)}
	r.theirs = func() time.Time { return r.clock }
	r.opening = func() error {
		r.opened++
		return r.refusing
	}
	queries := make([]string, manyRules)
	for i := range queries {
		queries[i] = fmt.Sprintf(`process where process.name == "bad%d.exe"`, i)
	}
	for _, one := range r.together(queries...) {
		r.detections = append(r.detections, r.detection(one))
	}
	for n, name := range []string{"a", "b"} {
		index := r.index(name)
		for i := range manyRules {
			r.event(index, 1, fmt.Sprintf("bad%d.exe", i), n*manyRules+i)
		}
	}
	return r
}

// poll wants so many points in time at most, signals in all, and rules of which nothing is open.
func (r *retries) poll(why string, most, signals, well int) {
	r.t.Helper()
	if r.runner == nil {
		r.runner = r.world.runner()
	}
	r.opened = 0
	report, err := r.runner.Run(r.t.Context(), r.detections)
	if err != nil {
		r.t.Fatal(err)
	}
	got := 0
	for _, one := range report.Rules {
		if one.Err == nil && len(one.Open)+len(one.Sick)+len(one.Failed) == 0 {
			got++
		}
	}
	r.Refresh(r.indices.Signals)
	r.wantSignals(why, signals)
	if r.opened > most || got != well {
		r.t.Errorf("%s: got %d points in time, %d rules well; want %d at most, %d", why, r.opened,
			got, most, well)
	}
	r.clock = r.clock.Add(r.rule.Interval)
}

// What failed before is searched again for all rules by about as many requests as for one: an index
// that cannot be read, a late sweep that it owes, an index that is gone, pieces that failed whole.
func TestRetriesAreSearchedTogether(t *testing.T) {
	t.Run("an index that cannot be read", func(t *testing.T) {
		r := newRetries(t)
		block := func(on string) {
			r.Do(http.MethodPut, r.Index("events-b/_settings"), `{"index.blocks.read":`+on+`}`)
		}
		block("true")
		r.poll("the index fails", 1, manyRules, 0)
		r.poll("it fails again", 1, manyRules, 0)
		block("null")
		r.poll("it is well", 2, 2*manyRules, manyRules)
	})
	t.Run("an index that owes a late sweep", func(t *testing.T) {
		r := newRetries(t)
		r.poll("the first run", 1, 2*manyRules, manyRules)
		r.Do(http.MethodPut, r.Index("events-b/_settings"), `{"index.blocks.read":true}`)
		r.clock = r.clock.Add(time.Hour)
		r.poll("the sweep fails there", 3, 2*manyRules, 0)
		r.Do(http.MethodPut, r.Index("events-b/_settings"), `{"index.blocks.read":null}`)
		r.poll("it is well", 4, 2*manyRules, manyRules)
	})
	t.Run("an index that is gone", func(t *testing.T) {
		r := newRetries(t)
		r.Do(http.MethodPut, r.Index("events-b/_settings"), `{"index.blocks.read":true}`)
		r.poll("the index fails", 1, manyRules, 0)
		r.Do(http.MethodDelete, r.Index("events-b"), "")
		r.poll("it is gone", 2, manyRules, manyRules)
	})
	t.Run("all fails", func(t *testing.T) {
		r := newRetries(t)
		r.refusing = errors.New("the node is lost")
		r.poll("the live window fails", 3, 0, 0)
		r.poll("and what failed before", 6, 0, 0)
		r.refusing = nil
		r.poll("all is well", 3, 2*manyRules, manyRules)
	})
}

// A rule that fails by itself keeps no other from being searched again.
func TestRetryThatFailsForOneRule(t *testing.T) {
	r := newRetries(t)
	r.signals = refusingOne{sink.NewWriter(r.Client, sink.Options{SignalsIndex: r.indices.Signals,
		DeadLetterIndex: r.indices.DeadLetter}), 5}
	r.refusing = errors.New("the node is lost")
	r.poll("all fails", 3, 0, 0)
	r.refusing = nil
	// The live windows and what failed before, each in halves at worst, and the halves of what
	// fails of the rule.
	const halves, pieces = 3 + 2*6, 4
	r.poll("one rule is refused", 2*halves+pieces, 2*(manyRules-1), manyRules-1)
	r.poll("and again", 6, 2*(manyRules-1), manyRules-1)
}
