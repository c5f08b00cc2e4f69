package search

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"esrule/internal/elastic"
	"esrule/internal/elastic/dsl"
)

// Now is the cluster's clock, in milliseconds. It is asked through a date field of an index, which
// may be empty: a range of dates up to "now" is answered with what "now" was. An index that another
// instance has just made has no shard for a moment, and is waited for.
func (c *Cluster) Now(ctx context.Context, index, dateField string) (time.Time, error) {
	q := call{method: http.MethodPost, path: "/" + joined([]string{index}) + "/_search",
		params: openIndices(), awaitsShards: true}
	q.params.Set("request_cache", "false")
	q.params.Set("filter_path", "aggregations.clock.buckets.to")
	q.body = summary{
		Query: dsl.Nothing(),
		Aggregations: map[string]any{"clock": map[string]any{
			"date_range": map[string]any{"field": dateField,
				"ranges": []any{map[string]string{"to": "now"}}},
		}},
	}
	var answer clockAnswer
	if err := c.ask(ctx, q, &answer); err != nil {
		return time.Time{}, err
	}
	if len(answer.Aggregations.Clock.Buckets) == 0 {
		return time.Time{}, fmt.Errorf("index %s: %w", index, elastic.ErrIndexNotFound)
	}
	return time.UnixMilli(int64(*answer.Aggregations.Clock.Buckets[0].To)).UTC(), nil
}

// clockAnswer has no bucket where there is no such index.
type clockAnswer struct {
	Aggregations struct {
		Clock struct {
			Buckets []struct {
				To *float64 `json:"to"`
			} `json:"buckets"`
		} `json:"clock"`
	} `json:"aggregations"`
}

func (c *clockAnswer) Check() error {
	for _, b := range c.Aggregations.Clock.Buckets {
		if b.To == nil {
			return elastic.Lacks("to of a bucket")
		}
	}
	return nil
}
