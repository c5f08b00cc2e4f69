package backfill_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"esrule/internal/elastic/search"
	"esrule/internal/sink"
)

// opened tells when so many points in time were opened.
type opened struct {
	*search.Cluster
	left   atomic.Int32
	enough chan struct{}
}

func (o *opened) OpenPointInTime(ctx context.Context,
	patterns []string) (*search.PointInTime, error) {
	if o.left.Add(-1) == 0 {
		close(o.enough)
	}
	return o.Cluster.OpenPointInTime(ctx, patterns)
}

// One worker opens the next slice while the signals of the one before are being written.
func TestNextSliceMeanwhile(t *testing.T) {
	w := newWorld(t)
	want := w.crowd(60, newRand(t))
	w.apart()
	p := w.kept(w.plan(1e9)) // one slice a part, each with signals
	two := &opened{Cluster: search.NewCluster(w.Client, search.Options{}),
		enough: make(chan struct{})}
	two.left.Store(2)
	waiting := newStuck(sink.NewWriter(w.Client, sink.Options{SignalsIndex: w.indices.Signals,
		DeadLetterIndex: w.indices.DeadLetter}))
	go func() {
		select {
		case <-two.enough:
		case <-time.After(20 * time.Second):
			t.Error("no other slice was opened while the signals of one waited")
		}
		close(waiting.resume)
	}()
	totals := w.finish(p, worker{name: "one", workers: 1, tries: 1, coverer: two, signals: waiting})
	if got := len(w.ids()); got != want || !totals.Whole() {
		t.Errorf("got %d signals, want %d; totals %+v", got, want, totals)
	}
}

// busiest counts how many searches were under way at once, and how many points in time were open.
type busiest struct {
	mu               sync.Mutex
	searches, points int
	most, mostPoints int
}

func (b *busiest) add(searches, points int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.searches += searches
	b.points += points
	b.most, b.mostPoints = max(b.most, b.searches), max(b.mostPoints, b.points)
}

func (b *busiest) RoundTrip(r *http.Request) (*http.Response, error) {
	switch {
	case r.URL.Path == "/_search":
		b.add(1, 0)
		defer b.add(-1, 0)
	case strings.HasSuffix(r.URL.Path, "/_pit") && r.Method == http.MethodPost:
		b.add(0, 1)
	case r.URL.Path == "/_pit":
		defer b.add(0, -1)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// So many workers ask the cluster for no more than so many pages at once, and hold no more than so
// many points in time.
func TestNoMoreThanWorkers(t *testing.T) {
	w := newWorld(t)
	w.crowd(400, newRand(t))
	f := func(workers int) {
		t.Helper()
		w.forget()
		b := &busiest{}
		w.finish(w.kept(w.plan(20)), worker{name: "counted", client: w.Through(b),
			workers: workers})
		if b.most > workers || b.mostPoints > workers || b.points != 0 {
			t.Errorf("%d workers: got %d searches at once, and %d points in time, %d of them "+
				"left open; want at most %d of each, and none",
				workers, b.most, b.mostPoints, b.points, workers)
		}
	}
	f(1)
	f(2)
	f(4)
}

// unkeeping refuses so many claims, as a cluster does whose state index is out of reach.
type unkeeping struct{ left atomic.Int32 }

func (u *unkeeping) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/_doc/slice-") &&
		u.left.Add(-1) >= 0 {
		return nil, errors.New("the state index is out of reach")
	}
	return http.DefaultTransport.RoundTrip(r)
}

// Where no account can be kept for a while the work waits and goes on; where that lasts it ends and
// says why.
func TestAccountOutOfReach(t *testing.T) {
	w := newWorld(t)
	want := w.crowd(60, newRand(t))
	f := func(refused, workers int, wantError string) {
		t.Helper()
		w.forget()
		u := &unkeeping{}
		u.left.Store(int32(refused))
		r, err := w.runner(w.kept(w.plan(10)), worker{name: "unkept", client: w.Through(u),
			workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		err = r.Run(t.Context(), nil)
		if wantError == "" && (err != nil || !r.Totals().Whole() || len(w.ids()) != want) {
			t.Errorf("%d claims refused, %d workers: got %v, %+v and %d signals, want all %d",
				refused, workers, err, r.Totals(), len(w.ids()), want)
		}
		if wantError != "" && (err == nil || !strings.Contains(err.Error(), wantError)) {
			t.Errorf("%d claims refused, %d workers: got the error %v, want one with %q", refused,
				workers, err, wantError)
		}
		if tries := refused - int(u.left.Load()); wantError != "" && tries <= 10 {
			t.Errorf("%d claims refused, %d workers: ended behind %d tries, want more than 10",
				refused, workers, tries)
		}
	}
	f(0, 1, "")
	f(8, 1, "")
	f(8, 3, "")
	f(1000, 1, "out of reach")
	f(1000, 3, "out of reach")
}
