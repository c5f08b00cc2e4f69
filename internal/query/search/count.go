package search

import (
	"context"
	"net/http"
)

// Count is how many documents a query finds.
type Count struct {
	Documents int64
	Failures  []Failure // the indices that were not counted whole
}

// Count counts the documents that a query finds in the open indices of the patterns.
func (c *Cluster) Count(ctx context.Context, patterns []string, query any) (Count, error) {
	q := call{method: http.MethodPost, path: "/" + joined(patterns) + "/_search", params: openIndices()}
	q.params.Set("allow_partial_search_results", "true")
	body := map[string]any{"size": 0, "track_total_hits": true, "timeout": milliseconds(c.options.Timeout)}
	if query != nil {
		body["query"] = query
	}
	q.body = body
	var whole countAnswer
	p := &PointInTime{cluster: c, patterns: patterns}
	err := c.ask(ctx, q, &whole)
	if shards := failedShards(err); len(shards) > 0 {
		p.noteFailedShards(ctx, shards)
		return Count{Failures: p.Failures()}, nil
	}
	if err != nil {
		return Count{}, err
	}
	a := whole.answer()
	p.noteFailedShards(ctx, a.unread(c.options.Timeout))
	return Count{Documents: whole.Hits.Total.Value, Failures: p.Failures()}, nil
}

// countAnswer is an answer to a search that asks for the number of its hits.
type countAnswer struct{ searchAnswer }

func (c *countAnswer) Missing() string {
	if missing := c.searchAnswer.Missing(); missing != "" {
		return missing
	}
	if c.Hits.Total == nil {
		return "hits.total"
	}
	return ""
}
