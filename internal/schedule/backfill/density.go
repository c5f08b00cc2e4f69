package backfill

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"esrule/internal/elastic/dsl"
	"esrule/internal/span"
)

const (
	// coarse is into how many stretches a range is divided at first, fine into how many one that
	// holds too much.
	coarse, fine = 1000, 100
	// refinements bounds how many stretches of one part are looked at more closely; the slices of
	// the others come out larger.
	refinements = 200
)

// A slice is to hold this part of all candidates, within bounds: small enough to be shared, shown
// and repeated, large enough that opening a point in time and reading the mappings for each costs
// nothing to speak of.
const (
	slicesWanted      = 12
	smallestSliceSize = 20_000
	largestSliceSize  = 200_000
)

// stretch is a piece of time with the number of candidates in it.
type stretch struct {
	span.Interval
	documents int64
}

// density measures how the candidates of rules lie in time.
type density struct {
	cluster  Reader
	patterns []string
	// queries are those of the searches of a time, and what accepts every event of it.
	queries func(span.Interval) (queries []dsl.Clause, every dsl.Clause)
	asked   int
}

// measure gives the stretches that hold any candidates, in order, none of them much larger than a
// slice, where time can tell them apart; and the size of a slice, which it chooses where it is
// given 0.
func (d *density) measure(ctx context.Context, within span.Interval,
	size int64) ([]stretch, int64, error) {
	stretches, err := d.count(ctx, within, within.Length()/coarse)
	if err != nil {
		return nil, 0, err
	}
	if size <= 0 {
		var total int64
		for _, s := range stretches {
			total += s.documents
		}
		size = min(max(total/slicesWanted, smallestSliceSize), largestSliceSize)
	}
	stretches, err = d.refine(ctx, stretches, size)
	return stretches, size, err
}

// refine divides the stretches that hold more than a slice is to.
func (d *density) refine(ctx context.Context, stretches []stretch, size int64) ([]stretch, error) {
	var refined []stretch
	for _, s := range stretches {
		if s.documents <= size || s.Length() <= time.Millisecond || d.asked >= refinements {
			refined = append(refined, s)
			continue
		}
		d.asked++
		finer, err := d.count(ctx, s.Interval, s.Length()/fine)
		if err != nil {
			return nil, err
		}
		if finer, err = d.refine(ctx, finer, size); err != nil {
			return nil, err
		}
		refined = append(refined, finer...)
	}
	return refined, nil
}

func (d *density) count(ctx context.Context, within span.Interval,
	width time.Duration) ([]stretch, error) {
	width = max(width.Truncate(time.Millisecond), time.Millisecond)
	queries, every := d.queries(within)
	counted := map[time.Time]int64{} // by the beginning; what two searches return is read twice
	for _, query := range queries {
		if err := d.add(ctx, within, query, width, counted); err != nil {
			return nil, err
		}
	}
	if len(queries) > 1 { // all events are read where that is cheaper
		events := map[time.Time]int64{}
		if err := d.add(ctx, within, every, width, events); err != nil {
			return nil, err
		}
		for from, n := range counted {
			counted[from] = min(n, events[from])
		}
	}
	var stretches []stretch
	for _, from := range slices.SortedFunc(maps.Keys(counted), time.Time.Compare) {
		one := span.New(from, from.Add(width))
		if one.From.Before(within.From) {
			one.From = within.From
		}
		if one.To.After(within.To) {
			one.To = within.To
		}
		if !one.Empty() {
			stretches = append(stretches, stretch{one, counted[from]})
		}
	}
	return stretches, nil
}

// add counts what a query accepts.
func (d *density) add(ctx context.Context, within span.Interval, query dsl.Clause,
	width time.Duration, counted map[time.Time]int64) error {
	h, err := d.cluster.Histogram(ctx, d.patterns, query, "@timestamp", width)
	if err != nil {
		return fmt.Errorf("count the candidates of %s: %w", within, err)
	}
	for _, b := range h.Buckets {
		counted[b.From.UTC()] += b.Documents
	}
	return nil
}

// cut puts cuts between stretches, so that each slice holds about as many candidates as are wanted.
// Every moment of the range is in one slice, whether anything was counted there or not.
func cut(within span.Interval, stretches []stretch, size int64) (cuts, weights []int64) {
	cuts = []int64{within.From.UnixMilli()}
	var held int64
	for _, s := range stretches {
		if held > 0 && held+s.documents > size+size/2 {
			cuts, weights = append(cuts, s.From.UnixMilli()), append(weights, held)
			held = 0
		}
		held += s.documents
		if held >= size && s.To.Before(within.To) {
			cuts, weights = append(cuts, s.To.UnixMilli()), append(weights, held)
			held = 0
		}
	}
	return append(cuts, within.To.UnixMilli()), append(weights, held)
}
