package backfill

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"esrule/internal/detect"
	"esrule/internal/query/rule"
	"esrule/internal/sink/signal"
	"esrule/internal/span"
)

// Options say how a plan is worked off.
type Options struct {
	// Workers is how many slices are read at once, each with one point in time; 2 where 0. The last
	// signals of one more may be written meanwhile.
	Workers int
	// Tries is how often a slice is tried before it counts as failed; 3 where 0. RetryPause is the
	// pause behind the first, doubled each time; 5 s where 0.
	Tries      int
	RetryPause time.Duration
	// WindUp is how long, once an end is asked for, the pages in flight may take; 8 s where 0.
	WindUp  time.Duration
	Pace    *Pace
	Now     func() time.Time
	Log     *slog.Logger
	Version string // of the program, for the signals
}

// Runner works off one plan.
type Runner struct {
	coverer    *detect.Coverer
	claims     *Claims
	plan       *Plan
	groups     *groups
	options    Options
	queue      *queue
	reading    *semaphore.Weighted // a turn for each slice that is opened and read
	execution  signal.Execution
	unsearched []string // indices that the plan says are not searched: their failures are known

	candidates atomic.Int64 // of slices under way
	setbacks   atomic.Int64 // how often in a row the account could not be kept

	mu   sync.Mutex
	held map[*claim]context.CancelCauseFunc
}

// NewRunner takes a plan up where its slices stand.
func NewRunner(ctx context.Context, c *detect.Coverer, claims *Claims, p *Plan,
	detections []*detect.Detection, o Options) (*Runner, error) {
	if o.Workers <= 0 {
		o.Workers = 2
	}
	if o.Tries <= 0 {
		o.Tries = 3
	}
	if o.RetryPause <= 0 {
		o.RetryPause = 5 * time.Second
	}
	if o.WindUp <= 0 {
		o.WindUp = 8 * time.Second
	}
	if o.Pace == nil {
		o.Pace = NewPace(0)
	}
	r := &Runner{
		coverer: c, claims: claims, plan: p, options: o,
		groups: newGroups(p, detections), held: map[*claim]context.CancelCauseFunc{},
		execution: signal.Execution{ID: claims.worker, Type: signal.Manual, Version: o.Version,
			Intended: p.Request.Range.To, Now: o.Now},
	}
	for _, f := range p.Unsearched() {
		r.unsearched = append(r.unsearched, f.Index)
	}
	pieces := p.Pieces()
	known, err := claims.all(ctx, pieces)
	if err != nil {
		return nil, err
	}
	r.queue = newQueue(pieces, known, r.groups.inOrder)
	r.reading = semaphore.NewWeighted(int64(o.Workers))
	return r, nil
}

// Totals is where the plan stands as this process knows it.
func (r *Runner) Totals() Totals { return r.queue.totals() }

// Covered is the time for which each rule was searched.
func (r *Runner) Covered() map[rule.ID]span.Intervals {
	covered := map[rule.ID]span.Intervals{}
	for id, windows := range r.queue.searched() {
		covered[id] = span.Intervals(nil).Union(windows...)
	}
	return covered
}

// Progress is a Totals of the moment: the slices under way count with what was read of them.
type Progress struct {
	Totals
	Read int64 // candidates of the slices under way
}

// Reached is how far the work has come, of the plan's Weight.
func (p Progress) Reached() int64 { return min(p.DoneWeight+p.Read, p.Weight) }

// Progress may be asked for while Run runs.
func (r *Runner) Progress() Progress {
	return Progress{Totals: r.queue.totals(), Read: r.candidates.Load()}
}

// errStopped: the user asked for an end.
var errStopped = errors.New("stopped")

// Run works until every slice is done or failed, by this process or another. When stop is closed it
// ends after the pages in flight and gives its slices back; what then takes longer than
// Options.WindUp is given up, as if the process were killed. An error is about the account that is
// kept, not about a slice: what was done stays done.
func (r *Runner) Run(ctx context.Context, stop <-chan struct{}) error {
	working, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	// Whoever waits for something is woken by stop; what is in flight has working.
	idle, wake := context.WithCancelCause(working)
	defer wake(nil)
	go func() {
		select {
		case <-stop:
			wake(errStopped)
		case <-idle.Done():
			return
		}
		select {
		case <-time.After(r.options.WindUp):
			giveUp(errStopped)
		case <-working.Done():
		}
	}()
	beating, silence := context.WithCancel(working)
	var heart sync.WaitGroup
	heart.Go(func() { r.beat(beating) })
	workers, workersCtx := errgroup.WithContext(working)
	for range r.options.Workers + 1 { // the cluster need not wait while a slice is wound up
		workers.Go(func() error { return r.work(workersCtx, idle) })
	}
	err := workers.Wait()
	silence()
	heart.Wait()
	if errors.Is(context.Cause(working), errStopped) {
		r.options.Log.Warn("what was in flight did not end in time and was given up; the same "+
			"command goes on with it", "after", r.options.WindUp)
		return nil
	}
	return err
}

// outlive returns a context that ends d after ctx.
func outlive(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(d, cancel) })
	return longer, func() {
		stop()
		cancel()
	}
}

// beat shows a sign of life for every slice in hand, and ends the work on one that was taken over.
func (r *Runner) beat(ctx context.Context) {
	ticker := time.NewTicker(max(r.claims.lease/4, 10*time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for claim, cancel := range r.inHand() {
			err := claim.beat(ctx)
			switch {
			case errors.Is(err, errTakenOver):
				cancel(errTakenOver)
			case err != nil && ctx.Err() == nil:
				r.options.Log.Warn("no sign of life could be given for a slice; another worker "+
					"may take it over, which does no harm", "slice", claim.id, "error", err)
			}
		}
	}
}

func (r *Runner) inHand() map[*claim]context.CancelCauseFunc {
	r.mu.Lock()
	defer r.mu.Unlock()
	held := map[*claim]context.CancelCauseFunc{}
	for c, cancel := range r.held {
		held[c] = cancel
	}
	return held
}

// work takes slices until none is left or somebody wants an end.
func (r *Runner) work(ctx, idle context.Context) error {
	for {
		drained := r.turn(ctx, idle)
		if drained == nil {
			return context.Cause(ctx) // nil where only what is idle is to end
		}
		more, err := r.useTurn(ctx, idle, drained)
		drained()
		if err != nil || !more {
			return err
		}
	}
}

// useTurn works on the next slice, or waits until there may be one. A turn in which no account
// could be kept lasts until it is time to try again, so that no more than the workers try. more is
// false where nothing is left.
func (r *Runner) useTurn(ctx, idle context.Context, drained func()) (more bool, err error) {
	t, changed := r.queue.next(r.options.Now())
	pause := recheck
	switch {
	case t != nil:
		if pause, err = r.try(ctx, idle, t, drained); err != nil {
			return false, err
		}
	case changed == nil:
		return false, nil
	}
	select {
	case <-idle.Done():
	case <-changed:
	case <-time.After(pause):
	}
	return true, nil
}

// turn waits until another slice may be opened and read, and gives what is called once that is
// done. It gives nil where somebody wants an end.
func (r *Runner) turn(ctx, idle context.Context) (drained func()) {
	if r.reading.Acquire(idle, 1) != nil {
		return nil
	}
	drained = sync.OnceFunc(func() { r.reading.Release(1) })
	if ctx.Err() != nil || idle.Err() != nil {
		drained()
		return nil
	}
	return drained
}

// try works on a task, and gives the pause before the next.
func (r *Runner) try(ctx, idle context.Context, t *task,
	drained func()) (pause time.Duration, err error) {
	if err := r.take(ctx, idle, t, drained); err != nil {
		return r.setback(ctx, err)
	}
	r.setbacks.Store(0)
	return 0, nil
}

const (
	// patience is how many times in a row the account may be out of reach before the work ends:
	// some five minutes.
	patience     = 10
	longestPause = time.Minute
)

// setback gives the pause before another try to keep account, or the error that ends the work.
func (r *Runner) setback(ctx context.Context, err error) (time.Duration, error) {
	n := r.setbacks.Add(1)
	if n > patience || ctx.Err() != nil {
		return 0, err
	}
	pause := min(r.options.RetryPause<<(n-1), longestPause)
	r.options.Log.Warn("the state index could not be asked or written; the work waits and goes on",
		"error", err, "after", pause)
	return pause, nil
}
