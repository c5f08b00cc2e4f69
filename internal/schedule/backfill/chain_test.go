package backfill_test

import (
	"testing"
	"time"

	"esrule/internal/detect"
	"esrule/internal/query/kql"
	"esrule/internal/query/rule"
	"esrule/internal/schedule/backfill"
	"esrule/internal/span"
)

// A backfill of a rule over alerts searches the signals that were made in its range: not those of
// events in it, which another backfill makes now.
func TestBackfillOverAlerts(t *testing.T) {
	w := newWorld(t)
	query, err := kql.Parse("kibana.alert.rule.rule_id: (bad or worse)")
	if err != nil {
		t.Fatal(err)
	}
	alerts := detect.Alerts{Index: w.indices.Signals, Patterns: []string{".alerts-security.*"}}
	r := &rule.Rule{Head: rule.Head{ID: "over", Name: "Over", Severity: "high", Type: "query",
		Language: "kuery", Index: []string{".alerts-security.alerts-*"}, From: 9 * time.Minute,
		Interval: 5 * time.Minute}, Body: &rule.EventQuery{Query: query}}
	w.compiler.Alerts = alerts
	over, err := w.compiler.New(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.detections = append(w.detections, over)
	signals := w.crowd(60, newRand(t))
	began := time.Now().Add(-time.Second)
	w.finish(w.kept(w.plan(20)), worker{name: "history", workers: 2})
	if got := len(w.ids()); got != signals || signals == 0 {
		t.Fatalf("the range of the events: got %d signals, want %d and none of them of a signal",
			got, signals)
	}
	w.detections = []*detect.Detection{over}
	request := backfill.Request{From: "now", To: "now",
		Range: span.New(began, time.Now().Add(time.Second))}
	for range 2 {
		p, err := w.survey(20).Plan(t.Context(), request, w.detections)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Sources[0]; len(got.Indices) != 1 || got.Documents == 0 {
			t.Errorf("the plan's source: got %+v, want the signals index", got)
		}
		w.finish(p, worker{name: "signals", workers: 2, unkept: true})
		if got := len(w.ids()); got != 2*signals {
			t.Errorf("the time of their signals: got %d signals, want %d", got, 2*signals)
		}
	}
}
