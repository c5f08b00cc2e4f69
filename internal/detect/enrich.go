package detect

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"esrule/internal/detect/indicator"
	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/event"
	"esrule/internal/sink/signal"
)

// joined is an event that indicators match, without its signal: that has the indicators'
// documents, which are fetched for many events at once.
type joined struct {
	rule    int
	event   signal.Event
	matches []indicator.Match
}

// join holds an event that a rule with indicators accepts, if it matches any.
func (j *judge) join(rule int, hit *search.Hit, document event.Document,
	mapping *event.Mapping) error {
	plan := j.group.matchers.Compiled[rule].Threat.Plan
	matches := plan.Match(j.indicators[rule], j.event.Event)
	if len(matches) == 0 {
		return nil
	}
	given, err := j.given(rule, document.Fields)
	if err != nil {
		return fmt.Errorf("document %s of index %s: %w", hit.ID(), hit.Index, err)
	}
	j.joined = append(j.joined, joined{rule, j.eventOf(hit, document, given, mapping), matches})
	return nil
}

// enrich makes the signals of the events in hand that indicators match.
func (j *judge) enrich(ctx context.Context) error {
	if len(j.joined) == 0 {
		return nil
	}
	sources, err := j.fetchIndicators(ctx)
	if err != nil {
		return err
	}
	for _, one := range j.joined {
		rule, set := j.group.detections[one.rule].Rule, j.indicators[one.rule]
		list := make([]signal.Enrichment, len(one.matches))
		for i, m := range one.matches {
			at := set.Document(m.Document)
			list[i] = signal.Enrichment{Field: m.Field, Value: m.Text, Index: at.Index, ID: at.ID,
				Source: sources[at], Path: j.group.matchers.Compiled[one.rule].Threat.Path}
		}
		made, err := signal.New(signal.Match{Rule: rule, Events: []signal.Event{one.event},
			Enrichments: list}, j.executions[one.rule])
		if err != nil {
			return fmt.Errorf("make a signal of document %s of index %s: %w", one.event.ID,
				one.event.Index, err)
		}
		j.add(one.rule, made)
	}
	clear(j.joined)
	j.joined = j.joined[:0]
	return nil
}

// fetchIndicators reads the documents of the indicators that match events in hand. One that is
// gone since the indicators were read is not among them.
func (j *judge) fetchIndicators(ctx context.Context) (map[indicator.Document][]byte, error) {
	wanted := map[string]map[string]bool{} // ids by index
	for _, one := range j.joined {
		for _, number := range indicator.Numbers(one.matches) {
			at := j.indicators[one.rule].Document(number)
			if wanted[at.Index] == nil {
				wanted[at.Index] = map[string]bool{}
			}
			wanted[at.Index][at.ID] = true
		}
	}
	found := map[indicator.Document][]byte{}
	for index, ids := range wanted {
		if err := j.fetchFrom(ctx, index, ids, found); err != nil {
			return nil, fmt.Errorf("read the indicators in %s that events match: %w", index, err)
		}
	}
	return found, nil
}

func (j *judge) fetchFrom(ctx context.Context, index string, ids map[string]bool,
	into map[indicator.Document][]byte) error {
	there, err := j.coverer.Cluster.Exists(ctx, index)
	if !there || err != nil {
		return err
	}
	return readWhole(ctx, j.coverer.Cluster, index,
		dsl.Terms("_id", slices.Collect(maps.Keys(ids))),
		func(hit *search.Hit) {
			into[indicator.Document{Index: hit.Index, ID: hit.ID()}] =
				bytes.Clone(hit.Document().Source)
		})
}
