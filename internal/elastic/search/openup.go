package search

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"esrule/internal/elastic"
)

// openUp replaces the names of aliases and data streams that hold one of the sick indices by
// patterns that the sick ones can be left out of, which Elasticsearch takes of wildcards and
// indices only: a data stream, or an alias without a filter, by its indices; an alias with a
// filter, which holds for its own name alone, by that name with a wildcard. Where that would stand
// for other names too, all indices of the alias are returned as hidden: they are not searched.
func (c *Cluster) openUp(ctx context.Context, patterns []string,
	sick []Failure) (opened []string, hidden []Failure, err error) {
	for _, name := range patterns {
		if strings.Contains(name, "*") || strings.HasPrefix(name, "-") {
			opened = append(opened, name)
			continue
		}
		members, isAlias, err := c.membersOf(ctx, name)
		if err != nil {
			return nil, nil, fmt.Errorf("ask what %s stands for: %w", name, err)
		}
		if !slices.ContainsFunc(members, func(index string) bool { return names(sick, index) }) {
			opened = append(opened, name)
			continue
		}
		healthy := slices.DeleteFunc(slices.Clone(members), func(index string) bool {
			return names(sick, index)
		})
		filtered, alone := false, false
		if isAlias && len(healthy) > 0 {
			if filtered, alone, err = c.filterOf(ctx, name, healthy); err != nil {
				return nil, nil, fmt.Errorf("ask for the filter of alias %s: %w", name, err)
			}
		}
		switch {
		case !filtered:
			opened = append(opened, members...)
		case alone:
			opened = append(opened, name+"*")
		default:
			hidden = append(hidden, hide(name, healthy)...)
		}
	}
	return opened, hidden, nil
}

// hide returns the failures of the healthy indices that a filtered alias cannot be asked for alone.
func hide(alias string, healthy []string) []Failure {
	var hidden []Failure
	for _, index := range healthy {
		hidden = append(hidden, Failure{Index: index, Type: blocked, Reason: fmt.Sprintf(
			"another index of the filtered alias %s cannot be read, and the alias cannot be "+
				"searched without it", alias)})
	}
	return hidden
}

// membersOf returns the indices that an alias or a data stream stands for; none for an index.
func (c *Cluster) membersOf(ctx context.Context,
	name string) (members []string, isAlias bool, err error) {
	found, err := c.resolve(ctx, name)
	if err != nil {
		return nil, false, err
	}
	for _, alias := range found.Aliases {
		if alias.Name == name {
			return alias.Indices, true, nil
		}
	}
	for _, stream := range found.DataStreams {
		if stream.Name == name {
			return stream.Backing, false, nil
		}
	}
	return nil, false, nil
}

// filterOf reports whether an alias has a filter on some of its indices, and whether no other name
// begins with its own.
func (c *Cluster) filterOf(ctx context.Context, alias string,
	indices []string) (filtered, alone bool, err error) {
	q := call{method: http.MethodGet, path: "/" + joined(indices) + "/_alias/" +
		url.PathEscape(alias), params: url.Values{}}
	q.params.Set("filter_path", "*.aliases.*.filter")
	answer := nameSet{}
	if err := c.ask(ctx, q, &answer); err != nil || len(answer) == 0 {
		return false, false, err
	}
	found, err := c.resolve(ctx, alias+"*")
	return true, len(found.Indices)+len(found.Aliases)+len(found.DataStreams) == 1, err
}

// resolve returns what a name or a pattern stands for.
func (c *Cluster) resolve(ctx context.Context, pattern string) (elastic.Resolved, error) {
	var answer elastic.Resolved
	err := c.ask(ctx, call{method: http.MethodGet, path: "/_resolve/index/" +
		url.PathEscape(pattern)}, &answer)
	return answer, err
}
