package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"esrule/internal/detect"
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

// Of many rules, a summary and each cause come first, and only those are shown that have something
// to say.
func TestStatusOfManyRules(t *testing.T) {
	at := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	run := func(i int) *schedule.Run {
		r := &schedule.Run{At: at, Searched: 9 * time.Minute, Searches: 0.1, Together: 20,
			Indices: 3, Counts: detect.Counts{Candidates: 2, Matched: 1, Created: 1}}
		if i == 3 {
			r.Searches, r.Together = 1, 1
		}
		return r
	}
	of := func(n int, change func(i int, s *ruleStatus)) (all statusReport) {
		for i := range n {
			s := ruleStatus{RuleID: fmt.Sprint("r", i), Name: fmt.Sprint("R", i), CoveredUpTo: &at,
				Lag: 60, LastRun: run(i)}
			change(i, &s)
			s.Covered = s.whole()
			all.Rules = append(all.Rules, s)
		}
		return all
	}
	open := []schedule.OpenIndex{{Index: "x", Reason: "red", Since: at, Next: at,
		Time: span.Intervals{span.New(at, at.Add(time.Minute))}}}
	some := of(21, func(i int, s *ruleStatus) {
		switch i {
		case 4:
			s.Open, s.Lag = open, 120
		case 5:
			s.Costs = []string{"much"}
		case 6:
			s.CoveredUpTo, s.LastRun = nil, nil
		case 7:
			s.ChangedAt, s.SetAside = &at, []string{"old"}
		}
	})
	f := func(why string, all statusReport, everything bool, want string, blocks ...string) {
		t.Helper()
		var out strings.Builder
		if err := (statusPrinter{all: everything}).print(&out, all); err != nil {
			t.Fatal(err)
		}
		got := out.String()
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s:\n got %s\nwant %s…", why, got, want)
		}
		names := regexp.MustCompile(`(?m)^  rule id +(\S+)$`).FindAllStringSubmatch(got, -1)
		var shown []string
		for _, one := range names {
			shown = append(shown, one[1])
		}
		if everything && len(shown) == len(all.Rules) {
			return
		}
		if !slices.Equal(shown, blocks) {
			t.Errorf("%s: got the rules %q, want %q:\n%s", why, shown, blocks, got)
		}
	}
	const summary = `21 rules, 19 covered
  not covered      2 rules: 1 never run, 1 waiting for an index
  furthest behind  R4 (r4): covered up to 2026-11-28T12:00:00Z (2m0s ago)
  its late sweep   none yet: the next run begins with them
  last run         2026-11-28T12:00:00Z: searched 9m0s at most, 40 candidates, 20 matched, ` +
		`20 created, 0 duplicates, 0 reduced, 0 without their events, 0 dead letters
  searches         19 rules together by 2 searches, 1 alone by 1
  changed          1 rules: what was covered before was searched for them as they were then
  closed           old: set aside (ESRULE_SET_ASIDE), not searched until opened

x is open for 1m0s: red
    for rule R4 (r4)
`
	f("some", some, false, summary+"\nR4\n", "r4", "r5")
	f("all of some", some, true, summary+"\nR0\n")
	f("all well", of(11, func(int, *ruleStatus) {}), false, "11 rules, 11 covered\n  furthest")
	f("few", of(2, func(int, *ruleStatus) {}), false, "R0\n", "r0", "r1")
	everyone := of(1000, func(_ int, s *ruleStatus) { s.Open = open })
	f("one cause", everyone, false, "1000 rules, 0 covered\n  not covered      1000 rules: 1000 "+
		"waiting for an index\n", "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9")
	var out strings.Builder
	_ = statusPrinter{}.print(&out, everyone)
	for _, part := range []string{"x is open for 1m0s: red\n    for 1000 rules: R0 (r0), R1 (r1), " +
		"R2 (r2), R3 (r3), R4 (r4) and 995 more\n", "\n990 more rules are not covered or cost " +
		"more than their share: esrule status --all shows every rule.\n"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("one cause: got %s, want %q in it", out.String(), part)
		}
	}
}
