package schedule_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"esrule/internal/detect"
	"esrule/internal/schedule"
	"esrule/internal/span"
)

// lateWorld is a world that began some days ago, so that days can pass in it, with a rule that has
// covered some time.
func lateWorld(t *testing.T, covered time.Duration) (w *world, began time.Time) {
	t.Helper()
	w = newWorld(t)
	w.clock = w.clock.Add(-10 * 24 * time.Hour)
	w.index("first")
	w.run()
	began = w.clock
	w.changeLedger(func(l *schedule.Ledger) { // an hour takes a search
		l.Since = began.Add(-covered)
		l.Covered = span.Intervals{span.New(l.Since, began)}
	})
	return w, began
}

func (w *world) changeLedger(change func(*schedule.Ledger)) {
	w.t.Helper()
	if _, err := w.store().Update(w.t.Context(), w.rule.ID, nil, change); err != nil {
		w.t.Fatal(err)
	}
}

// happening is an event that happened at a moment, and was ingested at another where one is given.
func happening(pid int, at time.Time, ingested ...time.Time) string {
	more := ""
	for _, i := range ingested {
		more = fmt.Sprintf(`,"ingested":%q`, i.Format(time.RFC3339Nano))
	}
	return fmt.Sprintf(`{"@timestamp":%q,"event":{"category":"process"%s},"process":{"name":"bad.exe","pid":%d}}`, at.Format(time.RFC3339Nano), more, pid)
}

// happened writes events that become searchable now.
func (w *world) happened(index string, events ...any) {
	w.t.Helper()
	w.Bulk(w.Index("events-"+index), events...)
}

// hourly are as many events, one in each hour from a moment on or, where step is negative, back.
func hourly(n int, from time.Time, step time.Duration) (events []any) {
	for pid := range n {
		events = append(events, happening(pid, from.Add(time.Duration(pid)*step)))
	}
	return events
}

// found lists the process ids of the events with a signal, each as often as it has one.
func (w *world) found() []int {
	w.t.Helper()
	found := []int{}
	for _, hit := range w.Hits(w.indices.Signals) {
		var signal struct{ Process struct{ PID int } }
		if err := json.Unmarshal(hit.Source, &signal); err != nil {
			w.t.Fatal(err)
		}
		found = append(found, signal.Process.PID)
	}
	slices.Sort(found)
	return found
}

// pass lets time pass and runs the rule.
func (w *world) pass(d time.Duration) schedule.RuleReport {
	w.t.Helper()
	w.clock = w.clock.Add(d)
	report := w.run()
	if report.Err != nil {
		w.t.Errorf("run at %s: %v", w.clock, report.Err)
	}
	return report
}

// wantSwept checks that the last complete sweep began now, and that none is under way.
func (w *world) wantSwept(why string) {
	w.t.Helper()
	if s := w.ledger().Sweep; !s.Start.Equal(w.clock) || !s.CompletedAt.Equal(w.clock) ||
		s.UnderWay != nil {
		w.t.Errorf("%s: at %s the ledger says of its sweeps %+v", why, w.clock, s)
	}
}

func TestLateEvents(t *testing.T) {
	type late struct {
		found    bool
		why      string
		at       time.Duration // from the start of the rule's first run
		ingested []time.Duration
	}
	const missed, found = false, true
	f := func(why string, configure func(*world), events ...late) {
		t.Helper()
		t.Run(why, func(t *testing.T) {
			w, began := lateWorld(t, 30*time.Hour)
			configure(w)
			w.clock = w.clock.Add(30 * time.Minute)
			want := []int{}
			for pid, e := range events {
				var ingested []time.Time
				for _, d := range e.ingested {
					ingested = append(ingested, began.Add(d))
				}
				w.happened("first", happening(pid, began.Add(e.at), ingested...))
				if e.found {
					want = append(want, pid)
				}
			}
			w.pass(time.Minute)
			w.wantSignals("before the sweep", 0)
			report := w.pass(30 * time.Minute)
			if got := w.found(); !slices.Equal(got, want) {
				t.Errorf("found %v, want %v of %+v", got, want, events)
			}
			if swept := report.Run.Swept; w.late > 0 &&
				(swept == nil || !swept.Complete || swept.Created != len(want)) {
				t.Errorf("the run says of its sweep %+v, want it complete with %d new signals",
					swept, len(want))
			}
			w.pass(time.Hour)
			w.wantSignals("behind the next one", len(want))
			if w.late > 0 {
				w.wantSwept(why)
			}
		})
	}
	f("a rule that goes by event.ingested", func(*world) {},
		late{found, "hours late", -5 * time.Hour, nil},
		late{found, "as late as ESRULE_LATE", -24*time.Hour + 30*time.Minute, nil},
		late{missed, "later than that", -25 * time.Hour, nil},
		late{found, "dated in the future", 9 * time.Hour, nil},
		late{found, "dated a year ahead", 400 * 24 * time.Hour, nil},
		late{found, "searchable long after it was ingested", -5 * time.Hour,
			[]time.Duration{-4 * time.Hour}},
		late{found, "ingested by a clock days behind", -5 * time.Hour,
			[]time.Duration{-100 * time.Hour}})
	f("a rule without another timestamp", func(w *world) { w.rule.TimestampOverride = "" },
		late{found, "hours late", -5 * time.Hour, nil},
		late{missed, "later than ESRULE_LATE", -25 * time.Hour, nil})
	f("a rule that wants no event without event.ingested", func(w *world) {
		w.rule.TimestampOverrideFallbackDisabled = true
	},
		late{missed, "without it", -5 * time.Hour, nil},
		late{found, "with it", -5 * time.Hour, []time.Duration{-4 * time.Hour}})
	f("a shorter ESRULE_LATE", func(w *world) { w.late = 2 * time.Hour },
		late{found, "an hour late", -time.Hour, nil},
		late{missed, "four hours late", -4 * time.Hour, nil})
	f("a longer ESRULE_LATE", func(w *world) { w.late = 40 * time.Hour },
		late{found, "29 hours late", -29 * time.Hour, nil},
		late{missed, "from before the rule's coverage", -31 * time.Hour, nil})
	f("no sweep", func(w *world) { w.late = 0 }, late{missed, "hours late", -5 * time.Hour, nil})
}

func TestLateEventsAroundAnOutage(t *testing.T) {
	w, began := lateWorld(t, 30*time.Hour)
	w.happened("first", // while nobody looks
		happening(1, began.Add(-23*time.Hour)),
		happening(2, began.Add(-20*time.Minute), began.Add(-20*time.Minute)),
		happening(3, began.Add(20*time.Hour)),
		happening(4, began.Add(100*time.Hour)))
	w.pass(72 * time.Hour)
	w.wantSignals("after three days", 4)
	w.wantSwept("after three days")
	if swept := w.ledger().LastRun.Swept; swept.From.After(began.Add(-24 * time.Hour)) {
		t.Errorf("the sweep reaches back to %s, the one before it began at %s", swept.From, began)
	}
	// of the outage, and comes only now
	w.happened("first", happening(5, w.clock.Add(-23*time.Hour)))
	w.pass(61 * time.Minute)
	w.wantSignals("an hour later", 5)
}

func TestLedgerOfAReleaseWithoutSweeps(t *testing.T) {
	w, began := lateWorld(t, 30*time.Hour)
	w.changeLedger(func(l *schedule.Ledger) { l.Sweep = nil })
	w.happened("first", happening(1, began.Add(-23*time.Hour)))
	w.pass(10 * time.Hour)
	w.wantSignals("at the first run of this release", 1)
	w.wantSwept("at the first run of this release")
}

func TestDeletedSignalComesBackWithinLate(t *testing.T) {
	w, began := lateWorld(t, 30*time.Hour)
	w.happened("first", happening(1, began.Add(-5*time.Hour)))
	w.pass(61 * time.Minute)
	w.Do(http.MethodDelete, w.indices.Signals+"/_doc/"+w.Hits(w.indices.Signals)[0].ID+
		"?refresh=true", nil)
	w.wantSignals("deleted", 0)
	w.pass(time.Hour)
	w.wantSignals("at the next sweep", 1)
}

func TestSweepRaisesNoSignalTwice(t *testing.T) {
	w, began := lateWorld(t, 30*time.Hour)
	w.happened("first", hourly(24, began, -time.Hour)...)
	w.pass(61 * time.Minute)
	w.wantSignals("of the first sweep", 24)
	if r := w.pass(time.Hour).Run; r.Created != 0 || r.Swept.Matched < 23 ||
		r.Duplicates < r.Swept.Matched {
		t.Errorf("the second sweep: %+v, %+v", r, r.Swept)
	}
	w.wantSignals("of the second", 24)
}

func TestIndexThatDoesNotAnswerASweep(t *testing.T) {
	w, began := lateWorld(t, 30*time.Hour)
	text := w.Index("events-text") // a class of mappings of its own
	w.Create(text, `{"settings":{"number_of_replicas":0},"mappings":`+
		strings.Replace(processMapping, `"pid"`, `"other":{"type":"keyword"},"pid"`, 1)+`}`)
	// out of reach of the sweep after the next
	w.happened("text", happening(1, began.Add(-24*time.Hour)),
		happening(3, began.Add(-5*time.Hour)))
	w.happened("first", happening(2, began.Add(-24*time.Hour)))
	w.unread = text
	report := w.pass(61 * time.Minute)
	w.wantSignals("of the index that answers", 1)
	w.wantSwept("for the index that answers")
	if len(report.Open) != 1 || report.Open[0].Index != text || report.Open[0].SweepFrom.IsZero() ||
		len(report.Open[0].Time) > 0 {
		t.Fatalf("open behind the sweep: %+v", report.Open)
	}
	if what := report.Open[0].What(); !strings.Contains(what, "late sweep from") {
		t.Errorf("what is open is said as %q", what)
	}
	// It fails the next sweep too, and the retries between: what it owes stays.
	owed := report.Open[0].SweepFrom
	for range 4 {
		report = w.pass(31 * time.Minute)
	}
	if len(report.Open) != 1 || !report.Open[0].SweepFrom.Equal(owed) || report.Open[0].Tries < 2 {
		t.Fatalf("open behind more tries: %+v, want the sweep from %s on", report.Open, owed)
	}
	w.unread = ""
	report = w.pass(2 * time.Hour)
	w.wantSignals("once it answers", 3)
	if len(report.Open) != 0 {
		t.Errorf("open once it answers: %+v", report.Open)
	}
}

func TestForbiddenSweepIsOwed(t *testing.T) {
	w, _ := lateWorld(t, 30*time.Hour)
	sick := w.Index("events-sick")
	w.Do(http.MethodPut, sick+"?wait_for_active_shards=0",
		`{"settings":{"number_of_replicas":0,"index.routing.allocation.require._name":"nowhere"},"mappings":`+processMapping+`}`)
	if report := w.pass(61 * time.Minute); len(report.Open) != 1 ||
		report.Open[0].SweepFrom.IsZero() {
		t.Fatalf("open: %+v", report.Open)
	}
	w.Delete(sick)
	if report := w.pass(61 * time.Minute); len(report.Open) != 0 {
		t.Errorf("open after the index was deleted: %+v", report.Open)
	}
}

// TestCrashInTheMiddleOfASweep kills every run behind three searches, of which one is a piece of
// the sweep at least.
func TestCrashInTheMiddleOfASweep(t *testing.T) {
	w, began := lateWorld(t, 30*time.Hour)
	w.happened("first", hourly(24, began.Add(-time.Minute), -time.Hour)...)
	w.clock = w.clock.Add(time.Hour)
	due := w.clock
	killed := 0
	for ; ; killed++ {
		w.killBehind(3)
		report := w.run()
		if report.Err == nil {
			break
		}
		if s := w.ledger().Sweep; !errors.Is(report.Err, context.Canceled) ||
			!s.Start.Equal(began) || !s.CompletedAt.IsZero() || s.UnderWay == nil ||
			!s.UnderWay.Start.Equal(due) {
			t.Fatalf("killed %d times: %v, %+v", killed+1, report.Err, s)
		}
		w.clock = w.clock.Add(5 * time.Minute)
	}
	if killed < 2 {
		t.Errorf("killed %d times only", killed)
	}
	w.wantSignals("killed again and again", 24)
	if s := w.ledger().Sweep; !s.Start.Equal(due) || s.UnderWay != nil {
		t.Errorf("the sweep that began at %s is complete: %+v", due, s)
	}
}

func TestRuleThatChangesInTheMiddleOfASweep(t *testing.T) {
	w, began := lateWorld(t, 30*time.Hour)
	w.happened("first", happening(1, began.Add(-23*time.Hour))) // in the first piece
	w.pass(20 * time.Minute)
	w.asks(`process where process.name : "worse*"`)
	w.clock = w.clock.Add(40 * time.Minute)
	w.killBehind(3)
	if report := w.run(); !errors.Is(report.Err, context.Canceled) ||
		w.ledger().Sweep.UnderWay == nil {
		t.Fatalf("killed in the middle of a sweep: %v, %+v", report.Err, w.ledger().Sweep)
	}
	w.opening, w.ending = nil, nil
	w.asks(`process where process.name : "bad*"`)
	w.pass(5 * time.Minute)
	w.wantSignals("for what the rule means now", 1)
}

// TestRunEndsWhereASweepTakesLong has a sweep of two weeks last for longer than an hour.
func TestRunEndsWhereASweepTakesLong(t *testing.T) {
	w, began := lateWorld(t, 20*24*time.Hour)
	w.late = 14 * 24 * time.Hour
	w.clock = w.clock.Add(61 * time.Minute)
	searches := 0
	w.opening = func() error {
		w.clock = w.clock.Add(2 * time.Minute)
		if searches++; searches > 200 {
			return errors.New("two hundred searches")
		}
		return nil
	}
	report := w.run()
	if swept := report.Run.Swept; report.Err != nil || swept == nil || !swept.Complete ||
		w.clock.Sub(began) < 2*time.Hour {
		t.Errorf("a run of two minutes a search, for %s: %v, %+v", w.clock.Sub(began), report.Err,
			swept)
	}
}

func TestTwoInstancesSweepAtOnce(t *testing.T) {
	w, began := lateWorld(t, 30*time.Hour)
	w.theirs = func() time.Time { return w.clock }
	w.happened("first", hourly(24, began, -time.Hour)...)
	w.clock = w.clock.Add(61 * time.Minute)
	d, err := detect.New(w.rule, nil)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			report, err := w.runner().Run(t.Context(), []*detect.Detection{d})
			if err != nil || !report.Covered() {
				t.Errorf("a run beside two others: %v, %+v", err, report)
			}
		})
	}
	group.Wait()
	w.Refresh(w.indices.Signals)
	w.wantSignals("of three instances", 24)
	w.wantSwept("by three instances")
}
