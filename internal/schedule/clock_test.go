package schedule_test

import (
	"strings"
	"testing"
	"time"

	"esrule/internal/schedule"
	"esrule/internal/span"
)

// TestFirstRunOnAClockAhead leaves the ledger of a first run on a machine whose clock was a day
// ahead.
func TestFirstRunOnAClockAhead(t *testing.T) {
	w := newWorld(t)
	w.event(w.index("a"), 3, "bad.exe", 1)
	ahead := w.clock.Add(24 * time.Hour)
	first := span.New(ahead.Add(-w.rule.From), ahead)
	create := func() *schedule.Ledger {
		return schedule.NewLedger(w.rule.ID, w.rule.Name, first.From)
	}
	if _, err := w.store().Update(t.Context(), w.rule.ID, create, func(l *schedule.Ledger) {
		l.Covered = span.Intervals{first}
	}); err != nil {
		t.Fatal(err)
	}
	w.run()
	w.wantSignals("with the clock set right", 1)
	if l := w.ledger(); !l.CoveredUpTo().Equal(w.clock) || l.Since.After(w.clock) {
		t.Errorf("since %v, covered %v", l.Since, l.Covered)
	}
}

// TestClocksApart lets the program's clock and the cluster's go wrong for two hours, in which
// events come, and sets them right. Each event is found in the end, once.
func TestClocksApart(t *testing.T) {
	const h = time.Hour
	f := func(why string, ours, theirs time.Duration) {
		t.Helper()
		t.Run(why, func(t *testing.T) {
			w, began := lateWorld(t, 9*h)
			w.late = 4 * h
			var wrong time.Duration
			w.theirs = func() time.Time { return w.clock.Add(wrong) }
			pid := 0
			polls := func(d, every time.Duration) {
				for end := w.clock.Add(d); w.clock.Before(end); {
					pid += 2 // the second is given its time by the cluster
					w.happened("first", happening(pid, w.clock),
						happening(pid+1, w.clock, w.clock.Add(wrong)))
					w.pass(every)
				}
			}
			polls(20*time.Minute, 10*time.Minute)
			w.ahead, wrong = ours, theirs
			polls(2*h, 20*time.Minute)
			pid += 2 // the first of them late, while the clocks are wrong
			w.happened("first", happening(pid, w.clock.Add(-235*time.Minute)),
				happening(pid+1, w.clock))
			w.ahead, wrong = 0, 0
			polls(80*time.Minute, 20*time.Minute)
			w.pass(10 * time.Minute)
			w.wantSignals("with clocks set right since "+began.String(),
				w.Count(w.Index("events-first")))
			if l := w.ledger(); len(l.Covered) != 1 || len(l.Open) != 0 ||
				!l.CoveredUpTo().Equal(w.clock) {
				t.Errorf("covered %v, open %v at %v", l.Covered, l.Open, w.clock)
			}
		})
	}
	f("ours ahead", 3*h, 0)
	f("ours behind", -3*h, 0)
	f("the cluster's ahead", 0, 3*h)
	f("the cluster's behind", 0, -3*h)
	f("both ahead", 3*h, 3*h)
	f("both ahead, not by the same", 3*h, 2*h)
	f("both behind", -3*h, -3*h)
	f("one ahead, one behind", 2*h, -2*h)
}

// TestClocksApartAreNotCovered has clocks that differ: what lies between them is not searched, and
// no run says that it is.
func TestClocksApartAreNotCovered(t *testing.T) {
	f := func(theirs time.Duration, want bool) {
		t.Helper()
		w := newWorld(t)
		w.index("a")
		w.theirs = func() time.Time { return w.clock.Add(theirs) }
		second := *w.rule
		second.ID = "second"
		report := schedule.Report{Rules: w.runAll(w.rule, &second)}
		if got := report.Covered(); got != want {
			t.Errorf("the cluster's clock is %s off: covered %v, want %v", theirs, got, want)
		}
		if ended := w.ledger().LastRun.Error == ""; ended != want {
			t.Errorf("the cluster's clock is %s off: the ledger says of the run %q", theirs,
				w.ledger().LastRun.Error)
		}
		warned := strings.Count(w.log.String(),
			`level=WARN msg="our clock and the cluster's differ`)
		if warned != len(report.Troubles()) || (warned == 0) != want {
			t.Errorf("the cluster's clock is %s off: warned %d times, troubles %+v", theirs, warned,
				report.Troubles())
		}
	}
	f(-3*time.Minute, true)
	f(3*time.Minute, true)
	f(-5*time.Minute, false)
	f(5*time.Minute, false)
	f(-time.Hour, false)
	f(time.Hour, false)
}

// TestBothClocksAhead lets nobody look for some hours, until both clocks are right: what the ledger
// has as searched was not there yet when it was.
func TestBothClocksAhead(t *testing.T) {
	const h = time.Hour
	f := func(why string, late time.Duration, ranBefore bool, every, hours int) {
		t.Helper()
		t.Run(why, func(t *testing.T) {
			w := newWorld(t)
			w.clock, w.late = w.clock.Add(-10*24*h), late
			w.theirs = func() time.Time { return w.clock.Add(w.ahead) }
			w.index("first")
			if ranBefore {
				w.run()
			}
			w.ahead = 12 * h
			w.pass(5 * time.Minute)
			w.happened("first", hourly(hours, w.clock, h)...)
			for hour := every; every > 0 && hour < hours; hour += every {
				w.pass(time.Duration(every) * h)
			}
			w.clock, w.ahead = w.clock.Add(h/2), 0
			if every == 0 {
				w.clock = w.clock.Add(time.Duration(hours) * h)
			}
			w.pass(0)
			w.pass(61 * time.Minute)
			w.wantSignals("with the clocks right", hours)
		})
	}
	f("once, then nobody looked for longer than ESRULE_LATE", 4*h, true, 0, 7)
	f("for hours", 24*h, true, 3, 7)
	f("from the first run on", 24*h, false, 1, 4)
	f("from the first run on, for longer than they were ahead", 24*h, false, 3, 15)
}
