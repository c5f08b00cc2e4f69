package main

import (
	"testing"
	"time"

	"esrule/internal/schedule"
	"esrule/internal/span"
)

func TestStatusIsWhole(t *testing.T) {
	f := func(why string, s ruleStatus, want bool) {
		t.Helper()
		if got := s.whole(); got != want {
			t.Errorf("%s: got %v, want %v", why, got, want)
		}
	}
	upTo, run := &time.Time{}, &schedule.Run{}
	f("never run", ruleStatus{}, false)
	f("covered", ruleStatus{CoveredUpTo: upTo, LastRun: run}, true)
	f("the first run was killed", ruleStatus{CoveredUpTo: upTo}, false)
	f("the last run failed",
		ruleStatus{CoveredUpTo: upTo, LastRun: &schedule.Run{Error: "no answer"}}, false)
	f("a gap", ruleStatus{CoveredUpTo: upTo, LastRun: run, Gaps: span.Intervals{{}}}, false)
	f("nothing covered for too long", ruleStatus{CoveredUpTo: upTo, LastRun: run, Late: true},
		false)
	f("an open index", ruleStatus{CoveredUpTo: upTo, LastRun: run, Open: []schedule.OpenIndex{{}}},
		false)
}
