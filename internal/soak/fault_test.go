package soak

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// bring brings a fault about, holds it and undoes it. A fault counts only where it really was: a
// kill finds something that runs, a flood gets a queue to refuse.
func (r *round) bring(ctx context.Context, f fault) error {
	switch f.kind {
	case killed:
		return r.kill(ctx, f)
	case oneMore:
		args := [][]string{{"run", "--once"}, {"run"}}[f.amount%2]
		return r.oneMore(ctx, f, args)
	case backfilling:
		return r.oneMore(ctx, f, r.backfill())
	case sweepDue:
		return r.hold(ctx, f, nothing, r.hourPasses(ctx))
	case clockAhead, clockBehind:
		return r.shiftClock(ctx, f)
	case connectionReset, slowAnswers, slowRequests, narrow, slowClose, cutAnswer, cutRequest,
		blackHole, lostAnswers:
		undo, err := r.net.poison(ctx, f.slot, fmt.Sprint("fault-", f.number), f.toxic())
		return r.hold(ctx, f, undo, err)
	case connectionRefused:
		undo, err := r.net.refuse(f.slot)
		return r.hold(ctx, f, undo, err)
	case nodeLost:
		return r.loseNode(ctx, f)
	case nodeHangs:
		return r.hang(ctx, f)
	case oversized:
		return r.writeLarge(ctx, f)
	case replacedIndex:
		return r.replace(ctx, f)
	case aliasBlocked, streamBlocked:
		return r.blockMember(ctx, f)
	case rotated:
		return r.rotate(ctx, f)
	case hollow:
		return r.withhold(ctx, f)
	case signalsRefuse:
		return r.refuseSignals(ctx, f)
	case queueFull:
		return r.flood(ctx, f)
	case breakerOpen:
		return r.openBreaker(ctx, f)
	case expired:
		return r.expire(ctx, f)
	case readOnly, readBlocked, metaBlocked:
		index := r.index([]string{"ev-first", "ev-second", "ev-both"}[f.amount%3])
		block := map[kind]string{readOnly: "read_only", readBlocked: "read",
			metaBlocked: "metadata"}[f.kind]
		return r.block(ctx, f, index, block)
	case signalsStuck:
		return r.block(ctx, f, r.index("signals"), "write")
	case stateStuck:
		return r.block(ctx, f, r.index("state"), "write")
	case closed, longClosed:
		return r.toggle(ctx, f, r.index("ev-closing")+"/_close?timeout=10s", r.index("ev-closing")+
			"/_open?timeout=10s")
	case indicatorsHidden:
		return r.hideIndicators(ctx, f)
	case deleted:
		return r.delete(ctx)
	case rolledOver:
		_, err := r.admin.insist(ctx, http.MethodPost, r.index("write")+"/_rollover", nil)
		return r.hold(ctx, f, nothing, err)
	case conflict:
		return r.conflict(ctx, f)
	case refreshApart:
		return r.refreshApart(ctx, f)
	}
	return fmt.Errorf("nobody knows how to bring it about")
}

// kill ends an instance, sometimes the one that is there for a while only, as soon as it runs.
func (r *round) kill(ctx context.Context, f fault) error {
	for range 40 {
		if f.amount%3 == 0 && r.instances[slots-1].kill() || r.instances[f.slot].kill() {
			r.count(killed)
			return nil
		}
		pause(ctx, 20*ms)
	}
	return nil
}

// backfill is the command line of the round's backfill: always the same one, so that it goes on
// where it was stopped.
func (r *round) backfill() []string {
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	return []string{
		"backfill", "--from", at(r.started.Add(-r.plan.size.lookBack)), "--to", at(r.started),
		"--workers", "2", "--slice-size", "100", "--lease", "2s",
	}
}

func nothing() error { return nil }

// hold counts a fault that has been brought about, lets it last and undoes it.
func (r *round) hold(ctx context.Context, f fault, undo func() error, err error) error {
	if err != nil {
		return err
	}
	r.count(f.kind)
	pause(ctx, f.hold)
	if err := undo(); err != nil {
		return fmt.Errorf("undo it: %w", err)
	}
	return nil
}

// oneMore runs an instance beside the others, where there is none already.
func (r *round) oneMore(ctx context.Context, f fault, args []string) error {
	select {
	case r.extra <- struct{}{}:
	default:
		return nil
	}
	defer func() { <-r.extra }()
	r.count(f.kind)
	r.instances[slots-1].once(ctx, f.hold, args...)
	return nil
}

func (r *round) shiftClock(ctx context.Context, f fault) error {
	wrong := []time.Duration{time.Second, 30 * time.Second, 5 * time.Minute, 2 * time.Hour,
		30 * time.Hour}[f.amount%5]
	if f.kind == clockBehind {
		wrong = -wrong
	}
	of := r.instances[f.slot]
	return r.hold(ctx, f, func() error { return of.shift(0) }, of.shift(wrong))
}

// flood fills the nodes' write queues, as the cluster's other users do.
func (r *round) flood(ctx context.Context, f fault) error {
	ctx, cancel := context.WithTimeout(ctx, f.hold)
	defer cancel()
	body := strings.Repeat("{\"index\":{}}\n{\"a\":1}\n", 300)
	var full atomic.Bool
	var writers sync.WaitGroup
	for range 6 {
		writers.Go(func() {
			for ctx.Err() == nil {
				answer, err := r.admin.do(ctx, http.MethodPost, r.index("flood")+"/_bulk", body)
				busy := (*refused)(nil)
				if errors.As(err, &busy) && busy.status == http.StatusTooManyRequests ||
					bytes.Contains(answer, []byte(`"status":429`)) {
					full.Store(true)
				}
			}
		})
	}
	writers.Wait()
	if full.Load() {
		r.count(queueFull)
	}
	return nil
}

// openBreaker leaves no memory for requests, or for anything.
func (r *round) openBreaker(ctx context.Context, f fault) error {
	setting, limit := "indices.breaker.request.limit", "1kb"
	if f.amount%2 == 0 {
		setting, limit = "indices.breaker.total.limit", "5%"
	}
	set := func(to any) error {
		_, err := r.admin.insist(ctx, http.MethodPut, "_cluster/settings",
			map[string]any{"persistent": map[string]any{setting: to}})
		return err
	}
	return r.hold(ctx, f, func() error { return set(nil) }, set(limit))
}

// expire ends points in time under the hands of whoever reads from them.
func (r *round) expire(ctx context.Context, f fault) error {
	for end := time.Now().Add(f.hold); time.Now().Before(end); pause(ctx, 10*ms) {
		for _, id := range r.net.watcher.open() {
			answer, err := r.admin.do(ctx, http.MethodDelete, "_pit", map[string]string{"id": id})
			var freed struct {
				Number int `json:"num_freed"`
			}
			if err == nil && json.Unmarshal(answer, &freed) == nil && freed.Number > 0 {
				r.count(expired)
				return nil
			}
		}
	}
	return nil
}

func (r *round) block(ctx context.Context, f fault, index, block string) error {
	set := func(to any) error {
		_, err := r.admin.do(ctx, http.MethodPut, index+"/_settings",
			map[string]any{"index.blocks." + block: to})
		missing := (*refused)(nil)
		if errors.As(err, &missing) && missing.status == http.StatusNotFound {
			return nil // the program's own index, before its first run
		}
		if err != nil {
			_, err = r.admin.insist(ctx, http.MethodPut, index+"/_settings",
				map[string]any{"index.blocks." + block: to})
		}
		return err
	}
	return r.hold(ctx, f, func() error { return set(nil) }, set(true))
}

func (r *round) toggle(ctx context.Context, f fault, on, off string) error {
	_, err := r.admin.insist(ctx, http.MethodPost, on, nil)
	return r.hold(ctx, f, func() error {
		_, err := r.admin.insist(ctx, http.MethodPost, off, nil)
		return err
	}, err)
}

// delete removes an index for good. Its events are not expected any more, and not unexpected
// either.
func (r *round) delete(ctx context.Context) error {
	r.mu.Lock()
	index := r.goners[0]
	r.goners = r.goners[1:]
	r.mu.Unlock()
	_, err := r.admin.insist(ctx, http.MethodDelete, index, nil)
	if err == nil {
		r.count(deleted)
	}
	return err
}

// conflict makes an index under the pattern that maps a field of the rules as no other does.
func (r *round) conflict(ctx context.Context, f fault) error {
	of := conflicting()[f.amount%uint64(len(conflicting()))]
	index := r.index(fmt.Sprint("ev-odd-", f.number))
	odd := strings.Replace(mapping, `"extension": {"type": "keyword"}`, `"extension": `+of.field, 1)
	if _, err := r.admin.insist(ctx, http.MethodPut, index,
		`{"settings": {"number_of_replicas": 1}, "mappings": {`+odd+`}}`); err != nil {
		return err
	}
	src := newSource(r.plan, uint64(1000+f.number), 10_000_000+f.number*1000)
	err := r.write(ctx, index, many(50, func() doc {
		return src.event(span(src.random, 60*time.Second), src.process(), of.value, time.Time{})
	}))
	return r.hold(ctx, f, nothing, err)
}

// refreshApart keeps what is written to an index from being seen for a while.
func (r *round) refreshApart(ctx context.Context, f fault) error {
	index := r.targets()[f.amount%4]
	rare := []any{"-1", "30s"}[f.amount/8%2]
	set := func(to any) error {
		_, err := r.admin.insist(ctx, http.MethodPut, index+"/_settings",
			map[string]any{"index.refresh_interval": to})
		return err
	}
	return r.hold(ctx, f, func() error {
		_, err := r.admin.insist(ctx, http.MethodPost, index+"/_refresh", nil)
		return errors.Join(err, set("1s"))
	}, set(rare))
}
