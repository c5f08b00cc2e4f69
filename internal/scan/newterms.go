package scan

import (
	"cmp"
	"slices"

	"esrule/internal/detect"
	"esrule/internal/sink/signal"
)

// judgeNewTerms judges one rule on all its events: what is new in the files.
func (s *joiner) judgeNewTerms(i int, events []held,
	give func(rule int, signals []signal.Signal) error) error {
	firsts, err := s.inOrder(i, events)
	if err != nil {
		return err
	}
	asks := s.rules.matchers.Compiled[i].NewTerms
	latest := map[string]detect.First{} // by their tuple
	for at, first := range firsts {
		for _, tuple := range events[at].look.Tuples {
			key := tuple.Key()
			before, ok := latest[key]
			latest[key] = first
			if ok && (asks.Knows(before, first) || before == first) {
				continue
			}
			event, err := s.event(i, &events[at])
			if err != nil {
				return err
			}
			made, err := signal.NewTerms(signal.Match{Rule: s.rules.rules[i],
				Events: []signal.Event{event}}, tuple.Values, s.x)
			if err != nil {
				return err
			}
			if err := give(i, []signal.Signal{made}); err != nil {
				return err
			}
		}
	}
	return nil
}

// inOrder puts events in order, those of one time by their identities, and returns the place of
// each. Where it decides nothing, an identity is empty.
func (s *joiner) inOrder(i int, events []held) ([]detect.First, error) {
	slices.SortFunc(events, func(a, b held) int { return a.at.Compare(b.at) })
	firsts := make([]detect.First, len(events))
	for from := 0; from < len(events); {
		to := from + 1
		for to < len(events) && events[to].at.Compare(events[from].at) == 0 {
			to++
		}
		ids := map[int]signal.ID{} // by the numbers of the events
		for at := from; at < to && to-from > 1; at++ {
			event, err := s.event(i, &events[at])
			if err != nil {
				return nil, err
			}
			id, err := signal.Identify(s.rules.rules[i].ID, event)
			if err != nil {
				return nil, err
			}
			ids[events[at].number] = id
		}
		slices.SortFunc(events[from:to], func(a, b held) int {
			return cmp.Compare(ids[a.number], ids[b.number])
		})
		for ; from < to; from++ {
			firsts[from] = detect.First{At: events[from].at.At, ID: ids[events[from].number]}
		}
	}
	return firsts, nil
}
