package backfill_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"esrule/internal/schedule/backfill"
)

func newRand(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// Any cutting into slices, any number of workers and processes, any points at which processes are
// killed: the signals are those of one pass.
func TestAnyCutting(t *testing.T) {
	w := newWorld(t)
	r := newRand(t)
	wantCount := w.crowd(400, r)
	w.detections[1].Patterns = []string{w.Index("events-o*")} // one part with the other
	w.finish(w.kept(w.plan(1e9)), worker{name: "one pass", workers: 1})
	want := w.ids()
	if len(want) != wantCount {
		t.Fatalf("one pass: got %d signals, want %d", len(want), wantCount)
	}
	for round := range 6 {
		w.forget()
		p := w.kept(w.plan(1 + r.Int64N(200)))
		killed := 0
		for range r.IntN(5) {
			requests, arrives := 1+r.IntN(60), r.IntN(2) == 0
			dead, err := w.runner(p, worker{name: fmt.Sprintf("killed %d", killed),
				client: w.Through(&dying{left: requests, arrives: arrives}), workers: 1 + r.IntN(3),
				tries: 1})
			if err == nil {
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				_ = dead.Run(ctx, nil) // what it says nobody hears
				cancel()
			}
			killed++
		}
		var processes sync.WaitGroup
		for n := range 1 + r.IntN(3) {
			workers := 1 + r.IntN(4)
			processes.Go(func() {
				w.finish(p, worker{name: fmt.Sprint("process ", n), workers: workers})
			})
		}
		processes.Wait()
		totals, err := w.store().Totals(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.ids(); !slices.Equal(got, want) || !totals.Whole() {
			t.Errorf("round %d, %d slices, %d killed: got %d signals, want the same %d; totals %+v",
				round, len(p.Pieces()), killed, len(got), len(want), totals)
		}
	}
}

// Slices follow the density of the candidates: the busy minute that holds half of all is many
// slices.
func TestDensity(t *testing.T) {
	w := newWorld(t)
	w.crowd(600, newRand(t))
	w.apart()
	p := w.plan(20)
	for _, part := range p.Parts {
		busy, least, covered := 0, part.Cuts[0], part.Cuts[0] == w.start.UnixMilli() &&
			part.Cuts[len(part.Cuts)-1] == w.start.Add(w.span).UnixMilli()
		for n, weight := range part.Weights {
			covered = covered && part.Cuts[n] >= least
			least = part.Cuts[n]
			if weight > 40 {
				t.Errorf("%s: slice %d of %d holds %d candidates, want about 20", part.Title(),
					n, len(part.Weights), weight)
			}
			if hour := time.UnixMilli(part.Cuts[n]).UTC().Sub(w.start); hour > 20*time.Hour &&
				hour < 20*time.Hour+time.Minute {
				busy++
			}
		}
		if !covered || busy < 4 {
			t.Errorf("%s: got %d slices within the busy minute, want several; cuts %v",
				part.Title(), busy, part.Cuts)
		}
	}
}

// Two processes share one plan: each does some, and what comes out is as from one.
func TestShared(t *testing.T) {
	w := newWorld(t)
	want := w.crowd(400, newRand(t))
	p := w.kept(w.plan(10))
	var processes sync.WaitGroup
	var both [2]backfill.Totals
	for n := range both {
		processes.Go(func() {
			both[n] = w.finish(p, worker{name: fmt.Sprint("process ", n), workers: 1})
		})
	}
	processes.Wait()
	if got := len(w.ids()); got != want {
		t.Errorf("got %d signals, want %d", got, want)
	}
	if both[0].Counts.Text() != both[1].Counts.Text() || both[0].Done != len(p.Pieces()) ||
		both[0].Counts.Created != want || both[0].Counts.Duplicates != 0 {
		t.Errorf("the two do not see the same: %+v and %+v, want %d slices and %d signals created",
			both[0], both[1], len(p.Pieces()), want)
	}
	did := map[string]int{}
	w.Refresh(w.indices.State)
	for _, hit := range w.Hits(w.indices.State) {
		var s struct{ Kind, Worker string }
		if err := json.Unmarshal(hit.Source, &s); err != nil {
			t.Fatal(err)
		}
		if s.Kind == "slice" {
			did[s.Worker]++
		}
	}
	if did["process 0"] == 0 || did["process 1"] == 0 {
		t.Errorf("the work was not shared: slices by process: %v", did)
	}
}
