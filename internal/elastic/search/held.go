package search

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"

	"esrule/internal/elastic"
	"esrule/internal/elastic/indexpattern"
)

// Lacks returns those of the indices that can be searched, by what was asked of their settings
// after the point in time was opened, that it does not hold and does not name among its failures:
// they were closed or hidden when it was opened, and are not any more. What may not be read is not
// among them.
func (p *PointInTime) Lacks(ctx context.Context, all map[string]Standing) ([]string, error) {
	shards, failures := 0, p.Failures()
	left := p.leftOut()
	for name, s := range all {
		if s.searched() && !slices.Contains(left, name) {
			shards += s.Shards
		}
	}
	// The answer that opens a point in time counts its shards and names no index.
	if shards <= p.total() && !p.isRemote() ||
		slices.ContainsFunc(failures, func(f Failure) bool { return f.Type == Forbidden }) {
		return nil, nil
	}
	held := map[string]bool{}
	if err := p.held(ctx, held); err != nil {
		return nil, fmt.Errorf("ask which indices the point in time holds: %w", err)
	}
	lacking := slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(name string) bool {
		return !all[name].searched() || held[name] || fails(p.Failures(), name)
	})
	return lacking, nil
}

// fails reports whether an index, or a pattern of its remote cluster, is among failures.
func fails(failures []Failure, index string) bool {
	return slices.ContainsFunc(failures, func(f Failure) bool {
		return f.Index == index || indexpattern.IsRemote(index) &&
			indexpattern.Match([]string{f.Index}, index)
	})
}

// isRemote reports whether a part of the point in time is of a remote cluster: how many shards an
// index has is not told there.
func (p *PointInTime) isRemote() bool {
	return isRemote(p.patterns) && len(p.parts) == 0 ||
		slices.ContainsFunc(p.parts, (*PointInTime).isRemote)
}

// total is the number of shards of this cluster.
func (p *PointInTime) total() int {
	sum := 0
	if !isRemote(p.patterns) {
		sum = p.shards
	}
	for _, part := range p.parts {
		sum += part.total()
	}
	return sum
}

func (p *PointInTime) leftOut() []string {
	all := slices.Clone(p.left)
	for _, part := range p.parts {
		all = append(all, part.leftOut()...)
	}
	return all
}

// held adds the indices whose shards answer a search of the point in time. Only a profile names
// them all.
func (p *PointInTime) held(ctx context.Context, into map[string]bool) error {
	for _, part := range p.parts {
		if err := part.held(ctx, into); err != nil {
			return err
		}
	}
	id := p.current()
	if id == "" {
		return nil
	}
	options := &p.cluster.options
	q := call{
		method: http.MethodPost,
		path:   "/_search",
		params: url.Values{
			"allow_partial_search_results": {"true"},
			"filter_path":                  {"pit_id,profile.shards.id,error,status"},
		},
		body: summary{
			PIT:            &pitBody{ID: id, KeepAlive: milliseconds(p.cluster.keepAlive())},
			TerminateAfter: 1, Profile: true, Timeout: milliseconds(options.Timeout),
		},
	}
	var answer profileAnswer
	err := p.cluster.ask(ctx, q, &answer)
	if err != nil && isRemote(p.patterns) && ctx.Err() == nil {
		p.giveUp(ctx, err)
		return nil
	}
	if err != nil {
		return err
	}
	p.renew(answer.ID)
	for _, shard := range answer.Profile.Shards {
		if m := profiledShard.FindStringSubmatch(shard.ID); m != nil {
			into[m[1]] = true
		}
	}
	return nil
}

// profileAnswer names each shard that answered a search.
type profileAnswer struct {
	ID      string `json:"pit_id"`
	Profile struct {
		Shards []struct {
			ID string `json:"id"`
		} `json:"shards"`
	} `json:"profile"`
}

func (a *profileAnswer) Check() error {
	if a.Profile.Shards == nil {
		return elastic.Lacks("profile.shards")
	}
	return nil
}

// profiledShard reads the index of "[node][index][0]".
var profiledShard = regexp.MustCompile(`\]\[([^\[\]]+)\]\[\d+\]$`)
