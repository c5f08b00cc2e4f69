package backfill

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
)

// visible is how long to wait until the signals that were written last can be found.
const visible = 10 * time.Second

// Signals reads the signals of the range, once those that this backfill wrote can be found.
func (s *Survey) Signals(ctx context.Context, index string, plan *Plan, totals Totals,
	take func(document []byte)) error {
	var ids []string
	for _, part := range plan.Parts {
		for _, r := range part.Rules {
			ids = append(ids, string(r.RuleID))
		}
	}
	searched := plan.Request.Range
	query := dsl.And(dsl.Terms("kibana.alert.rule.uuid", ids),
		dsl.Between("kibana.alert.original_time", searched.From, searched.To))
	if err := s.findable(ctx, index, query, totals); err != nil {
		return err
	}
	pit, err := s.Cluster.OpenPointInTime(ctx, []string{index})
	if err != nil {
		return err
	}
	defer func() { _ = pit.Close(ctx) }() // an unread one ends by itself
	for page, err := range pit.Pages(ctx, search.Request{Query: query}) {
		if err != nil {
			return err
		}
		for hit := range page.Hits(nil) {
			take(bytes.Clone(hit.Document().Source))
		}
	}
	if failures := pit.Failures(); len(failures) > 0 {
		return fmt.Errorf("%s: %s", failures[0].Index, failures[0].Reason)
	}
	return nil
}

// findable waits until the signals that this backfill wrote can be found, but not for long. Others
// in the range, such as those of the polling job, do not count.
func (s *Survey) findable(ctx context.Context, index string, query dsl.Clause,
	totals Totals) error {
	written := int64(totals.Counts.NewSignals())
	own := dsl.And(query, dsl.Terms("kibana.alert.rule.execution.uuid", totals.Workers))
	for deadline := time.Now().Add(visible); ; time.Sleep(visible / 40) {
		count, err := s.Cluster.Count(ctx, []string{index}, own)
		if err != nil || count.Documents >= written || time.Now().After(deadline) {
			return err
		}
	}
}
