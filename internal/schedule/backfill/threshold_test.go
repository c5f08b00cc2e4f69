package backfill_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"esrule/internal/query/kql"
	"esrule/internal/query/rule"
)

// thresholds gives the world rules that count, in the place of its own.
func (w *world) thresholds() {
	w.t.Helper()
	w.detections = nil
	for i, value := range []int{1, 3, 8} {
		query, err := kql.Parse("process.name: (bad* or worse)")
		if err != nil {
			w.t.Fatal(err)
		}
		d, err := w.compiler.New(&rule.Rule{Head: rule.Head{
			ID: rule.ID(fmt.Sprint("threshold-", i)), Name: fmt.Sprint("Threshold ", i),
			Severity: "high", Type: "threshold", Language: "kuery",
			Index: []string{w.Index("events-*")}, From: time.Duration(5+15*i) * time.Minute,
			Interval: 5 * time.Minute,
		}, Body: &rule.ThresholdQuery{EventQuery: rule.EventQuery{Query: query},
			Fields: []string{"process.name"}, Value: value}}, nil)
		if err != nil {
			w.t.Fatal(err)
		}
		w.detections = append(w.detections, d)
	}
}

// However the time is cut and shared, by whatever processes, some of them killed, a backfill finds
// the same bursts: of events without a pause, where each burst decides the next.
func TestAnyCuttingOfThresholds(t *testing.T) {
	w := newWorld(t)
	w.thresholds()
	r := newRand(t)
	var docs []any
	for range 300 {
		at := w.start.Add(time.Duration(r.Int64N(int64(5 * time.Hour))))
		docs = append(docs, fmt.Sprintf(`{"@timestamp":%q,"process":{"name":%q}}`,
			at.Format(time.RFC3339Nano), []string{"bad1", "bad2", "worse", "good"}[r.IntN(4)]))
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

// wantAnyCutting runs backfills that are cut and shared at random, some of their processes killed.
// Each must leave the signals of these ids.
func (w *world) wantAnyCutting(r *rand.Rand, want []string) {
	t := w.t
	t.Helper()
	for round := range 2 {
		w.forget()
		p := w.kept(w.plan(10 + r.Int64N(60)))
		for n := range r.IntN(3) {
			dead, err := w.runner(p, worker{name: fmt.Sprint("killed ", n), workers: 2, tries: 1,
				client: w.Through(&dying{left: 20 + r.IntN(60), arrives: r.IntN(2) == 0})})
			if err == nil {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				_ = dead.Run(ctx, nil) // what it says nobody hears
				cancel()
			}
		}
		var processes sync.WaitGroup
		for n := range 2 {
			processes.Go(func() {
				w.finish(p, worker{name: fmt.Sprint("process ", n), workers: 3})
			})
		}
		processes.Wait()
		totals, err := w.store().Totals(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		got := w.ids()
		if !slices.Equal(got, want) || !totals.Whole() {
			t.Errorf("round %d, %d slices: got %d signals, want the same %d; totals %+v", round,
				len(p.Pieces()), len(got), len(want), totals)
		}
	}
}
