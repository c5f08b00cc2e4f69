package search

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// unsaid returns the open indices that the patterns stand for, and that are no failures yet.
func (p *PointInTime) unsaid(ctx context.Context) ([]string, error) {
	all, err := p.cluster.Standings(ctx, p.patterns)
	if err != nil {
		return nil, fmt.Errorf("ask whether there is really no index: %w", err)
	}
	p.standings = all
	return slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(index string) bool {
		return !all[index].searched() || names(p.Failures(), index)
	}), nil
}

// Standings returns what the patterns of the point in time stand for, as it is after the opening.
// Where the opening had to ask that already, it is not asked again.
func (p *PointInTime) Standings(ctx context.Context,
	patterns []string) (map[string]Standing, error) {
	if p.standings != nil && slices.Equal(patterns, p.patterns) {
		return p.standings, nil
	}
	return p.cluster.Standings(ctx, patterns)
}

// doubt enters indices that the server did not search and knows.
func (p *PointInTime) doubt(ctx context.Context, there []string) {
	failures := make([]Failure, len(there))
	for i, index := range there {
		failures[i] = Failure{Index: index, Type: unsearched,
			Reason: fmt.Sprintf("a search of %s was "+
				"answered as if there were no index (_shards.total is 0): check what is between "+
				"esrule and "+
				"Elasticsearch (a gateway, a proxy)", strings.Join(p.patterns, ","))}
	}
	p.note(ctx, failures)
}

// unsearched is the Type of a Failure for an index that is there and that no shard answered for.
const unsearched = "not_searched"
