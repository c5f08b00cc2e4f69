package detect

import (
	"context"
	"fmt"
	"slices"

	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/sink/signal"
)

// place is where an event is.
type place struct{ index, id string }

// hitEvent is an event that was read again.
type hitEvent struct {
	signal.Event
	fields []byte // all that the search gave
}

// eventAt returns what the signal of a rule is made of, of an event that was read again.
func (s *gathering) eventAt(at place, rule int, events map[place]hitEvent) (signal.Event, error) {
	e, ok := events[at]
	if !ok {
		return signal.Event{}, fmt.Errorf("document %s of index %s is a part of a match and could "+
			"not be read again", at.id, at.index)
	}
	var err error
	if e.Fields, err = s.given(rule, e.fields); err != nil {
		return signal.Event{}, fmt.Errorf("document %s of index %s: %w", at.id, at.index, err)
	}
	return e.Event, nil
}

// fetch reads events again, from the point in time in which they were found: while they are
// pending, only their places are held.
func (s *gathering) fetch(ctx context.Context, places []place) (map[place]hitEvent, error) {
	wanted := map[string][]string{} // ids by index
	known := map[place]bool{}
	for _, at := range places {
		if !known[at] {
			known[at] = true
			wanted[at.index] = append(wanted[at.index], at.id)
		}
	}
	events := map[place]hitEvent{}
	for _, a := range s.asks {
		var clauses []dsl.Clause
		for _, index := range a.indices() {
			if ids := wanted[index]; len(ids) > 0 {
				clauses = append(clauses, documents(index, ids...))
			}
		}
		if len(clauses) == 0 {
			continue
		}
		request := search.Request{Query: dsl.Or(clauses...), Fields: a.wanted}
		for page, err := range s.pit.Pages(ctx, request) {
			if err != nil {
				return nil, fmt.Errorf("read again the events that rules judge together: %w", err)
			}
			for hit := range page.Hits(nil) {
				s.hold(events, hit)
			}
		}
	}
	return events, nil
}

// documents accepts the documents of an index that have these ids.
func documents(index string, ids ...string) dsl.Clause {
	return dsl.And(dsl.Terms("_index", []string{index}), dsl.Terms("_id", ids))
}

// hold keeps an event that was read again.
func (s *gathering) hold(events map[place]hitEvent, hit *search.Hit) {
	mapping := s.mappingOf(hit.Index)
	if mapping == nil {
		return
	}
	document := hit.Document()
	events[place{hit.Index, hit.ID()}] = hitEvent{s.eventOf(hit, document, nil, mapping),
		slices.Clone(document.Fields)}
}

// failTogether makes failures of all indices that a target is about where another one failed: what
// is joined may be in both.
func failTogether(failures []Failure, of []string) []Failure {
	if len(failures) == 0 {
		return nil
	}
	for _, index := range of {
		if !slices.ContainsFunc(failures, func(f Failure) bool { return f.Index == index }) {
			failures = append(failures, Failure{Index: index, Reason: fmt.Sprintf("the rule "+
				"judges the events of several indices together, and %s was not searched whole: %s",
				failures[0].Index, failures[0].Reason)})
		}
	}
	return failures
}
