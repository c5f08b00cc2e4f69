package schedule_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"esrule/internal/detect"
	"esrule/internal/query/rule"
	"esrule/internal/schedule"
	"esrule/internal/sink"
	"esrule/internal/sink/signal"
)

// together returns rules that differ from the world's in what they ask.
func (w *world) together(queries ...string) []*rule.Rule {
	w.t.Helper()
	rules := make([]*rule.Rule, len(queries))
	for i, query := range queries {
		one := *w.rule
		one.ID, one.Name = rule.ID(fmt.Sprint("rule-", i)), fmt.Sprint("rule ", i)
		one.Body = &rule.EventQuery{Query: parsed(w.t, query)}
		rules[i] = &one
	}
	return rules
}

// Rules with the same patterns, timestamps and window are searched by one search, and each has the
// signals, counts and coverage that it would have alone.
func TestRulesAreSearchedTogether(t *testing.T) {
	w := newWorld(t)
	index := w.index("a")
	for pid := range 10 {
		w.event(index, float64(pid+1)/2, []string{"bad.exe", "worse.exe"}[pid%2], pid)
	}
	rules := w.together(`process where process.name : "bad*"`,
		`process where process.name == "worse.exe" and process.pid > 4`,
		`any where process.pid == 3`,
		`process where process.name == "none.exe"`)
	w.theirs = func() time.Time { return w.clock }
	opened := 0
	w.opening = func() error {
		opened++
		return nil
	}
	f := func(why string, wantOpened int, wantSaid string, want ...int) {
		t.Helper()
		opened = 0
		w.log.Reset()
		defer func() {
			if n := strings.Count(w.log.String(), "msg=run "+wantSaid); n != 1 {
				t.Errorf("%s: got %d lines with %q, want 1:\n%s", why, n, wantSaid, w.log.String())
			}
		}()
		for i, r := range w.runAll(rules...) {
			if r.Err != nil || len(r.Open) > 0 || r.Run.Created != want[i] {
				t.Errorf("%s: rule %d: got %d created, open %v, error %v, want %d", why, i,
					r.Run.Created, r.Open, r.Err, want[i])
			}
			together := len(rules)
			if wantOpened > 1 {
				together = []int{3, 3, 3, 1}[i]
			}
			if r.Run.Together != together || r.Run.WholeWindow != "" {
				t.Errorf("%s: rule %d: got %d rules together, whole window %q, want %d, none", why,
					i, r.Run.Together, r.Run.WholeWindow, together)
			}
		}
		if opened != wantOpened {
			t.Errorf("%s: got %d points in time, want %d", why, opened, wantOpened)
		}
	}
	f("the first run", 1, "rules=4 together=4 alone=0 searches=1 shared_searches=1 searched=13m0s indices=1 "+
		"candidates=18 matched=9 created=9 ", 5, 3, 1, 0)
	w.clock = w.clock.Add(w.rule.Interval)
	w.event(index, 1, "bad.exe", 100)
	f("the second run", 1, "rules=4 together=4 alone=0 searches=1 shared_searches=1 ", 1, 0, 0, 0)
	other := w.index("b")
	w.clock = w.clock.Add(w.rule.Interval)
	w.event(other, 1, "worse.exe", 101)
	rules[3].Index = []string{other} // searched alone
	f("one of other patterns", 2, "rules=4 together=3 alone=1 searches=2 shared_searches=1 ", 0, 1, 0, 0)
}

// What cannot be searched together is searched rule by rule.
func TestRulesAreSearchedAlone(t *testing.T) {
	w := newWorld(t)
	w.event(w.index("a"), 1, "bad.exe", 1)
	rules := w.together(`process where process.name : "bad*"`, `process where process.pid == 1`,
		`any where process.name == "none.exe"`)
	f := func(why string, check func(schedule.RuleReport) bool, want ...bool) {
		t.Helper()
		for i, r := range w.runAll(rules...) {
			if got := check(r); got != want[i] {
				t.Errorf("%s: rule %d: got %v, want %v: %+v", why, i, got, want[i], r)
			}
		}
		w.clock = w.clock.Add(w.rule.Interval)
	}
	covered := func(r schedule.RuleReport) bool {
		return r.Err == nil && len(r.Open)+len(r.Sick)+len(r.Failed) == 0
	}
	w.theirs = func() time.Time { return w.clock }
	tries := 0
	w.opening = func() error {
		if tries++; tries == 1 {
			return errors.New("too much at once")
		}
		return nil
	}
	f("the group fails", covered, true, true, true)
	w.wantSignals("the group fails", 2)
	w.opening = nil
	w.Create(w.Index("events-b"), `{"settings":{"number_of_replicas":0},"mappings":{
		"_source":{"excludes":["process.pid"]},"properties":{"@timestamp":{"type":"date"},
		"process":{"properties":{"name":{"type":"keyword"},"pid":{"type":"long"}}}}}}`)
	opened := 0
	w.opening = func() error {
		opened++
		return nil
	}
	f("an index can be judged for two rules only", covered, true, false, true)
	if opened != 3 {
		t.Errorf("an index can be judged for two rules only: got %d points in time, want 3: for "+
			"all, for the two, for the other", opened)
	}
}

// brokenOff writes signals, and fails once after so many writes, behind what was written.
type brokenOff struct {
	detect.Signals
	left int
}

func (b *brokenOff) Write(ctx context.Context, s []signal.Signal) ([]sink.Verdict, error) {
	verdicts, err := b.Signals.Write(ctx, s)
	if b.left--; b.left == 0 && err == nil {
		err = errors.New("broken off")
	}
	return verdicts, err
}

// What a search for several rules wrote before it failed is counted for the rules: the signals are
// new once, and whoever searches for them again finds duplicates.
func TestCountsOfAGroupThatFails(t *testing.T) {
	w := newWorld(t)
	index := w.index("a")
	for pid := range 60 {
		w.event(index, float64(pid+1)/20, "bad.exe", pid)
	}
	rules := w.together(`process where process.name : "bad*"`, `process where process.pid >= 0`)
	w.theirs = func() time.Time { return w.clock }
	w.signals = &brokenOff{sink.NewWriter(w.Client, sink.Options{SignalsIndex: w.indices.Signals,
		DeadLetterIndex: w.indices.DeadLetter, Logger: w.logger}), 1}
	created := 0
	for i, r := range w.runAll(rules...) {
		if created += r.Run.Created; r.Err != nil {
			t.Errorf("rule %d: %v", i, r.Err)
		}
		if r.Run.Created != 60 {
			t.Errorf("rule %d: got %d created, %d duplicates, want 60 created", i, r.Run.Created,
				r.Run.Duplicates)
		}
	}
	w.wantSignals("a write fails", created)
}

// While one rule is far behind, the live windows of the others that come due are searched together
// as ever.
func TestRulesThatWaitAreSearchedTogether(t *testing.T) {
	w := newWorld(t)
	w.event(w.index("a"), 1, "bad.exe", 1)
	w.theirs = func() time.Time { return w.clock }
	w.late = 0
	const old = 8
	rules := w.together(slices.Repeat([]string{`any where process.pid == 1`}, old+1)...)
	w.runAll(rules[:old]...)
	w.start = 10 * time.Hour // of the new one
	w.clock = w.clock.Add(w.rule.Interval)
	opened := 0
	w.opening = func() error {
		opened++
		w.clock = w.clock.Add(time.Minute) // so long each search takes
		return nil
	}
	for i, r := range w.runAll(rules...) {
		if r.Err != nil || len(r.Open) > 0 {
			t.Errorf("rule %d: open %v, error %v", i, r.Open, r.Err)
		}
	}
	const want = 20 // 10 pieces of the backlog, and live windows
	if opened > want {
		t.Errorf("got %d points in time, want %d at most", opened, want)
	}
}

// The pieces of a gap and of a late sweep that rules have in common are searched together too, and
// one that takes too long is cut for all of them alike.
func TestPiecesAreSearchedTogether(t *testing.T) {
	w := newWorld(t)
	index := w.index("a")
	for pid := range 12 {
		w.event(index, float64(pid*60+30), []string{"bad.exe", "worse.exe"}[pid%2], pid)
	}
	rules := w.together(`process where process.name : "bad*"`, `process where process.pid > 5`)
	w.start, w.late = 12*time.Hour, 3*time.Hour
	w.theirs = func() time.Time { return w.clock }
	opened := 0
	w.opening = func() error {
		opened++
		return nil
	}
	f := func(why string, most int, want ...int) {
		t.Helper()
		opened = 0
		for i, r := range w.runAll(rules...) {
			if r.Err != nil || len(r.Open)+len(r.Sick) > 0 || r.Lag > time.Second ||
				r.Run.Created != want[i] {
				t.Errorf("%s: rule %d: got %d created, open %v, lag %v, error %v, want %d", why, i,
					r.Run.Created, r.Open, r.Lag, r.Err, want[i])
			}
		}
		if opened > most {
			t.Errorf("%s: got %d points in time, want %d at most: one a piece", why, opened, most)
		}
	}
	f("a gap of 12 hours", 8, 6, 6) // the live window, pieces of 1, 2, 4, 8 hours
	w.clock = w.clock.Add(2 * time.Hour)
	w.event(index, 150, "bad.exe", 100) // late: it happened before the run before
	f("a late sweep", 5, 1, 1)
}
