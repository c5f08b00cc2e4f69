package detect

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/query/rule"
	"esrule/internal/sink/signal"
	"esrule/internal/span"
)

// Bursts knows what rules that count events have found before: their own signals, and those that
// this process wrote and that cannot be found yet. It is safe for concurrent use.
type Bursts struct {
	index string // of signals

	mu    sync.Mutex
	fresh map[signal.ID]signal.FoundThreshold // written, and not seen in the index yet
}

// NewBursts returns what is known by the signals in an index, or, where that is empty, by what this
// process writes alone.
func NewBursts(index string) *Bursts {
	return &Bursts{index: index, fresh: map[signal.ID]signal.FoundThreshold{}}
}

// remember keeps what was written until the index shows it.
func (b *Bursts) remember(found []signal.FoundThreshold) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, one := range found {
		b.fresh[one.ID] = one
	}
}

// settle waits until what was written last can be found, so that whoever searches the next window,
// this process or another, knows of it. It does not wait for long: an index may show what is
// written as late as its settings say.
func (b *Bursts) settle(ctx context.Context, c Cluster, written []string) error {
	if b == nil || b.index == "" || len(written) == 0 {
		return nil
	}
	written = written[max(0, len(written)-flushAt):]
	const pause, longest = 50 * time.Millisecond, 3 * time.Second
	for range longest / pause {
		count, err := c.Count(ctx, []string{b.index}, dsl.Terms("kibana.alert.uuid", written))
		if err != nil || count.Documents >= int64(len(written)) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
	return nil
}

// read returns the bursts of the rules of a group that may hold events of a window. An index that
// cannot be read whole is an error: an event could count for two bursts.
func (b *Bursts) read(ctx context.Context, c Cluster, g *Group,
	window span.Interval) (list []signal.FoundThreshold, _ error) {
	if b == nil {
		return nil, nil
	}
	before, _ := g.around()
	from := window.From.Add(-before)
	fields := map[rule.ID][]string{}
	var ids []string
	for i, d := range g.detections {
		fields[d.Rule.ID] = g.matchers.Compiled[i].Threshold.Fields
		ids = append(ids, string(d.Rule.ID))
	}
	// A burst's last event is not before its first one.
	query := dsl.And(dsl.Terms("kibana.alert.rule.uuid", ids),
		dsl.Between("kibana.alert.original_time", from, time.Time{}))
	if !window.Unbounded() {
		query = dsl.And(query, dsl.Between("kibana.alert.original_time", time.Time{},
			window.To.Add(before)))
	}
	written := map[signal.ID]bool{}
	take := func(hit *search.Hit) {
		if one, ok := signal.ReadThreshold(slices.Clone(hit.Document().Source),
			func(id rule.ID) []string { return fields[id] }); ok {
			written[one.ID] = true
			list = append(list, one)
		}
	}
	if b.index != "" {
		if err := readWhole(ctx, c, b.index, query, take); err != nil {
			return nil, fmt.Errorf("read %s: %w", b.index, err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, one := range b.fresh {
		_, asked := fields[one.Rule]
		switch {
		case written[id]:
			delete(b.fresh, id)
		case asked:
			list = append(list, one)
		}
	}
	return list, nil
}
