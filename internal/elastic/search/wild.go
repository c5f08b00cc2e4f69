package search

import (
	"context"
	"maps"
	"slices"
	"strings"
)

// expanded puts, for the patterns among paths ("threat.*"), the fields of the indices that fit.
func (c *Cluster) expanded(ctx context.Context, patterns, paths []string) ([]string, error) {
	isPattern := func(path string) bool { return strings.Contains(path, "*") }
	all := map[string]bool{}
	var wild []string
	for _, path := range paths {
		if isPattern(path) {
			wild = append(wild, path)
		} else {
			all[path] = true
		}
	}
	if len(wild) == 0 {
		return paths, nil
	}
	caps, err := c.capabilities(ctx, patterns, wild)
	if err != nil {
		return nil, err
	}
	for path, types := range caps.types {
		if slices.ContainsFunc(types, func(t capability) bool {
			return !t.Metadata && t.Type != "object" && t.Type != "nested"
		}) {
			all[path] = true
		}
	}
	return slices.Sorted(maps.Keys(all)), nil
}
