package search

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// unsaid returns the open indices that the patterns stand for, and that are no failures yet.
func (p *PointInTime) unsaid(ctx context.Context) ([]string, error) {
	there, err := p.cluster.Indices(ctx, p.patterns)
	if err != nil {
		return nil, fmt.Errorf("ask whether there is really no index: %w", err)
	}
	return slices.DeleteFunc(there, func(index string) bool { return names(p.Failures(), index) }),
		nil
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
