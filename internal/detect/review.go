package detect

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/event"
	"esrule/internal/query/match"
	"esrule/internal/query/rule"
	"esrule/internal/sink/signal"
)

// Review explains the events of signals again, for a page about them. It reads each index's mapping
// once; it is not safe for concurrent use.
type Review struct {
	cluster    *search.Cluster
	detections map[rule.ID]*Detection
	now        time.Time // that relative dates of the rules count from
	mappings   map[mappingKey]*event.Mapping
}

// mappingKey: classes of mappings are read for the fields of one rule.
type mappingKey struct {
	index string
	rule  rule.ID
}

// NewReview returns a review of the signals of some rules.
func NewReview(c *search.Cluster, detections []*Detection, now time.Time) *Review {
	r := &Review{cluster: c, detections: map[rule.ID]*Detection{}, now: now,
		mappings: map[mappingKey]*event.Mapping{}}
	for _, d := range detections {
		r.detections[d.Rule.ID] = d
	}
	return r
}

// Explain explains the event of a signal through the mapping of the index that it came from, where
// that is still there. It returns nil where the event cannot be read back, or would not match now.
func (r *Review) Explain(ctx context.Context, document []byte) *match.Explanation {
	var alert struct {
		Rule      rule.ID `json:"kibana.alert.rule.uuid"`
		Ancestors []struct {
			Index string `json:"index"`
			ID    string `json:"id"`
			Type  string `json:"type"`
		} `json:"kibana.alert.ancestors"`
	}
	text, err := signal.EventOf(document)
	if err != nil || json.Unmarshal(document, &alert) != nil {
		return nil
	}
	d := r.detections[alert.Rule]
	if d == nil || d.Threshold != nil { // its signals are of no single event
		return nil
	}
	var m *event.Mapping
	var values event.Document
	if n := len(alert.Ancestors); n > 0 {
		parent := alert.Ancestors[n-1]
		from := Sample{Index: parent.Index, ID: parent.ID}
		isAlert := parent.Type == "signal" && parent.Index == d.Signals
		if isAlert { // what it said of its own rule is not in the signal
			text = r.source(ctx, from, text)
		}
		if isAlert || n == 1 {
			m = r.mapping(ctx, from.Index, d)
			values = r.fields(ctx, from, m, d)
		}
	}
	values.Source = text
	// Values that the search's `fields` added are in the signal as if they had been in the event:
	// without a mapping they are read from there.
	for _, mapping := range []*event.Mapping{m, nil} {
		e, err := d.readEvent(values, mapping, r.now)
		if err != nil {
			continue
		}
		conditions := d.explainQueries(e)
		if i := slices.IndexFunc(conditions, holds); i >= 0 {
			return conditions[i]
		}
	}
	return nil
}

// fields asks for those values of an event that only its index has or reads; none where there are
// none, or the event is no longer there.
func (r *Review) fields(ctx context.Context, from Sample, m *event.Mapping,
	d *Detection) event.Document {
	if m == nil || from.ID == "" {
		return event.Document{}
	}
	request, needed := d.about(from, m)
	if !needed {
		return event.Document{}
	}
	values, _, err := indexReader{r.cluster}.fields(ctx, from, request)
	if err != nil {
		return event.Document{} // the page shows the signal without what decided
	}
	return values
}

// source reads a document again. Where it is gone, it is what is left of it.
func (r *Review) source(ctx context.Context, from Sample, left []byte) []byte {
	err := readWhole(ctx, r.cluster, from.Index, dsl.Terms("_id", []string{from.ID}),
		func(hit *search.Hit) { left = bytes.Clone(hit.Document().Source) })
	if err != nil {
		return left // the page shows the signal without what decided
	}
	return left
}

// mapping reads what a rule's fields are in an index, once; nil where that is not known.
func (r *Review) mapping(ctx context.Context, index string, d *Detection) *event.Mapping {
	key := mappingKey{index, d.Rule.ID}
	m, known := r.mappings[key]
	if !known {
		classes, err := d.Classes(ctx, r.cluster, []string{index})
		if err == nil && len(classes) == 1 {
			m = classes[0].Mapping
		}
		r.mappings[key] = m
	}
	return m
}
