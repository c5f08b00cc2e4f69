package backfill_test

import (
	"fmt"
	"testing"
	"time"

	"esrule/internal/query/kql"
	"esrule/internal/query/rule"
)

// However the time is cut and shared, a backfill finds the same values new: each event has a
// history of its own, which may lie before the slice and before the backfill's range.
func TestAnyCuttingOfNewTerms(t *testing.T) {
	w := newWorld(t)
	w.detections = nil
	for i, history := range []time.Duration{10 * time.Minute, 40 * time.Minute, 9 * time.Hour} {
		query, err := kql.Parse("process.name: bad*")
		if err != nil {
			t.Fatal(err)
		}
		d, err := w.compiler.New(&rule.Rule{Head: rule.Head{
			ID: rule.ID(fmt.Sprint("new-terms-", i)), Name: fmt.Sprint("New terms ", i),
			Severity: "high", Type: "new_terms", Language: "kuery",
			Index: []string{w.Index("events-*")}, From: 9 * time.Minute,
			Interval: 5 * time.Minute,
		}, Body: &rule.NewTermsQuery{EventQuery: rule.EventQuery{Query: query},
			Fields: []string{"process.name"}, History: history}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		w.detections = append(w.detections, d)
	}
	r := newRand(t)
	var docs []any
	for range 300 {
		at := w.start.Add(time.Duration(r.Int64N(int64(6*time.Hour))) - time.Hour)
		docs = append(docs, fmt.Sprintf(`{"@timestamp":%q,"process":{"name":"bad%d"}}`,
			at.Format(time.RFC3339Nano), r.IntN(40)))
	}
	w.Bulk(w.events, docs...)
	w.Refresh(w.events)
	w.finish(w.kept(w.plan(1e9)), worker{name: "one pass", workers: 1})
	want := w.ids()
	if len(want) < 75 {
		t.Fatalf("one pass: %d signals are too few to tell anything", len(want))
	}
	w.wantAnyCutting(r, want)
}
