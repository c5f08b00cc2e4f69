package detect

import (
	"context"
	"fmt"
	"slices"

	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/sink/signal"
)

// write writes the signals of the sequences in hand. Their events are read again: of what is
// pending only the place is kept.
func (s *join) write(ctx context.Context, pit *search.PointInTime) error {
	for found := range slices.Chunk(s.found, writtenTogether) {
		if err := s.check(pit, found); err != nil {
			return err
		}
		events, err := s.fetch(ctx, pit, found)
		if err != nil {
			return err
		}
		for _, one := range found {
			if err := s.matched(one, events); err != nil {
				return err
			}
		}
		if err := s.judge.flush(ctx); err != nil {
			return err
		}
	}
	clear(s.found)
	s.found = s.found[:0]
	return nil
}

// check returns an error where a sequence may be untrue, since not everything was read.
func (s *join) check(pit *search.PointInTime, found []foundSequence) error {
	j := s.judge
	whole := !s.lacks && len(pit.Failures())+len(j.partial)+len(j.unknown)+len(j.unplaced)+
		len(j.plan.uncovered) == 0
	if !whole && slices.ContainsFunc(found, func(f foundSequence) bool {
		return j.group.matchers.Compiled[f.rule].Sequence.Negates()
	}) {
		return errIncomplete
	}
	return nil
}

// hitEvent is an event that was read again.
type hitEvent struct {
	signal.Event
	fields []byte // all that the search gave
}

// matched makes the signals of a sequence.
func (s *join) matched(one foundSequence, events map[place]hitEvent) error {
	j := s.judge
	m := signal.Match{Rule: j.group.detections[one.rule].Rule}
	for _, at := range one.events {
		e, ok := events[at]
		if !ok {
			return fmt.Errorf("document %s of index %s is a part of a sequence and could not be "+
				"read again", at.id, at.index)
		}
		var err error
		if e.Fields, err = j.given(one.rule, e.fields); err != nil {
			return fmt.Errorf("document %s of index %s: %w", at.id, at.index, err)
		}
		m.Events = append(m.Events, e.Event)
	}
	made, err := signal.NewSequence(m, j.executions[one.rule])
	if err != nil {
		return fmt.Errorf("make the signals of a sequence that ends with document %s of index "+
			"%s: %w", one.events[len(one.events)-1].id, one.events[len(one.events)-1].index, err)
	}
	j.outcome.Matched += len(made)
	j.outcome.each[one.rule].Matched += len(made)
	j.signals = append(j.signals, made...)
	for range made {
		j.of = append(j.of, one.rule)
	}
	return nil
}

// fetch reads the events of sequences again, from the point in time in which they were found.
func (s *join) fetch(ctx context.Context, pit *search.PointInTime,
	found []foundSequence) (map[place]hitEvent, error) {
	wanted := map[string][]string{} // ids by index
	known := map[place]bool{}
	for _, one := range found {
		for _, at := range one.events {
			if !known[at] {
				known[at] = true
				wanted[at.index] = append(wanted[at.index], at.id)
			}
		}
	}
	events := map[place]hitEvent{}
	for _, a := range s.asks {
		var clauses []dsl.Clause
		for _, class := range a.classes {
			for _, index := range class.Indices {
				if ids := wanted[index]; len(ids) > 0 {
					clauses = append(clauses, dsl.And(dsl.Terms("_index", []string{index}),
						dsl.Terms("_id", ids)))
				}
			}
		}
		if len(clauses) == 0 {
			continue
		}
		request := search.Request{Query: dsl.Or(clauses...), Fields: a.wanted}
		for page, err := range pit.Pages(ctx, request) {
			if err != nil {
				return nil, fmt.Errorf("read the events of sequences: %w", err)
			}
			for hit := range page.Hits(nil) {
				s.hold(events, hit)
			}
		}
	}
	return events, nil
}

// hold keeps an event that was read again.
func (s *join) hold(events map[place]hitEvent, hit *search.Hit) {
	mapping := s.judge.mappingOf(hit.Index)
	if mapping == nil {
		return
	}
	document := hit.Document()
	events[place{hit.Index, hit.ID()}] = hitEvent{eventOf(hit, document, nil, mapping),
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
			failures = append(failures, Failure{Index: index, Reason: fmt.Sprintf("the rule joins "+
				"the events of several indices, and %s was not searched whole: %s",
				failures[0].Index, failures[0].Reason)})
		}
	}
	return failures
}
