package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestRunOverAlerts: with --alerts-index a rule over alerts finds the program's own signals in the
// run after them, and status says what it did not judge. A scan of the exported signals has those
// of the run.
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

	var export strings.Builder
	var want string
	for _, hit := range s.Hits(s.signalsIndex()) {
		fmt.Fprintf(&export, "{\"_index\":%q,\"_id\":%q,\"_source\":%s}\n", hit.Index, hit.ID,
			hit.Source)
		if strings.Contains(string(hit.Source), `"kibana.alert.depth":2`) {
			want = hit.ID
		}
	}
	scan := s.run("scan", "--rules", rules, writeFile(t, "signals.ndjson", export.String()))
	scan.want(t, 0).says(t, "2 of 2 documents are alerts: only the rules about alerts (1)",
		"1 alerts not judged: they end a chain")
	if !strings.Contains(scan.stdout, `"kibana.alert.uuid":"`+want+`"`) || want == "" ||
		strings.Count(scan.stdout, "\n") != 1 {
		t.Errorf("got %s of a scan of the signals, want %q as in the run", scan.stdout, want)
	}
}
