package schedule_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"esrule/internal/detect"
	"esrule/internal/schedule"
	"esrule/internal/sink"
	"esrule/internal/sink/signal"
)

// refusingOne is a sink that loses the connection with every signal of one process.
type refusingOne struct {
	detect.Signals
	pid int
}

func (r refusingOne) Write(ctx context.Context, signals []signal.Signal) ([]sink.Verdict, error) {
	for _, s := range signals {
		var signal struct{ Process struct{ PID int } }
		if err := json.Unmarshal(s.Document, &signal); err != nil {
			return nil, err
		}
		if signal.Process.PID == r.pid {
			return nil, errors.New("connection reset")
		}
	}
	return r.Signals.Write(ctx, signals)
}

// TestSickPieceBlindsNoOther has one event of six hours that cannot be written, the oldest, the
// newest or one between, at the first run or after an outage: all others are alerted in the same
// run.
func TestSickPieceBlindsNoOther(t *testing.T) {
	f := func(why string, sick int) {
		t.Helper()
		t.Run(why, func(t *testing.T) {
			w, began := lateWorld(t, 30*time.Hour)
			w.clock = began.Add(6 * time.Hour)
			w.happened("first", hourly(6, began.Add(30*time.Minute), time.Hour)...)
			w.happened("first",
				happening(50,
					began.Add(30*time.Minute+time.Duration(sick)*time.Hour-20*time.Minute)))
			w.happened("first", happening(60, began.Add(-5*time.Hour))) // for the late sweep
			well := sink.NewWriter(w.Client, sink.Options{SignalsIndex: w.indices.Signals,
				DeadLetterIndex: w.indices.DeadLetter})
			w.signals = refusingOne{well, sick}
			report := w.run()
			want := slices.DeleteFunc([]int{0, 1, 2, 3, 4, 5, 50, 60}, func(pid int) bool {
				return pid == sick
			})
			if got := w.found(); !slices.Equal(got, want) {
				t.Errorf("found %v, want %v", got, want)
			}
			if len(report.Sick) == 0 || report.Err != nil ||
				(schedule.Report{Rules: []schedule.RuleReport{report}}).Covered() {
				t.Errorf("sick: %+v, error %v", report.Sick, report.Err)
			}
			for _, p := range report.Sick {
				if p.Reason != "connection reset" || !p.Late && p.Length() > 5*time.Minute {
					t.Errorf("a sick piece: %+v", p)
				}
			}
			w.signals = well
			report = w.pass(5 * time.Minute)
			w.wantSignals("once the event can be written", 8)
			if len(report.Sick) != 0 || len(w.ledger().Gaps(w.clock)) != 0 {
				t.Errorf("sick %+v, gaps %v", report.Sick, w.ledger().Gaps(w.clock))
			}
		})
	}
	f("in the oldest gap", 0)
	f("in the live window's time", 5)
}

// TestOpenTimeGoesOnUnderAnotherName has an index that cannot be read, and whose documents go on
// elsewhere.
func TestOpenTimeGoesOnUnderAnotherName(t *testing.T) {
	f := func(why string, move func(w *world, old, other string)) {
		t.Helper()
		t.Run(why, func(t *testing.T) {
			w, began := lateWorld(t, 30*time.Hour)
			old, other := w.index("old"), w.index("other")
			w.happened("old", happening(1, began.Add(-20*time.Hour)),
				happening(2, began.Add(-time.Minute)))
			w.Do(http.MethodPut, old+"/_settings", `{"index.blocks.read":true}`)
			w.changeLedger(func(l *schedule.Ledger) {
				l.Open = []schedule.OpenIndex{{Index: old, Time: l.Covered, Reason: "blocked",
					Since: w.clock, Next: w.clock}}
			})
			if report := w.pass(time.Minute); len(report.Open) != 1 {
				t.Fatalf("open: %+v", report.Open)
			}
			w.happened("other", happening(1, began.Add(-20*time.Hour)),
				happening(2, began.Add(-time.Minute)))
			move(w, old, other)
			report := w.pass(20 * time.Minute)
			w.wantSignals("of what went on elsewhere", 2)
			if len(report.Open) != 0 {
				t.Errorf("open: %+v\n%s", report.Open, w.log.String())
			}
			if n := strings.Count(w.log.String(), "it is no longer waited for"); n != 1 {
				t.Errorf("said %d times that the index is not waited for, want once", n)
			}
		})
	}
	f("deleted", func(w *world, old, _ string) { w.Delete(old) })
	f("an alias of the old name", func(w *world, old, other string) {
		w.Delete(old)
		w.Do(http.MethodPost, "_aliases", `{"actions":[{"add":{"index":"`+other+`","alias":"`+old+
			`"}}]}`)
	})
	f("a new index of the old name", func(w *world, old, _ string) {
		w.Delete(old)
		w.index("old")
	})
}

// TestClosedIndexIsOpenUntilItIsOpened closes an index between two runs, or before the first, for
// 30 hours.
func TestClosedIndexIsOpenUntilItIsOpened(t *testing.T) {
	w, began := lateWorld(t, time.Hour)
	index := w.index("closing")
	w.happened("closing", happening(1, began.Add(4*time.Minute)),
		happening(2, began.Add(-10*time.Minute)))
	w.Do(http.MethodPost, index+"/_close", nil)
	for range 3 {
		report := w.pass(10 * time.Hour)
		if len(report.Open) != 1 || report.Open[0].Index != index ||
			!strings.Contains(report.Open[0].Reason, "closed") {
			t.Fatalf("open: %+v", report.Open)
		}
	}
	w.wantSignals("while it is closed", 0)
	w.Do(http.MethodPost, index+"/_open", nil)
	w.Do(http.MethodGet, "_cluster/health/"+index+"?wait_for_status=yellow&timeout=30s", nil)
	if report := w.pass(5 * time.Minute); len(report.Open) != 0 {
		t.Errorf("open once it is opened: %+v", report.Open)
	}
	w.wantSignals("once it is opened", 2)
}

// An open index that becomes hidden is read by its name: a pattern with * passes over it.
func TestOpenIndexBecomesHidden(t *testing.T) {
	w, began := lateWorld(t, 30*time.Hour)
	old := w.index("old")
	w.happened("old", happening(1, began.Add(-20*time.Hour)), happening(2, began.Add(-time.Minute)))
	w.Do(http.MethodPut, old+"/_settings", `{"index.blocks.read":true}`)
	w.changeLedger(func(l *schedule.Ledger) {
		l.Open = []schedule.OpenIndex{{Index: old, Time: l.Covered, Reason: "blocked",
			Since: w.clock, Next: w.clock}}
	})
	w.Do(http.MethodPut, old+"/_settings", `{"index.blocks.read":null,"index.hidden":true}`)
	report := w.pass(20 * time.Minute)
	w.wantSignals("of the hidden index", 2)
	if len(report.Open) != 0 {
		t.Errorf("open: %+v\n%s", report.Open, w.log.String())
	}
}
