package backfill_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"esrule/internal/detect"
	"esrule/internal/elastic/search"
	"esrule/internal/schedule/backfill"
	"esrule/internal/sink"
	"esrule/internal/sink/signal"
)

// stuck never comes back from writing signals, as a process that was suspended; entered is closed
// when it begins to.
type stuck struct {
	detect.Signals
	once            *sync.Once
	entered, resume chan struct{}
}

func newStuck(next detect.Signals) stuck {
	return stuck{next, &sync.Once{}, make(chan struct{}), make(chan struct{})}
}

func (s stuck) Write(ctx context.Context, signals []signal.Signal) ([]sink.Verdict, error) {
	s.once.Do(func() { close(s.entered) })
	<-s.resume
	return s.Signals.Write(ctx, signals)
}

// A slice whose worker shows no sign of life for a lease is taken over, and not before; the first
// one, come back to life, does no harm.
func TestTakenOver(t *testing.T) {
	w := newWorld(t)
	want := w.crowd(60, newRand(t))
	p := w.kept(w.plan(1e9))
	const lease = 2 * time.Second
	writer := sink.NewWriter(w.Client, sink.Options{SignalsIndex: w.indices.Signals,
		DeadLetterIndex: w.indices.DeadLetter})
	asleep := newStuck(writer)
	ctx, kill := context.WithCancel(t.Context())
	// too long a lease to give signs of life
	first, err := w.runner(p, worker{name: "first", workers: 2, lease: time.Hour, signals: asleep})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- first.Run(ctx, nil) }()
	<-asleep.entered
	began := time.Now()
	totals := w.finish(p, worker{name: "second", workers: 2, lease: lease})
	if waited := time.Since(began); waited < lease {
		t.Errorf("the slices were taken over after %s, within the lease of %s", waited, lease)
	}
	if got := len(w.ids()); got != want || !totals.Whole() {
		t.Errorf("got %d signals, want %d; totals %+v", got, want, totals)
	}
	close(asleep.resume)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	kill()
	if got := len(w.ids()); got != want {
		t.Errorf("with the first worker come back: got %d signals, want %d", got, want)
	}
}

// A worker that is alive keeps its slice, however long it takes: the second waits for it.
func TestAliveKeepsItsSlice(t *testing.T) {
	w := newWorld(t)
	want := w.crowd(60, newRand(t))
	p := w.kept(w.plan(1e9))
	const lease = 400 * time.Millisecond
	writer := sink.NewWriter(w.Client, sink.Options{SignalsIndex: w.indices.Signals,
		DeadLetterIndex: w.indices.DeadLetter})
	slow := newStuck(writer)
	first, err := w.runner(p, worker{name: "first", workers: 2, lease: lease, signals: slow})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- first.Run(t.Context(), nil) }()
	<-slow.entered
	time.AfterFunc(4*lease, func() { close(slow.resume) })
	totals := w.finish(p, worker{name: "second", workers: 1, lease: lease})
	if c := totals.Counts; c.Created != want || c.Duplicates != 0 {
		t.Errorf("got %d created and %d duplicates, want %d and none: a slice was covered twice",
			c.Created, c.Duplicates, want)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// failing is a cluster whose index cannot be searched for a number of times.
type failing struct {
	*search.Cluster
	left int
}

func (f *failing) Mappings(ctx context.Context, patterns, fields []string) ([]search.Class, error) {
	if f.left--; f.left >= 0 {
		return nil, errors.New("the index is out of order")
	}
	return f.Cluster.Mappings(ctx, patterns, fields)
}

// hung is a cluster that answers no more once it is asked for mappings.
type hung struct {
	*search.Cluster
	asked chan struct{}
}

func (h *hung) Mappings(ctx context.Context, _, _ []string) ([]search.Class, error) {
	close(h.asked)
	<-ctx.Done()
	return nil, ctx.Err()
}

// An end that is asked for comes, whatever the cluster does: a slice in flight that does not end is
// given up, and is free for the next command.
func TestStopEndsWhatHangs(t *testing.T) {
	w := newWorld(t)
	want := w.crowd(60, newRand(t))
	p := w.kept(w.plan(1e9))
	cluster := &hung{search.NewCluster(w.Client, search.Options{}), make(chan struct{})}
	r, err := w.runner(p, worker{name: "first", workers: 1, coverer: cluster,
		windUp: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Run(t.Context(), cluster.asked); err != nil {
		t.Errorf("stopped while the cluster hangs: got %v, want no error", err)
	}
	if totals := r.Totals(); totals.Done != 0 || totals.Failed != 0 {
		t.Errorf("stopped while the cluster hangs: got %+v, want no slice done or failed", totals)
	}
	if totals := w.finish(p, worker{name: "second"}); !totals.Whole() || len(w.ids()) != want {
		t.Errorf("the next command leaves %+v and %d signals, want %d", totals, len(w.ids()), want)
	}
}

// A slice that fails is tried again, then recorded with its reason; the others go on, and the next
// command tries it once more.
func TestFailedSlice(t *testing.T) {
	w := newWorld(t)
	want := w.crowd(60, newRand(t))
	w.apart()
	f := func(failures int, wantFailed int) {
		t.Helper()
		w.forget()
		p := w.kept(w.plan(1e9)) // one slice a part
		totals := w.finish(p,
			worker{name: "first", workers: 1,
				coverer: &failing{search.NewCluster(w.Client, search.Options{}), failures}})
		if totals.Failed != wantFailed || totals.Done != 2-wantFailed {
			t.Errorf("%d failures: got %d slices failed and %d done, want %d and %d", failures,
				totals.Failed, totals.Done, wantFailed, 2-wantFailed)
		}
		if wantFailed > 0 {
			if len(totals.Failures) != wantFailed ||
				!strings.Contains(totals.Failures[0].Reason, "out of order") ||
				totals.Failures[0].Time.Length() != w.span {
				t.Errorf("%d failures: got the reasons %+v, want one a part, for the whole range",
					failures, totals.Failures)
			}
			if kept, err := w.store().Totals(t.Context(), p); err != nil ||
				kept.Failed != wantFailed || len(kept.Failures) != wantFailed {
				t.Errorf("%d failures: the account says %+v, %v", failures, kept, err)
			}
		}
		if totals = w.finish(p, worker{name: "second"}); !totals.Whole() || len(w.ids()) != want {
			t.Errorf("%d failures: the second command leaves %+v and %d signals, want %d", failures,
				totals, len(w.ids()), want)
		}
	}
	f(0, 0)
	f(2, 0)
	f(5, 1)
	f(6, 2)
}

// A dry run keeps no account and leaves none.
func TestUnkept(t *testing.T) {
	w := newWorld(t)
	want := w.crowd(60, newRand(t))
	var said strings.Builder
	totals := w.finish(w.plan(10), worker{name: "dry", workers: 3, unkept: true,
		signals: sink.NewLines(&said, nil)})
	if n := strings.Count(said.String(), "\n"); n != want || totals.Counts.Created != want ||
		!totals.Whole() {
		t.Errorf("got %d lines and %+v, want %d signals", n, totals, want)
	}
	w.Refresh(w.indices.State)
	if got := len(w.ids()) + len(w.Hits(w.indices.State)); got != 0 {
		t.Errorf("a dry run left %d documents", got)
	}
}

// A plan is found again by what was asked for, not by what it meant at the time; --restart makes it
// anew.
func TestPlanIsFoundAgain(t *testing.T) {
	w := newWorld(t)
	w.crowd(20, newRand(t))
	id := func(from, to string, index ...string) string {
		return backfill.PlanID(backfill.Request{From: from, To: to, Index: index}, w.detections)
	}
	f := func(what, a, b string, same bool) {
		t.Helper()
		if (a == b) != same {
			t.Errorf("%s: got the plans %s and %s, want same: %t", what, a, b, same)
		}
	}
	f("the same words", id("now-30d", "now"), id("now-30d", "now"), true)
	f("another range", id("now-30d", "now"), id("now-31d", "now"), false)
	f("patterns in another order", id("now-30d", "now", "a", "b"), id("now-30d", "now", "b", "a"),
		true)
	f("other patterns", id("now-30d", "now", "a"), id("now-30d", "now"), false)
	before := id("now-30d", "now")
	w.rule("third", `process where process.name : "new"`)
	f("another rule", before, id("now-30d", "now"), false)

	first := w.kept(w.plan(10))
	again := w.plan(10)
	again.Request.Range.To = again.Request.Range.To.Add(time.Hour)
	if kept := w.kept(again); kept.Request.Range != first.Request.Range || kept.Generation != 0 {
		t.Errorf("kept again: got the range %s, want the first one's %s", kept.Request.Range,
			first.Request.Range)
	}
	w.finish(first, worker{name: "first"})
	anew, err := w.store().Replace(t.Context(), again)
	if err != nil || anew.Generation != 1 {
		t.Fatalf("made anew: got generation %d, %v, want 1", anew.Generation, err)
	}
	if totals, err := w.store().Totals(t.Context(), anew); err != nil || totals.Done != 0 {
		t.Errorf("made anew: got %d slices done, %v, want none", totals.Done, err)
	}
}
