package detect

import (
	"context"
	"fmt"
	"slices"

	"esrule/internal/sink/signal"
)

// write writes the signals of the sequences in hand. Their events are read again: of what is
// pending only the place is kept.
func (s *join) write(ctx context.Context) error {
	for found := range slices.Chunk(s.found, writtenTogether) {
		if err := s.check(found); err != nil {
			return err
		}
		events, err := s.fetch(ctx, placesOf(found))
		if err != nil {
			return err
		}
		for _, one := range found {
			if err := s.matched(one, events); err != nil {
				return err
			}
		}
		if err := s.flush(ctx); err != nil {
			return err
		}
	}
	clear(s.found)
	s.found = s.found[:0]
	return nil
}

// check returns an error where a sequence may be untrue, since not everything was read.
func (s *join) check(found []foundSequence) error {
	if !s.complete() && slices.ContainsFunc(found, func(f foundSequence) bool {
		return s.group.matchers.Compiled[f.rule].Sequence.Negates()
	}) {
		return errIncomplete
	}
	return nil
}

func placesOf(found []foundSequence) (all []place) {
	for _, one := range found {
		all = append(all, one.events...)
	}
	return all
}

// matched makes the signals of a sequence.
func (s *join) matched(one foundSequence, events map[place]hitEvent) error {
	m := signal.Match{Rule: s.group.detections[one.rule].Rule}
	for _, at := range one.events {
		e, err := s.eventAt(at, one.rule, events)
		if err != nil {
			return err
		}
		m.Events = append(m.Events, e)
	}
	made, err := signal.NewSequence(m, s.executions[one.rule])
	if err != nil {
		return fmt.Errorf("make the signals of a sequence that ends with document %s of index "+
			"%s: %w", one.events[len(one.events)-1].id, one.events[len(one.events)-1].index, err)
	}
	s.add(one.rule, made...)
	return nil
}
