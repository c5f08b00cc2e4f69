package detect

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/event"
	"esrule/internal/query/prefilter"
	"esrule/internal/sink/signal"
)

// history looks values of a rule up in the events before. It reads them with the judge's
// evaluation: the piece was read.
type history struct {
	*newTerms
	of       int // the place of the rule
	compiled *Compiled
	asked    map[*event.Mapping]bool // whether indices of a mapping are asked about each hit
}

func (s *newTerms) history(of int) *history {
	return &history{newTerms: s, of: of, compiled: &s.group.matchers.Compiled[of],
		asked: map[*event.Mapping]bool{}}
}

// lookUp returns of each candidate, in order of time, whether it is the first with its tuple, of
// all events that can be read.
func (h *history) lookUp(ctx context.Context, candidates []candidate) ([]bool, error) {
	isNew := make([]bool, len(candidates))
	for i := range isNew {
		isNew[i] = true
	}
	for _, a := range h.asks {
		request, clauses := h.request(a, candidates)
		found, err := h.pit.Each(ctx, request, clauses)
		if err != nil {
			return nil, err
		}
		for i, f := range found {
			if f.Documents == 0 || !isNew[i] {
				continue
			}
			known, err := h.knows(f.Index, f.ID, f.Document, candidates[i])
			if err == nil && !known && f.Documents > 1 {
				known, err = h.search(ctx, search.Request{Fields: request.Fields,
					Query: dsl.And(request.Query, clauses[i]), Asked: request.Asked}, candidates[i])
			}
			if err != nil {
				return nil, err
			}
			isNew[i] = !known
		}
	}
	return isNew, nil
}

// request returns what is searched for in the indices of an ask: the rule's events that may be in
// the history of some candidate; and for each candidate, what those of them satisfy that may be in
// its own with its tuple.
func (h *history) request(a *ask, candidates []candidate) (search.Request, []dsl.Clause) {
	terms, condition := h.compiled.NewTerms, h.compiled.Matchers[0].Condition()
	timestamps := terms.Clock.timestamps
	var questions prefilter.Questions
	for i, m := range a.mappings { // there is room: that of the group was looked at
		named := askedOf(m, h.compiled.reading())
		questions.Add(a.classes[i].Indices, named)
		h.asked[m] = len(named) > 0
	}
	within := func(from, to time.Time, filter func(*event.Mapping) dsl.Clause) dsl.Clause {
		classes := slices.Clone(a.classes)
		for i, m := range a.mappings {
			classes[i].Window = prefilter.Between(m, timestamps, from, to)
			classes[i].Filter = filter(m)
		}
		return prefilter.GuardedBeside(questions.Leaves(), classes,
			prefilter.Anytime(timestamps, from, to))
	}
	r := search.Request{Fields: a.wanted, Query: within(candidates[0].At.Add(-terms.History),
		candidates[len(candidates)-1].At.Add(time.Millisecond),
		func(m *event.Mapping) dsl.Clause { return prefilter.Build(condition, m).Clause })}
	r.Asked = questions.Clause
	if own := h.coverer.unread(h.group); len(own) > 0 {
		r.Query = dsl.And(r.Query, dsl.Not(dsl.Terms("_index", own)))
	}
	if len(h.asks) > 1 {
		r.Query = dsl.And(r.Query, dsl.Terms("_index", a.indices()))
	}
	clauses := make([]dsl.Clause, len(candidates))
	for i, c := range candidates {
		tuple := terms.Fields.Condition(c.tuple)
		clauses[i] = dsl.And(dsl.Not(documents(c.index, c.id)),
			within(c.At.Add(-terms.History), c.At.Add(time.Millisecond),
				func(m *event.Mapping) dsl.Clause { return prefilter.Build(tuple, m).Clause }))
	}
	return r, clauses
}

// search reads documents until one of them makes a candidate known.
func (h *history) search(ctx context.Context, r search.Request, c candidate) (bool, error) {
	for page, err := range h.pit.Pages(ctx, r) {
		if err != nil {
			return false, err
		}
		for hit := range page.Hits(nil) {
			known, err := h.knows(hit.Index, hit.ID(), hit.Document(), c)
			if known || err != nil {
				return known, err
			}
		}
	}
	return false, nil
}

// knows reports whether a document is an event that the rule accepts, with the candidate's tuple
// and in the history before it.
func (h *history) knows(index, id string, document event.Document, c candidate) (bool, error) {
	mapping := h.mappingOf(index)
	switch {
	case slices.Contains(h.coverer.unread(h.group), index):
		return false, nil
	case mapping == nil:
		h.unknown[index] = true
		return false, nil
	case len(bytes.TrimSpace(document.Source)) == 0:
		h.partial[index] = id
		return false, nil
	}
	document.Begun = false
	if err := h.event.Read(mapping, document); err != nil {
		return false, fmt.Errorf("document %s of index %s: %w", id, index, err)
	}
	if h.asked[mapping] && !h.event.Answered() {
		h.unanswered[index] = id
		return false, nil
	}
	terms, r := h.compiled.NewTerms, h.group.detections[h.of].Rule
	isAlert := h.group.isAlert(index)
	if isAlert && signal.ReadChain(document.Source).Stops(r.ID) != "" {
		return false, nil
	}
	at, ok := terms.Clock.Time(h.event)
	if !ok || !h.compiled.Matchers[0].Match(h.event) ||
		h.compiled.Excepted(h.event, h.target.Now) != nil {
		return false, nil
	}
	tuples, err := terms.Fields.Tuples(h.event)
	if err != nil {
		return false, fmt.Errorf("document %s of index %s: %w", id, index, err)
	}
	key := c.tuple.Key()
	for _, tuple := range tuples {
		if tuple.Key() != key {
			continue
		}
		earlier := First{At: at}
		if at.Equal(c.At) {
			earlier.ID, err = signal.Identify(r.ID,
				signal.Event{Source: document.Source, Alert: isAlert})
		}
		return terms.Knows(earlier, c.First), err
	}
	return false, nil
}
