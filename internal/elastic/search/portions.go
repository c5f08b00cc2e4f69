package search

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"esrule/internal/elastic"
	"esrule/internal/elastic/indexpattern"
)

// patternRoom is how long the patterns of one request may be, in bytes: Elasticsearch takes 4 KiB
// for the first line of a request, and names of fields and parameters need the rest.
const patternRoom = 1500

// inPortions calls ask for the patterns, or for portions of them where one request cannot hold all:
// their names are too long for it, or their shards more than the server searches at once
// (action.search.shard_count.limit), or than a gateway takes in a request. A pattern that is too
// much for itself is taken apart into the names that it stands for. The patterns of a portion are
// of one cluster. No pattern stands for no index: to the server it would stand for all.
func (c *Cluster) inPortions(ctx context.Context, patterns []string,
	ask func(portion []string) error) error {
	if len(patterns) == 0 {
		return nil
	}
	lists, err := c.byCluster(ctx, patterns)
	if err != nil {
		return err
	}
	for _, list := range lists {
		if err := c.inPortionsOf(ctx, list, ask); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) inPortionsOf(ctx context.Context, patterns []string,
	ask func(portion []string) error) error {
	for _, portion := range portionsOfPatterns(patterns) {
		err := ask(portion)
		if !tooMuch(err) {
			if err != nil {
				return err
			}
			continue
		}
		names, failed := c.expand(ctx, portion)
		if failed != nil {
			return errors.Join(err, failed)
		}
		if len(names) < 2 {
			return err
		}
		if !slices.Equal(names, portion) {
			c.options.Logger.Debug("a pattern is too much for one request and searched by the "+
				"names that it stands for",
				"patterns", portion, "names", len(names), "reason", err)
		}
		half := len(names) / 2
		for _, part := range [][]string{names[:half], names[half:]} {
			if err := c.inPortionsOf(ctx, part, ask); err != nil {
				return err
			}
		}
	}
	return nil
}

// portionsOfPatterns cuts patterns into portions that fit into a request, each with the exclusions
// that concern it. There is one where there are none.
func portionsOfPatterns(patterns []string) [][]string {
	if len(joined(patterns)) <= patternRoom {
		return [][]string{patterns}
	}
	var portions [][]string
	var portion []string
	for _, p := range indexpattern.Adding(patterns) {
		longer := partOf(patterns, append(slices.Clone(portion), p))
		if len(portion) > 0 && len(joined(longer)) > patternRoom {
			portions, portion = append(portions, partOf(patterns, portion)), nil
		}
		portion = append(portion, p)
	}
	return append(portions, partOf(patterns, portion))
}

// partOf returns some patterns of a list with the exclusions that concern them.
func partOf(patterns, some []string) []string {
	return indexpattern.Keep(patterns, func(p string) bool { return slices.Contains(some, p) })
}

// tooMuch reports whether a request was refused for the number or the length of what it names.
func tooMuch(err error) bool {
	var refused *elastic.Error
	if !errors.As(err, &refused) {
		return false
	}
	switch {
	// URI too long, says a gateway
	case refused.Type == "too_long_http_line_exception", refused.Status == 414:
		return true
	case refused.Status == 413: // a point in time names each of its shards in every request
		return true
	}
	return strings.Contains(refused.Reason, "action.search.shard_count.limit")
}

// expand returns the names that patterns stand for, without those that are excluded. An alias stays
// one name, since it may have a filter.
func (c *Cluster) expand(ctx context.Context, patterns []string) ([]string, error) {
	var names []string
	for _, p := range patterns {
		if indexpattern.Excludes(p) {
			names = indexpattern.Without(names, strings.Replace(p, "-", "", 1))
			continue
		}
		if !strings.Contains(p, "*") {
			names = append(names, p)
			continue
		}
		found, err := c.resolve(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("ask what %s stands for: %w", p, err)
		}
		for _, one := range found.Indices {
			names = append(names, one.Name)
		}
		for _, one := range found.DataStreams {
			names = append(names, one.Name)
		}
		for _, one := range found.Aliases {
			names = append(names, one.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// keepAlive is how long the server is asked to keep a point in time.
func (c *Cluster) keepAlive() time.Duration {
	if lowered := c.lowered.Load(); lowered > 0 {
		return time.Duration(lowered)
	}
	return c.options.KeepAlive
}

// lowerKeepAlive takes over the server's limit, search.max_keep_alive, from a refusal, and reports
// whether there is one.
func (c *Cluster) lowerKeepAlive(err error) bool {
	var refused *elastic.Error
	if !errors.As(err, &refused) || !strings.Contains(refused.Reason, "search.max_keep_alive") {
		return false
	}
	found := regexp.MustCompile(`must be less than \(([^)]+)\)`).FindStringSubmatch(refused.Reason)
	if found == nil {
		return false
	}
	limit, err := time.ParseDuration(found[1])
	if err != nil || limit <= 0 || limit >= c.keepAlive() {
		return false
	}
	c.lowered.Store(int64(limit))
	c.options.Logger.Warn("the cluster keeps a point in time for less than is asked of it "+
		"(search.max_keep_alive): "+
		"a search that takes longer between two pages begins anew", "keep_alive", limit)
	return true
}
