package schedule_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"esrule/internal/query/rule"
)

// over makes a rule read patterns.
func over(r *rule.Rule, patterns ...string) { r.Index = patterns }

// Rules whose patterns stand for the same indices under other words are searched together, others
// are not, and each has the signals that it would have alone. An alias may have a filter.
func TestPatternsThatStandForTheSame(t *testing.T) {
	w := newWorld(t)
	a, b := w.index("a"), w.index("b")
	w.event(a, 1, "bad.exe", 1)
	w.event(b, 2, "bad.exe", 2)
	alias := w.Index("two")
	w.Do(http.MethodPost, "_aliases", fmt.Sprintf(`{"actions":[{"add":{"indices":[%q,%q],
		"alias":%q,"filter":{"term":{"process.pid":2}}}}]}`, a, b, alias))
	const bad = `process where process.name == "bad.exe"`
	rules := w.together(bad, bad, bad, bad, bad, bad, bad)
	over(rules[0], w.Index("events-*"))
	over(rules[1], a, b)
	over(rules[2], b, a, w.Index("none"))
	over(rules[3], alias)
	over(rules[4], a)
	over(rules[5], alias, a)
	over(rules[6], w.Index("events-*"), "-"+a)
	w.theirs = func() time.Time { return w.clock }
	opened := 0
	w.opening = func() error {
		opened++
		return nil
	}
	for i, r := range w.runAll(rules...) {
		if want := []int{2, 2, 2, 1, 1, 2, 1}[i]; r.Err != nil || len(r.Open) > 0 ||
			r.Run.Created != want {
			t.Errorf("%s: got %d created, open %v, error %v, want %d", rules[i].Index,
				r.Run.Created, r.Open, r.Err, want)
		}
	}
	if opened != 5 {
		t.Errorf("got %d points in time, want one for three rules and one for each of four", opened)
	}
}

// An index that comes when rules are about to be searched together belongs to those of them whose
// patterns stand for it, and to no other.
func TestIndexThatComesBetween(t *testing.T) {
	w := newWorld(t)
	a, b := w.index("a"), w.index("b")
	w.event(a, 1, "bad.exe", 1)
	rules := w.together(`process where process.name == "bad.exe"`,
		`process where process.name : "bad*"`, `any where process.pid > 0`)
	over(rules[0], w.Index("events-*"))
	over(rules[1], a, b)
	over(rules[2], b, a)
	w.theirs = func() time.Time { return w.clock }
	opened := 0
	w.opening = func() error {
		if opened++; opened == 1 {
			w.event(w.index("c"), 2, "bad.exe", 2)
		}
		return nil
	}
	for i, r := range w.runAll(rules...) {
		if want := []int{2, 1, 1}[i]; r.Err != nil || len(r.Open) > 0 || r.Run.Created != want {
			t.Errorf("%s: got %d created, open %v, error %v, want %d", rules[i].Index,
				r.Run.Created, r.Open, r.Err, want)
		}
	}
	if opened != 3 {
		t.Errorf("got %d points in time, want one in vain, one for two rules, one for the other",
			opened)
	}
}
