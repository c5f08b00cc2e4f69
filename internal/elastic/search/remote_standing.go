package search

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"esrule/internal/elastic"
	"esrule/internal/elastic/indexpattern"
)

// remoteStandings is Standings for the patterns of one remote cluster, whose settings cannot be
// read. When an index was made is not known. Where the cluster does not say which of its indices
// are closed, the pattern itself stands for a closed one: some may be missing in every search.
func (c *Cluster) remoteStandings(ctx context.Context,
	patterns []string) (map[string]Standing, error) {
	all := map[string]Standing{}
	alias := indexpattern.Cluster(patterns[0])
	for _, p := range patterns {
		if indexpattern.Excludes(p) {
			_, excluded, _ := strings.Cut(p, ":-")
			for _, name := range slices.Collect(maps.Keys(all)) {
				if len(indexpattern.Without([]string{name}, alias+":"+excluded)) == 0 {
					delete(all, name)
				}
			}
			continue
		}
		found, err := c.remoteStandingsOf(ctx, p)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			all[p] = Standing{Unanswered: true,
				Shut: fmt.Sprintf("the remote cluster %s does not say which "+
					"of its indices are closed (%v): check the connection (GET _remote/info)",
					alias,
					err)}
			continue
		}
		maps.Copy(all, found)
	}
	return all, nil
}

// remoteStandingsOf asks about one pattern. One name that is not there makes a remote cluster
// answer for no other, so each is asked for alone.
func (c *Cluster) remoteStandingsOf(ctx context.Context,
	pattern string) (map[string]Standing, error) {
	found, err := c.resolveAll(ctx, pattern)
	if err != nil {
		return nil, err
	}
	if resolvesNothing(found) {
		return map[string]Standing{}, c.confirmEmpty(ctx, pattern)
	}
	all := resolvedStandings(found)
	for _, member := range membersOf(found, indexpattern.Cluster(pattern)) {
		if _, known := all[member]; known {
			continue
		}
		one, err := c.resolveAll(ctx, member)
		if err != nil {
			return nil, err
		}
		if resolvesNothing(one) {
			if err := c.confirmEmpty(ctx, member); err != nil {
				return nil, err
			}
		}
		maps.Copy(all, resolvedStandings(one))
	}
	return all, nil
}

func (c *Cluster) resolveAll(ctx context.Context, name string) (elastic.Resolved, error) {
	q := call{method: http.MethodGet, path: "/_resolve/index/" + url.PathEscape(name),
		params: url.Values{}}
	q.params.Set("expand_wildcards", "open,closed")
	var answer elastic.Resolved
	err := c.ask(ctx, q, &answer)
	return answer, err
}

// confirmEmpty returns an error where a remote cluster does not say that a pattern stands for
// nothing. The resolve API answers as if nothing were there when the cluster is gone; field
// capabilities do not.
func (c *Cluster) confirmEmpty(ctx context.Context, pattern string) error {
	q := call{
		method: http.MethodGet, path: "/" + joined([]string{pattern}) + "/_field_caps",
		params: url.Values{},
	}
	q.params.Set("fields", "_source")
	q.params.Set("expand_wildcards", "open,closed")
	q.params.Set("filter_path", "indices")
	var answer capabilitiesAnswer
	err := c.ask(ctx, q, &answer)
	switch {
	case errors.Is(err, elastic.ErrIndexNotFound):
		return nil
	case err == nil && len(answer.Indices) > 0:
		return errors.New("two of its answers do not fit together")
	}
	return err
}

func resolvesNothing(r elastic.Resolved) bool {
	return len(r.Indices)+len(r.Aliases)+len(r.DataStreams) == 0
}

func resolvedStandings(r elastic.Resolved) map[string]Standing {
	all := map[string]Standing{}
	for _, index := range r.Indices {
		var s Standing
		switch {
		case slices.Contains(index.Attributes, "closed"):
			s.Shut = shutClosed
		case slices.Contains(index.Attributes, "frozen"):
			s.Shut = shutFrozen
		}
		all[index.Name] = s
	}
	return all
}

// members returns the indices of a remote cluster's aliases and data streams, sorted.
func membersOf(r elastic.Resolved, cluster string) []string {
	var names []string
	for _, one := range r.Aliases {
		names = append(names, one.Indices...)
	}
	for _, one := range r.DataStreams {
		names = append(names, one.Backing...)
	}
	for i, name := range names {
		if !indexpattern.IsRemote(name) {
			names[i] = cluster + ":" + name
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
