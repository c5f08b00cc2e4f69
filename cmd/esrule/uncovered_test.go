package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"esrule/internal/query/rule"
	"esrule/internal/schedule"
	"esrule/internal/span"
)

func TestNotCovered(t *testing.T) {
	f := func(name string, report schedule.Report, want ...string) {
		t.Helper()
		got := ""
		if err := notCovered(report); err != nil {
			got = err.Error()
		}
		if w := strings.Join(want, "\n"); got != w {
			t.Errorf("%s:\n got %s\nwant %s", name, got, w)
		}
	}
	at := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	open := func(index string) schedule.OpenIndex {
		return schedule.OpenIndex{Index: index, Reason: "red",
			Time: span.Intervals{span.New(at, at.Add(time.Minute))}}
	}
	report := func(id rule.ID, open ...schedule.OpenIndex) schedule.RuleReport {
		return schedule.RuleReport{RuleID: id, Name: "Rule " + string(id), Open: open}
	}
	const again = "  The next run searches again what is open; `esrule status` shows it."
	f("covered", schedule.Report{Rules: []schedule.RuleReport{report("a")}})
	f("one index", schedule.Report{Rules: []schedule.RuleReport{report("a", open("x"))}},
		"not everything was covered:", "  x is open for 1m0s: red", "    for rule Rule a (a)",
		again)
	f("two of each", schedule.Report{Rules: []schedule.RuleReport{report("a", open("x"), open("y")),
		report("b", open("x"), open("y"))}},
		"not everything was covered:", "  x, y (2 indices) are open for 1m0s: red",
		"    for 2 rules: Rule a (a), Rule b (b)", again)
	many := schedule.Report{}
	for _, id := range strings.Split("abcdefg", "") {
		many.Rules = append(many.Rules, report(rule.ID(id)))
		many.Rules[len(many.Rules)-1].Err = errors.New("no answer")
	}
	f("seven rules", many, "not everything was covered:", "  no answer",
		"    the run ended early for 7 rules: Rule a (a), Rule b (b), Rule c (c), Rule d (d), "+
			"Rule e (e) and 2 more", again)
	// What lies in the dead letters is not open: no run searches it again.
	dead := report("a")
	dead.Run.DeadLettered = 3
	f("only dead letters", schedule.Report{Rules: []schedule.RuleReport{dead}},
		"not everything was covered:",
		"  3 signals were refused by the signals index and lie in the dead-letter index",
		"    for rule Rule a (a): 3",
		"  No run writes dead letters again. Each holds its reason (ESRULE_DEAD_LETTER_INDEX): "+
			"remove it, then `esrule backfill` over their time.")
}
