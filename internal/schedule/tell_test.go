package schedule_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"esrule/internal/detect"
	"esrule/internal/elastic"
	"esrule/internal/query/rule"
	"esrule/internal/schedule"
	"esrule/internal/span"
)

func TestTroublesAreGrouped(t *testing.T) {
	f := func(name string, report schedule.Report, want ...string) {
		t.Helper()
		var got []string
		for _, one := range report.Troubles() {
			var ids []string
			for _, r := range one.Rules {
				ids = append(ids, string(r.ID))
			}
			got = append(got, fmt.Sprintf("%s|%s|%s|%s", one.Reason, strings.Join(one.Indices, ","),
				one.Open.What(), strings.Join(ids, ",")))
		}
		if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
			t.Errorf("%s:\n got %s\nwant %s", name, g, w)
		}
	}
	at := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	open := func(index, reason string, from, to int) schedule.OpenIndex {
		i := span.New(at.Add(time.Duration(from)*time.Minute),
			at.Add(time.Duration(to)*time.Minute))
		return schedule.OpenIndex{Index: index, Reason: reason, Time: span.Intervals{i}, Next: at}
	}
	of := func(id rule.ID, open ...schedule.OpenIndex) schedule.RuleReport {
		return schedule.RuleReport{RuleID: id, Open: open}
	}
	failed := func(id rule.ID, err error) schedule.RuleReport {
		return schedule.RuleReport{RuleID: id, Err: err}
	}
	all := func(rules ...schedule.RuleReport) schedule.Report {
		return schedule.Report{Rules: rules}
	}

	f("nothing", all(of("a"), of("b")))
	f("one index, two rules", all(of("a", open("x", "red", 0, 5)), of("b", open("x", "red", 3, 9))),
		"red|x|9m0s|a,b")
	f("two indices, two rules", all(of("a", open("x", "red", 0, 5), open("y", "red", 0, 5)),
		of("b", open("x", "red", 0, 5), open("y", "red", 0, 5))), "red|x,y|5m0s|a,b")
	f("another reason", all(of("a", open("x", "red", 0, 5)), of("b", open("x", "blocked", 0, 5))),
		"red|x|5m0s|a", "blocked|x|5m0s|b")
	f("indices of different rules",
		all(of("a", open("x", "red", 0, 5)), of("b", open("y", "red", 0, 5))), "red|x|5m0s|a",
		"red|y|5m0s|b")

	many := func(n int, reason string) (rules []schedule.RuleReport) {
		for i := range n {
			rules = append(rules, of(rule.ID(fmt.Sprint("r", i)), open(fmt.Sprint("i", i), reason,
				i, i+1)))
		}
		return rules
	}
	f("more indices of different rules than can be read", all(append(many(11, "red"),
		of("x", open("x", "closed", 0, 1)))...),
		"red|i0,i1,i2,i3,i4,i5,i6,i7,i8,i9,i10|11m0s|r0,r1,r2,r3,r4,r5,r6,r7,r8,r9,r10",
		"closed|x|1m0s|x")

	gone := errors.New("the cluster is gone")
	f("one failed", all(failed("a", fmt.Errorf("cover 1: %w", gone))),
		"cover 1: the cluster is gone|||a")
	f("two failed alike", all(failed("a", fmt.Errorf("cover 1: %w", gone)),
		failed("b", fmt.Errorf("cover 2: %w", gone))),
		"the cluster is gone|||a,b")
	f("two failed alike, and their ledgers could not be written",
		all(failed("a", errors.Join(fmt.Errorf("ask: %w", gone), errors.New("ledger of a"))),
			failed("b", errors.Join(fmt.Errorf("ask: %w", gone), errors.New("ledger of b")))),
		"the cluster is gone|||a,b")
	f("two failed in other ways", all(failed("a", gone), failed("b", errors.New("no"))),
		"the cluster is gone|||a", "no|||b")
	refused := func() error { return &elastic.Error{Status: 500, Reason: "broken"} }
	f("refused alike", all(failed("a", fmt.Errorf("cover 1: %w", refused())),
		failed("b", fmt.Errorf("cover 2: %w", refused()))),
		"Elasticsearch answered 500: broken|||a,b")
}

func TestByReason(t *testing.T) {
	f := func(want string, failures ...detect.Failure) {
		t.Helper()
		if got := fmt.Sprint(detect.ByReason(failures)); got != want {
			t.Errorf("%v: got %s, want %s", failures, got, want)
		}
	}
	f("[]")
	f("[{[a c] red} {[b] closed}]", detect.Failure{Index: "a", Reason: "red"},
		detect.Failure{Index: "b", Reason: "closed"}, detect.Failure{Index: "c", Reason: "red"})
}

// The log of a run has one line for an index that does not answer, whatever the number of rules.
func TestAnOpenIndexIsLoggedOnce(t *testing.T) {
	w := newWorld(t)
	sick := w.Index("events-sick")
	w.Do("PUT", sick+"?wait_for_active_shards=0",
		`{"settings":{"number_of_replicas":0,"index.routing.allocation.require._name":"nowhere"},"mappings":`+processMapping+`}`)
	second := *w.rule
	second.ID = "second-rule"
	w.runAll(w.rule, &second)
	var errorLines []string
	for line := range strings.Lines(w.log.String()) {
		if strings.Contains(line, "level=ERROR") {
			errorLines = append(errorLines, line)
		}
	}
	if len(errorLines) != 1 {
		t.Fatalf("got %d error lines, want 1:\n%s", len(errorLines), strings.Join(errorLines, ""))
	}
	for _, part := range []string{sick, "rule_count=2", "test-rule", "second-rule", "reason=",
		"open="} {
		if !strings.Contains(errorLines[0], part) {
			t.Errorf("got %s, want %q in it", errorLines[0], part)
		}
	}
}
