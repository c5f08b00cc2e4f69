package e2e

import (
	"slices"
	"testing"
	"time"
)

// TestRunOverAlerts: with --alerts-index a rule over alerts finds the program's own signals in the
// run after them, and status says what it did not judge.
func TestRunOverAlerts(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.put("one-1", "e", match(time.Minute))
	rules := writeFile(t, "export.ndjson", exportOf(
		[3]string{"base", s.name("one-*"), `any where true`},
		[3]string{"over", ".alerts-security.alerts-default", `any where event.kind == "signal"`}))
	s.run("setup").want(t, 0)
	for range 3 {
		s.run("run", "--once", "--rules", rules, "--alerts-index", ".alerts-security.*").want(t, 0)
		s.Refresh(s.signalsIndex())
	}
	by := s.signalRules()
	if slices.Sort(by); !slices.Equal(by, []string{"base", "over"}) {
		t.Errorf("got signals of %q, want one of each rule", by)
	}
	s.run("status", "--rules", rules).want(t, 0).says(t,
		"1 not judged as signals that end a chain")
}
