package backfill_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"esrule/internal/query/kql"
	"esrule/internal/query/rule"
)

// matching adds a rule that matches all events with the names of an index of indicators.
func (w *world) matching(id rule.ID) {
	w.t.Helper()
	query, err := kql.Parse("*:*")
	if err != nil {
		w.t.Fatal(err)
	}
	d, err := w.compiler.New(&rule.Rule{Head: rule.Head{ID: id, Name: "Rule " + string(id),
		Severity: "high", Type: "threat_match", Language: "kuery",
		Index: []string{w.Index("events-*")}, From: 9 * time.Minute, Interval: 5 * time.Minute},
		Body: &rule.IndicatorQuery{EventQuery: rule.EventQuery{Query: query},
			Threat: rule.EventQuery{Query: query}, ThreatIndex: []string{w.Index("ti")},
			Mapping: [][]rule.Pair{{{Field: "process.name", Value: "name"}}}}}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.detections = append(w.detections, d)
}

// A backfill matches events with indicators in slices side by side; while the indicators of one
// rule cannot be read, the slices are covered for the others. Another backfill of the same time
// finds what matches an indicator that came since.
func TestIndicatorsOfHistory(t *testing.T) {
	w := newWorld(t)
	w.matching("matching")
	w.crowd(300, rand.New(rand.NewPCG(1, 2)))
	w.Create(w.Index("ti"), `{"mappings":{"properties":{"name":{"type":"keyword"}}}}`)
	w.Bulk(w.Index("ti"), `{"name":"bad1"}`, `{"name":"unseen"}`)
	w.Refresh(w.Index("ti"))
	bad1, good := int64(0), 0
	for _, hit := range w.Hits(w.events) {
		switch {
		case strings.Contains(string(hit.Source), `"bad1"`):
			bad1++
		case strings.Contains(string(hit.Source), `"good"`):
			good++
		}
	}
	totals := w.finish(w.plan(40), worker{workers: 3})
	if got := totals.Rules["matching"].Created; int64(got) != bad1 || !totals.Whole() {
		t.Errorf("got %d signals, want %d; %+v", got, bad1, totals)
	}
	bad := totals.Rules["bad"].Created
	w.Bulk(w.Index("ti"), `{"name":"good"}`)
	w.Refresh(w.Index("ti"))
	late := w.finish(w.plan(40), worker{workers: 3, unkept: true}).Rules["matching"]
	if late.Created != good || int64(late.Duplicates) != bad1 || good == 0 {
		t.Errorf("one more indicator: got %+v, want %d created and %d duplicates", late, good, bad1)
	}
	w.Do("POST", w.Index("ti")+"/_close", "")
	w.forget()
	totals = w.finish(w.plan(40), worker{workers: 3})
	byRule := map[string]int{}
	w.Refresh(w.indices.Signals)
	for _, hit := range w.Hits(w.indices.Signals) {
		var of struct {
			Rule string `json:"kibana.alert.rule.uuid"`
		}
		if err := json.Unmarshal(hit.Source, &of); err != nil {
			t.Fatal(err)
		}
		byRule[of.Rule]++
	}
	if got := byRule["bad"]; got != bad || byRule["matching"] > 0 || totals.Whole() ||
		!strings.Contains(fmt.Sprint(totals.Failures), w.Index("ti")) {
		t.Errorf("the index of indicators is closed: got %d signals of the other rule, want %d; %+v",
			got, bad, totals)
	}
}
