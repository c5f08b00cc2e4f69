package detect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"esrule/internal/detect/terms"
	"esrule/internal/elastic/search"
	"esrule/internal/sink/signal"
	"esrule/internal/span"
)

// termsKey is a tuple of a rule.
type termsKey struct {
	rule  int
	tuple string
}

// candidate is an event that may be the first with its tuple, and where it is.
type candidate struct {
	First
	place
	tuple terms.Tuple
}

// newTerms takes the events that rules of type new_terms accept to signals. Of each tuple only the
// events that nothing held makes known are looked for in the history.
type newTerms struct {
	*gathering
	held  map[termsKey][]candidate
	count int // of what is held, a long tuple for several
}

// textsOfOne is how many bytes of a tuple count as one that is held.
const textsOfOne = 200

func newNewTermsGatherer(g *gathering) *newTerms { return &newTerms{gathering: g} }

func (s *newTerms) begin() { s.held, s.count = map[termsKey][]candidate{}, 0 }

func (s *newTerms) note(hit *search.Hit, accepted []int) error {
	looks, err := s.looks(hit, accepted)
	if err != nil {
		return err
	}
	for _, l := range looks {
		at, ok := s.group.matchers.Compiled[l.Rule].Position(s.event)
		if !ok {
			s.unplaced[hit.Index] = hit.ID()
			continue
		}
		if err := s.hold(l, at.At, hit); err != nil {
			return err
		}
	}
	return nil
}

// hold keeps an event for the tuples that it may be the first with.
func (s *newTerms) hold(l RuleLook, at time.Time, hit *search.Hit) error {
	asks := s.group.matchers.Compiled[l.Rule].NewTerms
	var id signal.ID // asked for only where it decides
	for _, tuple := range l.Tuples {
		key := termsKey{l.Rule, tuple.Key()}
		before := s.held[key]
		isKnown := slices.ContainsFunc(before, func(c candidate) bool {
			return c.At.Before(at) && at.Sub(c.At) <= asks.History
		})
		if isKnown {
			continue
		}
		if id == "" {
			var err error
			id, err = signal.Identify(s.group.detections[l.Rule].Rule.ID, signal.Event{
				Source: hit.Document().Source, Alert: s.group.isAlert(hit.Index)})
			if err != nil {
				return fmt.Errorf("document %s of index %s: %w", hit.ID(), hit.Index, err)
			}
		}
		one := candidate{First{at, id}, place{hit.Index, hit.ID()}, tuple}
		if slices.ContainsFunc(before, func(c candidate) bool {
			return c.ID == id || asks.Knows(c.First, one.First)
		}) {
			continue
		}
		kept := slices.DeleteFunc(before, func(c candidate) bool {
			return asks.Knows(one.First, c.First)
		})
		more := (len(kept) + 1 - len(before)) * (1 + len(key.tuple)/textsOfOne)
		if s.count > 0 && more > 0 && s.count+more > crowd {
			return errCrowded
		}
		s.count += more
		s.held[key] = append(kept, one)
	}
	return nil
}

// lookedUpTogether is how many tuples one request looks up.
const lookedUpTogether = 100

func (s *newTerms) decide(ctx context.Context, _ span.Interval) error {
	byRule := map[int][]candidate{}
	for key, candidates := range s.held {
		byRule[key.rule] = append(byRule[key.rule], candidates...)
	}
	for of := range s.group.detections {
		candidates := byRule[of]
		slices.SortFunc(candidates, func(a, b candidate) int { return a.Compare(b.First) })
		for together := range slices.Chunk(candidates, lookedUpTogether) {
			if err := s.decideSome(ctx, of, together); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *newTerms) end(context.Context) error { return nil }

// errHistory is why it is not known whether values are new.
var errHistory = errors.New("an index could not be read whole, and the rule asks for values that " +
	"were not there before: they may be in that index")

// decideSome looks candidates of a rule up and writes the signals of those that are first.
func (s *newTerms) decideSome(ctx context.Context, of int, candidates []candidate) error {
	isNew, err := s.history(of).lookUp(ctx, candidates)
	if err != nil {
		return fmt.Errorf("look values up in the events before them: %w", err)
	}
	var found []candidate
	var places []place
	for i, one := range candidates {
		if isNew[i] {
			found, places = append(found, one), append(places, one.place)
		}
	}
	if len(found) == 0 {
		return nil
	}
	if !s.complete() {
		return errHistory
	}
	events, err := s.fetch(ctx, places)
	if err != nil {
		return err
	}
	for _, one := range found {
		e, err := s.eventAt(one.place, of, events)
		if err != nil {
			return err
		}
		made, err := signal.NewTerms(signal.Match{Rule: s.group.detections[of].Rule,
			Events: []signal.Event{e}}, one.tuple.Values, s.executions[of])
		if err != nil {
			return fmt.Errorf("make a signal of document %s of index %s: %w", one.id, one.index,
				err)
		}
		s.add(of, made)
	}
	return s.flush(ctx)
}
