package search

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"esrule/internal/elastic"
)

// ExcludedNames returns the exclusions of a list that take nothing out of it, without their "-":
// those that name an alias or a data stream. Elasticsearch takes indices out by their own names, or
// by any name that a pattern with * matches, and passes over others without a word.
func (c *Cluster) ExcludedNames(ctx context.Context, patterns []string) ([]string, error) {
	var without []string
	for _, p := range patterns {
		name, excluded := strings.CutPrefix(p, "-")
		if !excluded || strings.ContainsAny(name, "*:") {
			continue
		}
		members, err := c.indicesBehind(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("ask what the exclusion %s stands for: %w", p, err)
		}
		if len(members) == 0 {
			continue
		}
		all, err := c.Standings(ctx, patterns)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(members, func(index string) bool {
			_, there := all[index]
			return there
		}) {
			without = append(without, name)
		}
	}
	return without, nil
}

// indicesBehind returns the indices of an alias or a data stream; none where there is none such.
func (c *Cluster) indicesBehind(ctx context.Context, name string) ([]string, error) {
	members, _, err := c.membersOf(ctx, name)
	if errors.Is(err, elastic.ErrNotFound) {
		return nil, nil
	}
	return members, err
}
