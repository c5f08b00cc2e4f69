package search

import (
	"context"
	"maps"
	"slices"
	"time"

	"esrule/internal/elastic"
	"esrule/internal/elastic/dsl"
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

// Histogram counts the documents that a query finds by a date field, in spans of a length that
// begin at multiples of it since 1970. Elasticsearch makes at most 65,536 buckets; the caller's
// query and width keep below that.
func (c *Cluster) Histogram(ctx context.Context, patterns []string, query dsl.Clause,
	dateField string, width time.Duration) (Histogram, error) {
	body := summary{
		Timeout: milliseconds(c.options.Timeout), Query: query,
		Aggregations: map[string]any{"time": map[string]any{
			"date_histogram": map[string]any{"field": dateField,
				"fixed_interval": milliseconds(width), "min_doc_count": 1},
		}},
	}
	var h Histogram
	documents := map[int64]int64{} // by the beginning of their bucket
	err := c.inPortions(ctx, patterns, func(portion []string) error {
		var whole histogramAnswer
		failures, err := c.summarize(ctx, portion, body, &whole, &whole.portions)
		if err != nil {
			return err
		}
		h.Failures = append(h.Failures, failures...)
		if whole.Aggregations == nil { // there was no shard to ask
			return nil
		}
		for _, b := range whole.Aggregations.Time.Buckets {
			documents[b.Key] += b.Documents
		}
		return nil
	})
	for _, key := range slices.Sorted(maps.Keys(documents)) {
		h.Buckets = append(h.Buckets,
			Bucket{From: time.UnixMilli(key).UTC(), Documents: documents[key]})
	}
	return h, err
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

func (h *histogramAnswer) Check() error {
	err := h.portions.Check()
	if err == nil && h.Aggregations == nil && *h.Shards.Successful > 0 {
		err = elastic.Lacks("aggregations")
	}
	return err
}
