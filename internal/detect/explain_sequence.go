package detect

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"esrule/internal/detect/sequence"
	"esrule/internal/elastic/search"
	"esrule/internal/query/match"
)

// Together says what several events come to for a rule that asks for several.
type Together struct {
	RuleID  string `json:"rule_id"`
	Name    string `json:"name"`
	Matches bool   `json:"matches"`
	// Events are those that were given, in the order of time.
	Events []EventTogether `json:"events"`
	// Found are the sequences or samples. Without one, Why says which stage was never reached or
	// which limit was exceeded, and Nearest which events come the nearest.
	Found   []FoundTogether `json:"found,omitempty"`
	Why     string          `json:"why,omitempty"`
	Nearest *FoundTogether  `json:"nearest,omitempty"`
}

// EventTogether is one of the events, by its number in the order in which they were given.
type EventTogether struct {
	Number int       `json:"number"`
	At     time.Time `json:"at,omitzero"`
	// Stages are those whose conditions it satisfies.
	Stages   []string     `json:"stages,omitempty"`
	Excepted []ExceptedBy `json:"excepted_by,omitempty"` // then it takes none
	Notes    []string     `json:"notes,omitempty"`

	stopped bool // the rule does not judge the signal that it is
}

// FoundTogether is a sequence or a sample, or what comes the nearest.
type FoundTogether struct {
	Keys   []string       `json:"keys,omitempty"`
	Events []StageOfEvent `json:"events"`
}

// StageOfEvent is a stage that an event takes.
type StageOfEvent struct {
	Stage int `json:"stage"`
	Event int `json:"event"`
	// After is the time since the event before it.
	After string `json:"after,omitempty"`
}

// placed is an event with its place in time.
type placed struct {
	Position
	sequence.Shown
	of EventTogether
}

// ExplainTogether explains several events for a rule that joins events: those that name an index as
// they are in it, unless the cluster is nil.
func (d *Detection) ExplainTogether(ctx context.Context, c *search.Cluster, samples []Sample,
	now time.Time) (Together, error) {
	t := Together{RuleID: string(d.Rule.ID), Name: d.Rule.Name}
	e := match.NewEvaluation(d.Fields, now)
	var all []placed
	for i, s := range samples {
		var in indexed
		if c != nil && s.Index != "" {
			var err error
			if in, err = (indexReader{c}).read(ctx, d, s); err != nil {
				return t, err
			}
		}
		if err := e.Read(in.mapping, in.document(s)); err != nil {
			return t, fmt.Errorf("event %d: %w", i+1, err)
		}
		one := d.place(e, i+1, in.notes, now)
		if note, stops := d.chainOf(s); note != "" {
			one.of.Notes, one.of.stopped = append(slices.Clone(one.of.Notes), note), stops
		}
		all = append(all, one)
	}
	slices.SortStableFunc(all, func(a, b placed) int {
		return cmp.Or(a.Position.Compare(b.Position), cmp.Compare(a.Number, b.Number))
	})
	var shown []sequence.Shown
	for _, one := range all {
		t.Events = append(t.Events, one.of)
		if len(one.of.Stages) > 0 && len(one.of.Excepted) == 0 && !one.of.At.IsZero() &&
			!one.of.stopped {
			shown = append(shown, one.Shown)
		}
	}
	found, err := d.Sequence.Matches(shown)
	if err != nil {
		return t, err
	}
	for _, m := range found {
		t.Found = append(t.Found, foundOf(m.Keys, m.Events))
	}
	if t.Matches = len(found) > 0; t.Matches {
		return t, nil
	}
	miss, err := d.Sequence.WhyNot(shown)
	if err != nil {
		return t, err
	}
	t.Why = miss.Why
	if len(miss.Events) > 0 {
		nearest := foundOf(miss.Keys, miss.Events)
		t.Nearest = &nearest
	}
	return t, nil
}

// place looks at an event: which stages it can take, and when.
func (d *Detection) place(e *match.Evaluation, number int, notes []string, now time.Time) placed {
	p := placed{of: EventTogether{Number: number, Notes: notes}}
	stages := d.Sequence.Stages()
	p.Look, _ = d.Sequence.Look(e, func(i int) bool {
		if !d.Matchers[i].Match(e) {
			return false
		}
		p.of.Stages = append(p.of.Stages, stages[i].Name)
		return true
	})
	p.of.Excepted = d.explainExceptions(e, now)
	var ok bool
	if p.Position, ok = d.Order.Position(e); !ok {
		p.of.Notes = append(slices.Clone(notes),
			"it has no @timestamp that can be read, and so no place among the others")
	}
	p.of.At = p.Position.At
	p.Shown.At, p.Number = p.Position.At, number
	return p
}

func foundOf(keys []sequence.Key, events []sequence.Taken[int]) (f FoundTogether) {
	for _, k := range keys {
		text := k.Text
		if k.Missing {
			text = "(missing)"
		}
		f.Keys = append(f.Keys, text)
	}
	for i, taken := range events {
		one := StageOfEvent{Stage: taken.Stage + 1, Event: taken.Event}
		if i > 0 && !taken.At.Before(events[i-1].At) { // those of a sample come in any order
			one.After = taken.At.Sub(events[i-1].At).String()
		}
		f.Events = append(f.Events, one)
	}
	return f
}
