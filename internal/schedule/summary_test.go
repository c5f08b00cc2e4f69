package schedule

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"esrule/internal/detect"
	"esrule/internal/query/rule"
	"esrule/internal/span"
)

// logged returns the lines of a log without their times.
func logged(write func(*slog.Logger)) string {
	var text bytes.Buffer
	write(slog.New(slog.NewTextHandler(&text, nil)))
	return regexp.MustCompile(`(?m)^time=\S+ `).ReplaceAllString(text.String(), "")
}

// A run is one line, and one for each rule that has something to say.
func TestSummary(t *testing.T) {
	f := func(why string, interrupted bool, rules []RuleReport, want ...string) {
		t.Helper()
		report := Report{Rules: rules, Indices: 7}
		troubles := report.Troubles()
		if interrupted {
			troubles = report.uncovered()
		}
		got := logged(func(log *slog.Logger) {
			teller{log, interrupted}.tell(summary{report, troubles, 3 * time.Second})
		})
		if w := strings.Join(want, "\n") + "\n"; got != w {
			t.Errorf("%s:\n got %s\nwant %s", why, got, w)
		}
	}
	at := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	of := func(n int, change func(i int, r *RuleReport)) (all []RuleReport) {
		for i := range n {
			r := RuleReport{RuleID: rule.ID(fmt.Sprint("r", i)), Name: fmt.Sprint("R", i),
				Run: Run{Searched: time.Minute, Indices: 2, Searches: 0.25, Together: 4},
				Lag: time.Second, CoveredUpTo: at}
			change(i, &r)
			all = append(all, r)
		}
		return all
	}
	quiet := func(int, *RuleReport) {}
	const alike = "reduced=0 without_event=0 dead_lettered=0"
	const none = "candidates=0 matched=0 created=0 duplicates=0 " + alike

	f("one rule", false, of(1, quiet), `level=INFO msg=run rule=r0 name=R0 searched=1m0s `+
		`indices=2 `+none+` failed=0 lag=1s duration=0s`)
	f("one rule that fails", false, of(1, func(_ int, r *RuleReport) { r.Err = errors.New("x") }),
		`level=WARN msg="run failed; what it left open is searched by the next run" rule=r0 `+
			`name=R0 searched=1m0s indices=2 `+none+` failed=0 lag=1s duration=0s `+
			`not_covered_from=2026-11-28T12:00:00Z`)
	f("nothing to say", false, of(400, quiet), `level=INFO msg=run rules=400 together=400 `+
		`alone=0 searches=100 shared_searches=100 searched=1m0s indices=7 `+none+` not_covered=0 lag=1s duration=3s`)
	f("signals of one, another alone, one has swept", false, of(3, func(i int, r *RuleReport) {
		switch i {
		case 0:
			r.Run.Counts = detect.Counts{Candidates: 9, Matched: 2, Created: 1, Duplicates: 1}
		case 1:
			r.Run.Searches, r.Run.Together, r.Run.Duration = 1, 1, 1234*time.Millisecond
			r.Run.WholeWindow = "they want all"
			r.Run.Counts = detect.Counts{Candidates: 1, Matched: 1, Duplicates: 1}
		case 2:
			r.Run.Swept = &Swept{From: at, Complete: true, Candidates: 5}
		}
	}),
		`level=INFO msg=run rules=3 together=2 alone=1 searches=2 shared_searches=1 searched=1m0s indices=7 `+
			`candidates=10 matched=3 created=1 duplicates=2 `+alike+` not_covered=0 lag=1s `+
			`duration=3s slowest="r1 1.2s" whole_window=1 late_sweeps=1 late_sweeps_complete=1 `+
			`late_sweep_candidates=5 late_created=0`,
		`level=INFO msg="run of a rule" rule=r0 name=R0 searched=1m0s indices=2 candidates=9 `+
			`matched=2 created=1 duplicates=1 `+alike+` failed=0 lag=1s duration=0s`)

	open := func(_ int, r *RuleReport) {
		r.Open = []OpenIndex{{Index: "x", Reason: "red", Time: span.Intervals{span.New(at,
			at.Add(time.Minute))}}}
	}
	f("an index is open for two", false, of(2, open), `level=INFO msg=run rules=2 together=2 `+
		`alone=0 searches=1 shared_searches=1 searched=1m0s indices=7 `+none+` not_covered=2 lag=1s duration=3s`,
		`level=INFO msg="run of a rule" rule=r0 name=R0 searched=1m0s indices=2 `+none+
			` failed=1 lag=1s duration=0s`,
		`level=INFO msg="run of a rule" rule=r1 name=R1 searched=1m0s indices=2 `+none+
			` failed=1 lag=1s duration=0s`)
	f("an index is open for all", false, of(1000, open), `level=INFO msg=run rules=1000 `+
		`together=1000 alone=0 searches=250 shared_searches=250 searched=1m0s indices=7 `+none+` not_covered=1000 `+
		`lag=1s duration=3s`)
	f("interrupted", true, of(2, func(_ int, r *RuleReport) { r.Err = errors.New("canceled") }),
		`level=INFO msg="run interrupted; what it left open is searched by the next run" rules=2 `+
			`together=2 alone=0 searches=1 shared_searches=1 searched=1m0s indices=7 `+none+` not_covered=2 lag=1s `+
			`duration=3s`)
	f("cluster gone", false, of(1000, func(_ int, r *RuleReport) { r.Err = errors.New("gone") }),
		`level=INFO msg=run rules=1000 together=1000 alone=0 searches=250 shared_searches=250 searched=1m0s `+
			`indices=7 `+none+` not_covered=1000 lag=1s duration=3s`)
}

// What is said of many rules is one line.
func TestNotes(t *testing.T) {
	f := func(why string, add func(*notes), want ...string) {
		t.Helper()
		var n notes
		add(&n)
		got := logged(n.tell)
		if w := strings.Join(append(want, ""), "\n"); got != w {
			t.Errorf("%s:\n got %s\nwant %s", why, got, w)
		}
		if again := logged(n.tell); again != "" {
			t.Errorf("%s: got %s once more", why, again)
		}
	}
	f("nothing", func(*notes) {})
	f("one", func(n *notes) { n.add(RuleName{"a", "A"}, slog.LevelWarn, "changed", "at", 1) },
		"level=WARN msg=changed rule=a name=A at=1")
	f("alike, and another", func(n *notes) {
		n.add(RuleName{"a", "A"}, slog.LevelWarn, "changed", "at", 1)
		n.add(RuleName{"b", "B"}, slog.LevelInfo, "changed", "at", 2)
		n.add(RuleName{"c", "C"}, slog.LevelWarn, "changed", "at", 1)
	}, `level=WARN msg=changed rule_count=2 rules="[a c]" at=1`,
		"level=INFO msg=changed rule=b name=B at=2")
}

func TestCostly(t *testing.T) {
	f := func(why string, want string, runs ...Run) {
		t.Helper()
		var r Report
		for i, run := range runs {
			r.Rules = append(r.Rules, RuleReport{RuleID: rule.ID(fmt.Sprint("r", i)), Run: run})
		}
		var got []string
		for _, c := range r.Costly() {
			got = append(got, fmt.Sprint(c.Reason, " ", c.Worst.ID, " of ", c.Rules))
		}
		if g := strings.Join(got, ", "); g != want {
			t.Errorf("%s: got %q, want %q", why, g, want)
		}
	}
	dear := func(candidates int) Run {
		return Run{Searched: time.Minute, Counts: detect.Counts{Candidates: candidates}}
	}
	slow := Run{Searched: time.Minute, Duration: time.Minute}
	f("none", "", Run{}, dear(1))
	f("one", "candidates r0 of [r0]", dear(10_000), dear(1))
	f("some", "candidates r1 of [r0 r1 r2], time r3 of [r3]", dear(10_000), dear(30_000),
		dear(20_000), slow)
}
