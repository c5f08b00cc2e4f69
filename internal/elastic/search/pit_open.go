package search

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"esrule/internal/elastic"
	"esrule/internal/elastic/indexpattern"
)

func (c *Cluster) openOne(ctx context.Context, patterns []string) (*PointInTime, error) {
	p := &PointInTime{cluster: c, patterns: slices.Clone(patterns)}
	err := p.start(ctx)
	if errors.Is(err, elastic.ErrForbidden) {
		err = p.permit(ctx)
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// divide replaces the point in time by two over half of its names each, for the way takes no
// request as long as this one's; it reports whether it could.
func (p *PointInTime) divide(ctx context.Context) (bool, error) {
	names, err := p.cluster.expand(ctx, p.patterns)
	if err != nil || len(names) < 2 {
		return false, err
	}
	half := len(names) / 2
	for _, part := range [][]string{names[:half], names[half:]} {
		one, err := p.cluster.OpenPointInTime(ctx, part)
		if err != nil {
			return false, err
		}
		p.parts = append(p.parts, one)
	}
	if err := p.release(ctx, p.take()); err != nil { // it names as many shards
		p.cluster.options.Logger.Debug("a point in time was not closed; it ends by itself", "error",
			err)
	}
	return true, nil
}

// start opens the point in time and takes what the server opened. One without a shard is believed
// only where the patterns stand for no index: else it is opened once more, since an index may have
// been made meanwhile, and after that the indices are failures.
func (p *PointInTime) start(ctx context.Context) error {
	var there []string
	for range 2 {
		p.standings = nil
		opened, err := p.open(ctx)
		if shards := failedShards(err); len(shards) > 0 {
			p.noteFailedShards(ctx, shards) // of every index: there is nothing to read
			return nil
		}
		if err == nil {
			err = p.begin(ctx, opened)
		}
		if err != nil || opened.ID == "" || p.shards > 0 {
			return err
		}
		if there, err = p.unsaid(ctx); err != nil || len(there) == 0 {
			return err
		}
	}
	p.doubt(ctx, there)
	return nil
}

// begin takes what the server opened.
func (p *PointInTime) begin(ctx context.Context, opened opened) error {
	if opened.ID == "" {
		return nil // nothing was asked: every index is left out, and among the failures
	}
	p.id = opened.ID
	if shards := opened.Shards; shards != nil && *shards.Failed == 0 {
		p.shards = *shards.Total
	} else if err := p.probe(ctx); err != nil {
		// The answer counts the shards that are missing, or, without elastic.PartialPointInTime,
		// none at all; a search names them.
		return errors.Join(err, p.Close(ctx))
	}
	if p.shards == 0 {
		if err := p.Close(ctx); err != nil {
			p.cluster.options.Logger.Debug(
				"an empty point in time was not closed; it ends by itself", "error", err)
		}
	}
	return nil
}

// opened is the answer to the opening of a point in time; `_shards` are a part of
// elastic.PartialPointInTime.
type opened struct {
	ID     string          `json:"id"`
	Shards *elastic.Shards `json:"_shards"`
}

func (o *opened) Check() error {
	switch {
	case o.ID == "":
		return elastic.Lacks("id")
	case o.Shards != nil:
		return o.Shards.Check()
	}
	return nil
}

func (p *PointInTime) open(ctx context.Context) (opened, error) {
	c := p.cluster
	params := openIndices()
	params.Set("keep_alive", milliseconds(c.keepAlive()))
	const partial = "allow_partial_search_results"
	if c.options.Dialect.Can(elastic.PartialPointInTime) {
		params.Set(partial, "true")
	}
	request := func(patterns []string) call {
		return call{method: http.MethodPost, path: "/" + joined(patterns) + "/_pit", params: params}
	}
	for {
		var answer opened
		blocked, err := c.askIndices(ctx, p.patterns, request, &answer)
		var refused *elastic.Error
		switch {
		case c.lowerKeepAlive(err):
			params.Set("keep_alive", milliseconds(c.keepAlive()))
		case errors.As(err, &refused) && params.Has(partial) &&
			strings.Contains(refused.Reason, "["+partial+"]"):
			c.options.Dialect.Refused(elastic.PartialPointInTime)
			params.Del(partial)
		default:
			for _, f := range p.note(ctx, blocked) {
				p.left = append(p.left, f.Index)
			}
			return answer, err
		}
	}
}

// permit opens the point in time anew over those of the patterns that the server lets be searched
// by one: a single one that it refuses makes it refuse all. It grants a search over a filtered
// alias without a privilege on the index, and a point in time on it, but no search of that. The
// patterns that are refused are noted as failures under their names.
func (p *PointInTime) permit(ctx context.Context) error {
	if err := p.Close(ctx); err != nil {
		return err
	}
	var permitted []string
	for _, name := range indexpattern.Adding(p.patterns) {
		alone := &PointInTime{cluster: p.cluster, patterns: indexpattern.Alone(p.patterns, name)}
		switch err := alone.try(ctx); {
		case errors.Is(err, elastic.ErrForbidden):
			p.note(ctx, []Failure{{Index: name, Type: Forbidden,
				Reason: "Elasticsearch refuses to search a point in time on it: " +
					err.Error() +
					"; where it is an alias, the privilege is needed on the indices " +
					"that it stands for"}})
		case err != nil:
			return err
		default:
			permitted = append(permitted, name)
		}
	}
	p.patterns = partOf(p.patterns, permitted)
	if len(permitted) == 0 {
		return nil
	}
	return p.start(ctx)
}

// try opens the point in time, searches it, and closes it.
func (p *PointInTime) try(ctx context.Context) error {
	opened, err := p.open(ctx)
	if len(failedShards(err)) > 0 || err == nil && opened.ID == "" {
		return nil // there is nothing that it could refuse
	}
	if err != nil {
		return err
	}
	p.id = opened.ID
	return errors.Join(p.probe(ctx), p.Close(ctx))
}

// probe learns how many shards the point in time has and which it lacks. It searches for everything
// and wants nothing: a shard that cannot match is answered for by Elasticsearch even where it is
// missing.
func (p *PointInTime) probe(ctx context.Context) error {
	options := &p.cluster.options
	q := call{
		method: http.MethodPost,
		path:   "/_search",
		params: url.Values{"allow_partial_search_results": {"true"}},
		body: summary{
			PIT:     &pitBody{ID: p.current(), KeepAlive: milliseconds(p.cluster.keepAlive())},
			Timeout: milliseconds(options.Timeout),
		},
	}
	var whole searchAnswer
	err := p.cluster.ask(ctx, q, &whole)
	shards := failedShards(err)
	if err == nil {
		a := whole.answer()
		shards = a.unread(options.Timeout)
		p.shards = a.total
	}
	if err != nil && len(shards) == 0 {
		return fmt.Errorf("ask which shards there are: %w", err)
	}
	p.noteFailedShards(ctx, shards)
	return nil
}
