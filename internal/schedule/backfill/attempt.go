package backfill

import (
	"context"
	"errors"
	"fmt"
	"time"

	"esrule/internal/detect"
	"esrule/internal/elastic/search"
)

// take works on a task if it can be claimed.
func (r *Runner) take(ctx, idle context.Context, t *task, drained func()) error {
	fresh := Slice{Kind: "slice", Version: planVersion, Plan: r.plan.ID, RuleID: t.Rules[0],
		Window: t.Window}
	c, seen, err := r.claims.take(ctx, t.Piece, fresh, t.seen)
	if err != nil {
		r.queue.put(t, func(*task) {})
		return fmt.Errorf("slice %s: %w", t.ID, err)
	}
	if c == nil {
		r.queue.put(t, func(t *task) {
			t.seen, t.notBefore = seen, r.options.Now().Add(min(r.claims.lease/4, 2*time.Second))
			if seen.slice.State == Done {
				t.slice = seen.slice
			}
		})
		return nil
	}
	return r.do(ctx, idle, t, c, drained)
}

// do searches a slice that is ours, and enters what came of it.
func (r *Runner) do(ctx, idle context.Context, t *task, c *claim, drained func()) error {
	working, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r.mu.Lock()
	r.held[c] = cancel
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.held, c)
	}()
	var read int64
	out, err := r.search(working, t, detect.Target{
		Patterns: r.plan.Parts[t.Part].Patterns, Window: t.Window, Timestamps: detect.ByTimestamp(),
		Now:     r.plan.MadeAt,
		Drained: drained,
		EachPage: func(page *search.Page) error {
			read += int64(page.Given())
			r.candidates.Add(int64(page.Given()))
			if err := r.options.Pace.wait(idle, page.Given(), page.Waited); err != nil &&
				ctx.Err() == nil {
				return errStopped
			}
			if idle.Err() != nil && ctx.Err() == nil {
				return errStopped
			}
			return nil
		},
	})
	r.candidates.Add(-read)
	if errors.Is(context.Cause(working), errTakenOver) {
		r.queue.put(t, func(*task) {})
		return nil
	}
	return r.enter(ctx, t, c, out, err)
}

// enter records what became of a slice: done, stopped, to be tried again, or failed.
func (r *Runner) enter(ctx context.Context, t *task, c *claim, out found, err error) error {
	failures, blind := out.failures, out.blind
	stopped := errors.Is(err, errStopped) || ctx.Err() != nil
	_, together := errors.AsType[errTogether](err)
	if err != nil && !stopped {
		failures, blind = append(failures, failed(err)), nil
	}
	if len(blind) == len(t.Rules) {
		blind = nil
	}
	state, tries := Done, t.tries
	switch {
	case stopped, together: // that was no try of any rule
		state = Free
	case len(failures) > 0:
		state, tries = Free, tries+1
		if tries >= r.options.Tries {
			state = Failed
		}
	}
	ending, cancel := outlive(ctx, r.options.WindUp/2)
	defer cancel()
	entered := c.end(ending, func(s *Slice) {
		s.State, s.Tries, s.Failures, s.Blind = state, tries, failures, blind
		s.Counts, s.Rules = out.counts, out.each
	})
	if errors.Is(entered, errTakenOver) {
		r.queue.put(t, func(*task) {})
		return nil
	}
	pause := r.options.RetryPause << max(tries-1, 0)
	if together {
		pause = 0
	}
	r.queue.put(t, func(t *task) {
		if entered != nil {
			return
		}
		t.slice.State, t.tries = state, tries
		t.slice.Failures, t.slice.Blind = failures, blind
		t.halved = t.halved || together
		if state == Done {
			t.slice.Worker = r.claims.worker
			t.slice.Counts, t.slice.Rules = out.counts, out.each
		}
		if state == Free {
			t.notBefore = r.options.Now().Add(pause)
		}
	})
	if entered != nil {
		return fmt.Errorf("enter what became of slice %s: %w", t.ID, entered)
	}
	switch {
	case stopped:
	case together:
		r.options.Log.Warn("a slice could not be searched for its rules together; it is searched "+
			"for fewer of them at once", r.of(t, "reason", err)...)
	default:
		r.tell(t, state, failures, pause)
	}
	return nil
}

// failed is an error of the search of a slice, as a failure.
func failed(err error) detect.Failure {
	return detect.Failure{Index: "the slice", Reason: err.Error()}
}

// tell logs what a slice lacks, each reason once with all its indices.
func (r *Runner) tell(t *task, state State, failures []detect.Failure, pause time.Duration) {
	for _, alike := range detect.ByReason(failures) {
		what := r.of(t, "indices", alike.Indices, "reason", alike.Reason)
		if state == Failed {
			r.options.Log.Error("a slice is not covered; the same command tries it again", what...)
			continue
		}
		r.options.Log.Warn("a slice was not searched whole; it is tried again",
			append(what, "after", pause)...)
	}
}

// of returns what the log says of a slice.
func (r *Runner) of(t *task, more ...any) []any {
	what := []any{"rule", t.Rules[0], "slice", t.Window}
	if len(t.Rules) > 1 {
		what = []any{"rules", len(t.Rules), "patterns", r.plan.Parts[t.Part].Patterns, "slice",
			t.Window}
	}
	return append(what, more...)
}
