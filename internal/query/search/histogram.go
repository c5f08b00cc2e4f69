package search

import (
	"context"
	"net/http"
	"time"
)

// Histogram is how the documents that a query finds lie in time.
type Histogram struct {
	Buckets  []Bucket  // in order, none of them empty
	Failures []Failure // the indices that were not counted whole
}

// Bucket is a span of time, as long as the histogram was asked for.
type Bucket struct {
	From      time.Time
	Documents int64
}

// Histogram counts the documents that a query finds by a date field, in spans of a length that begin at multiples of it since
// 1970. Elasticsearch makes at most 65,536 buckets; the caller's query and width keep below that.
func (c *Cluster) Histogram(ctx context.Context, patterns []string, query any, dateField string, width time.Duration) (Histogram, error) {
	q := call{method: http.MethodPost, path: "/" + joined(patterns) + "/_search", params: openIndices()}
	q.params.Set("allow_partial_search_results", "true")
	body := map[string]any{
		"size": 0, "track_total_hits": false, "timeout": milliseconds(c.options.Timeout),
		"aggs": map[string]any{"time": map[string]any{
			"date_histogram": map[string]any{"field": dateField, "fixed_interval": milliseconds(width), "min_doc_count": 1},
		}},
	}
	if query != nil {
		body["query"] = query
	}
	q.body = body
	var whole histogramAnswer
	p := &PointInTime{cluster: c, patterns: patterns}
	err := c.ask(ctx, q, &whole)
	if shards := failedShards(err); len(shards) > 0 {
		p.noteFailedShards(ctx, shards)
		return Histogram{Failures: p.Failures()}, nil
	}
	if err != nil {
		return Histogram{}, err
	}
	a := whole.answer()
	p.noteFailedShards(ctx, a.unread(c.options.Timeout))
	h := Histogram{Failures: p.Failures()}
	if whole.Aggregations == nil { // there was no shard to ask
		return h, nil
	}
	for _, b := range whole.Aggregations.Time.Buckets {
		h.Buckets = append(h.Buckets, Bucket{From: time.UnixMilli(b.Key).UTC(), Documents: b.Documents})
	}
	return h, nil
}

type histogramAnswer struct {
	portions
	Aggregations *struct {
		Time struct {
			Buckets []struct {
				Key       int64 `json:"key"`
				Documents int64 `json:"doc_count"`
			} `json:"buckets"`
		} `json:"time"`
	} `json:"aggregations"`
}

func (h *histogramAnswer) Missing() string {
	missing := h.missing()
	if missing == "" && h.Aggregations == nil && *h.Shards.Successful > 0 {
		missing = "aggregations"
	}
	return missing
}
