package search

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"esrule/internal/elastic"
	"esrule/internal/elastic/dsl"
	"esrule/internal/event"
)

// Found is how many documents a clause finds, and one of them.
type Found struct {
	Documents int64
	// Index is empty where there is no document.
	Index    string
	ID       string
	Document event.Document
}

// Each returns of each clause what it finds among the documents that the request does. Where a
// gateway does not let so much through at once, it asks for halves of them. What was not searched
// whole is among the point in time's Failures. The request's Instead counts for nothing.
func (p *PointInTime) Each(ctx context.Context, r Request, clauses []dsl.Clause) ([]Found, error) {
	found := make([]Found, len(clauses))
	for _, part := range p.parts {
		its, err := part.Each(ctx, r, clauses)
		if err != nil {
			return nil, err
		}
		for i, one := range its {
			one.Documents += found[i].Documents
			if one.Index == "" {
				one.Index, one.ID, one.Document = found[i].Index, found[i].ID, found[i].Document
			}
			found[i] = one
		}
	}
	if p.current() == "" {
		return found, nil
	}
	var answer eachAnswer
	err := p.cluster.ask(ctx, p.each(r, clauses), &answer)
	if shards := failedShards(err); len(shards) > 0 {
		p.noteFailedShards(ctx, shards)
		return found, nil
	}
	if tooMuch(err) && len(clauses) > 1 {
		half := len(clauses) / 2
		first, err := p.Each(ctx, r, clauses[:half])
		if err != nil {
			return nil, err
		}
		second, err := p.Each(ctx, r, clauses[half:])
		return append(first, second...), err
	}
	if err != nil && isRemote(p.patterns) && ctx.Err() == nil && !tooMuch(err) {
		p.giveUp(ctx, err)
		return found, nil
	}
	if err != nil {
		return nil, err
	}
	p.renew(answer.ID)
	a := answer.answer()
	f := fetcher{pit: p}
	p.noteFailedShards(ctx, f.lost(a, a.unread(p.cluster.options.Timeout)))
	if answer.Aggregations == nil { // no shard answered
		return found, nil
	}
	return found, answer.enter(found)
}

func (p *PointInTime) each(r Request, clauses []dsl.Clause) call {
	fromSource, fromIndex := apart(r.Fields)
	one := map[string]any{"size": 1, "sort": [1]string{"_doc"}}
	if len(fromSource) > 0 {
		one["fields"] = fromSource
	}
	if len(fromIndex) > 0 {
		one["docvalue_fields"] = fromIndex
	}
	return p.aggregate(r.query(), map[string]any{"each": map[string]any{
		"filters": map[string]any{"filters": clauses},
		"aggs":    map[string]any{"one": map[string]any{"top_hits": one}},
	}})
}

// aggregate asks for aggregations over what a query finds, and for no hits. What answers counts,
// whatever does not.
func (p *PointInTime) aggregate(query dsl.Clause, aggregations map[string]any) call {
	return call{
		method: http.MethodPost,
		path:   "/_search",
		params: url.Values{"allow_partial_search_results": {"true"}},
		body: summary{
			PIT:          &pitBody{ID: p.current(), KeepAlive: milliseconds(p.cluster.keepAlive())},
			Timeout:      milliseconds(p.cluster.options.Timeout),
			Query:        query,
			Aggregations: aggregations,
		},
	}
}

type eachAnswer struct {
	portions
	Aggregations *struct {
		Each struct {
			Buckets []struct {
				Documents *int64 `json:"doc_count"`
				One       struct {
					Hits struct {
						Hits []struct {
							Index  string          `json:"_index"`
							ID     string          `json:"_id"`
							Source json.RawMessage `json:"_source"`
							Fields json.RawMessage `json:"fields"`
							// the values of fields that the index does not hold
							Ignored json.RawMessage `json:"ignored_field_values"`
							Matched json.RawMessage `json:"matched_queries"`
						} `json:"hits"`
					} `json:"hits"`
				} `json:"one"`
			} `json:"buckets"`
		} `json:"each"`
	} `json:"aggregations"`
}

func (e *eachAnswer) Check() error {
	err := e.whole(true)
	if err == nil && e.Aggregations == nil && *e.Shards.Successful > 0 {
		err = elastic.Lacks("aggregations")
	}
	return err
}

// enter enters what the answer says of each clause.
func (e *eachAnswer) enter(found []Found) error {
	buckets := e.Aggregations.Each.Buckets
	if len(buckets) != len(found) {
		return elastic.Contradicts("it has %d buckets, and %d were asked for", len(buckets),
			len(found))
	}
	for i, b := range buckets {
		if b.Documents == nil {
			return elastic.Lacks("doc_count of a bucket")
		}
		found[i].Documents = *b.Documents
		if *b.Documents == 0 {
			continue
		}
		if len(b.One.Hits.Hits) != 1 || b.One.Hits.Hits[0].Index == "" {
			return elastic.Lacks("hit of a bucket that has documents")
		}
		hit := b.One.Hits.Hits[0]
		found[i].Index, found[i].ID = hit.Index, hit.ID
		found[i].Document = event.Document{Source: hit.Source, Fields: hit.Fields,
			Ignored: hit.Ignored, Matched: hit.Matched}
	}
	return nil
}
