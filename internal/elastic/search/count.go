package search

import (
	"context"

	"esrule/internal/elastic"
	"esrule/internal/elastic/dsl"
)

// Count is how many documents a query finds.
type Count struct {
	Documents int64
	Failures  []Failure // the indices that were not counted whole
}

// summary is the body of a search that asks for no hits.
type summary struct {
	PIT            *pitBody   `json:"pit,omitempty"`
	Size           int        `json:"size"` // 0
	TrackTotal     bool       `json:"track_total_hits"`
	TerminateAfter int        `json:"terminate_after,omitempty"`
	Timeout        string     `json:"timeout,omitempty"`
	Query          dsl.Clause `json:"query,omitzero"`
	Profile        bool       `json:"profile,omitempty"`
	Aggregations   any        `json:"aggs,omitempty"`
}

// Count counts the documents that a query finds in the open indices of the patterns. Where they do
// not fit into one request, an index that several of them stand for may be counted more than once.
func (c *Cluster) Count(ctx context.Context, patterns []string, query dsl.Clause) (Count, error) {
	body := summary{TrackTotal: true, Timeout: milliseconds(c.options.Timeout), Query: query}
	var sum Count
	err := c.inPortions(ctx, patterns, func(portion []string) error {
		var whole countAnswer
		failures, err := c.summarize(ctx, portion, body, &whole, &whole.portions)
		if err != nil {
			return err
		}
		sum.Failures = append(sum.Failures, failures...)
		if whole.Hits != nil {
			sum.Documents += *whole.Hits.Total.Value
		}
		return nil
	})
	return sum, err
}

// CountBy counts the documents that a query finds by the values of a keyword, of which they have no
// more than most. Indices that do not answer are not counted.
func (c *Cluster) CountBy(ctx context.Context, patterns []string, query dsl.Clause, field string,
	most int) (map[string]int64, error) {
	body := summary{
		Timeout: milliseconds(c.options.Timeout), Query: query,
		Aggregations: map[string]any{"by": map[string]any{
			"terms": map[string]any{"field": field, "size": most},
		}},
	}
	documents := map[string]int64{}
	err := c.inPortions(ctx, patterns, func(portion []string) error {
		var whole termsAnswer
		if _, err := c.summarize(ctx, portion, body, &whole, &whole.portions); err != nil {
			return err
		}
		if whole.Aggregations == nil { // there was no shard to ask
			return nil
		}
		for _, b := range whole.Aggregations.By.Buckets {
			documents[b.Key] += b.Documents
		}
		return nil
	})
	return documents, err
}

type termsAnswer struct {
	portions
	Aggregations *struct {
		By struct {
			Buckets []struct {
				Key       string `json:"key"`
				Documents int64  `json:"doc_count"`
			} `json:"buckets"`
		} `json:"by"`
	} `json:"aggregations"`
}

func (t *termsAnswer) Check() error {
	err := t.portions.Check()
	if err == nil && t.Aggregations == nil && *t.Shards.Successful > 0 {
		err = elastic.Lacks("aggregations")
	}
	return err
}

// summarize sends a search that asks for no hits, and returns the indices that were not searched
// whole. The answer is left as it is where there is none, since no shard could be searched.
func (c *Cluster) summarize(ctx context.Context, patterns []string, body summary,
	into elastic.Checked, head *portions) ([]Failure, error) {
	p := &PointInTime{cluster: c, patterns: patterns}
	blocked, err := c.askIndices(ctx, patterns, func(patterns []string) call {
		return searchOf(patterns, body)
	}, into)
	p.note(ctx, blocked)
	if shards := failedShards(err); len(shards) > 0 {
		p.noteFailedShards(ctx, shards)
		return p.Failures(), nil
	}
	if err != nil && isRemote(patterns) && ctx.Err() == nil && !tooMuch(err) {
		p.note(ctx, unanswered(patterns, err))
		return p.Failures(), nil
	}
	if err != nil {
		return nil, err
	}
	if head.Shards != nil { // else every index is blocked, and nothing was asked
		a := head.answer()
		p.noteFailedShards(ctx, a.unread(c.options.Timeout))
		if a.total == 0 {
			there, err := p.unsaid(ctx)
			if err != nil {
				return nil, err
			}
			p.doubt(ctx, there)
		}
	}
	return p.Failures(), nil
}

// countAnswer is an answer to a search that asks for the number of its hits.
type countAnswer struct{ searchAnswer }

func (c *countAnswer) Check() error {
	if err := c.searchAnswer.Check(); err != nil {
		return err
	}
	total := c.Hits.Total
	if err := total.Check(); err != nil {
		return err
	}
	if total.Relation != "eq" || *total.Value < 0 {
		return elastic.Contradicts("hits.total is %q %d, and an exact number was asked for",
			total.Relation, *total.Value)
	}
	return nil
}
