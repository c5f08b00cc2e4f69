package sequence

import (
	"fmt"
	"math"
	"slices"
	"time"

	"esrule/internal/span"
)

// Shown is an event that is put to [Plan.WhyNot], with its place among those that are.
type Shown struct {
	Look   Look
	At     time.Time
	Number int
}

// Miss says why events are no match: what was reached, and which limit was in the way.
type Miss struct {
	// Why names the stage that was never reached, or the limit that was exceeded.
	Why string
	// Events are those that come the nearest: they would be a match but for that limit, or are the
	// stages that were reached. By Keys, where they have the same.
	Events []Taken[int]
	Keys   []Key
}

// Matches returns the sequences or samples that events make, which come in order and after which
// nothing else does.
func (p *Plan) Matches(events []Shown) ([]Match[int], error) {
	if len(events) == 0 {
		return nil, nil
	}
	window := span.Interval{From: events[0].At}
	j := NewJudge[int](p, window, NewRoom(math.MaxInt))
	var all []Match[int]
	for _, e := range events {
		found, err := j.See(e.Look, e.At, func() int { return e.Number })
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	if p.trailing {
		all = append(all, j.Advance(events[len(events)-1].At.Add(p.span+1))...)
	}
	return all, nil
}

// WhyNot says why events, in order, make no match: it judges them again without one limit after the
// other.
func (p *Plan) WhyNot(events []Shown) (Miss, error) {
	for _, limit := range []struct {
		without func(*Plan, []Shown) (*Plan, []Shown)
		why     func([]Shown, Match[int]) string
	}{
		{withoutSpan, p.spanExceeded},
		{withoutUntil, p.ended},
		{withoutAbsent, p.spoiledBy},
		{withoutKeys, p.otherKeys},
	} {
		plan, shown := limit.without(p, events)
		found, err := plan.Matches(shown)
		if err != nil {
			return Miss{}, err
		}
		if len(found) > 0 {
			nearest := found[len(found)-1]
			return Miss{limit.why(events, nearest), nearest.Events, nearest.Keys}, nil
		}
	}
	return p.reached(events)
}

// reached returns the longest beginning of a sequence that the events make, or the first stage of a
// sample that has no event.
func (p *Plan) reached(events []Shown) (Miss, error) {
	bare, _ := withoutAbsent(p, nil)
	bare, _ = withoutUntil(bare, nil)
	m := Miss{Why: p.notReached(events, 0)}
	for n := 1; n < len(p.steps); n++ {
		part := *bare
		part.steps = p.steps[:n]
		found, err := part.Matches(events)
		if err != nil {
			return Miss{}, err
		}
		if len(found) == 0 {
			break
		}
		nearest := found[len(found)-1]
		m = Miss{p.notReached(events, n), nearest.Events, nearest.Keys}
	}
	return m, nil
}

// notReached says that the step with the number n is the first that is not reached.
func (p *Plan) notReached(events []Shown, n int) string {
	s := p.steps[n]
	name := p.stepName(n)
	takes := 0
	for _, e := range events {
		if e.Look.accepted&(1<<s.query) == 0 {
			continue
		}
		takes++
		if e.Look.keys[s.keys].len() == 0 {
			return fmt.Sprintf("%s was never reached: event %d satisfies its condition, and has "+
				"no value of a key", name, e.Number)
		}
	}
	switch {
	case takes == 0:
		return name + " was never reached: no event satisfies its condition"
	case p.sample:
		return name + " was never reached: no event of the same keys satisfies its condition that " +
			"is not taken by another"
	}
	return name + " was never reached: no event of the same keys that satisfies its condition " +
		"comes after those before it, within maxspan"
}

// stepName names a step by its stage, and by its number among those of the stage.
func (p *Plan) stepName(n int) string {
	first := slices.IndexFunc(p.steps, func(s step) bool { return s.stage == p.steps[n].stage })
	name := fmt.Sprint("stage ", p.steps[n].stage+1)
	runs := 0
	for _, s := range p.steps {
		if s.stage == p.steps[n].stage {
			runs++
		}
	}
	if runs > 1 {
		name += fmt.Sprintf(" (event %d of runs=%d)", n-first+1, runs)
	}
	return name
}

func withoutSpan(p *Plan, events []Shown) (*Plan, []Shown) {
	other := *p
	other.span = math.MaxInt64 - 1
	if len(events) > 0 { // beyond which nothing comes, so that no sum is too large
		other.span = events[len(events)-1].At.Sub(events[0].At) + 1
	}
	return &other, events
}

func withoutUntil(p *Plan, events []Shown) (*Plan, []Shown) {
	other := *p
	other.until = nil
	return &other, events
}

func withoutAbsent(p *Plan, events []Shown) (*Plan, []Shown) {
	other := *p
	other.absent, other.leading, other.trailing = nil, false, false
	return &other, events
}

// withoutKeys makes all events that have keys equal in them.
func withoutKeys(p *Plan, events []Shown) (*Plan, []Shown) {
	all := slices.Clone(events)
	for i, e := range events {
		look := e.Look
		look.keys = slices.Clone(look.keys)
		for k := range look.keys {
			if look.keys[k].len() > 0 {
				look.keys[k] = combinations{ends: []int32{0}}
			}
		}
		all[i].Look = look
	}
	return p, all
}

func (p *Plan) spanExceeded(_ []Shown, m Match[int]) string {
	first, last := m.Events[0], m.Events[0]
	for _, e := range m.Events {
		if e.At.Before(first.At) {
			first = e
		}
		if !e.At.Before(last.At) {
			last = e
		}
	}
	limit := "maxspan"
	if p.maxSpan == 0 {
		limit = "the look-back"
	}
	return fmt.Sprintf("%s is exceeded: %s is allowed, and event %d comes %s after event %d", limit,
		p.span, last.Event, last.At.Sub(first.At), first.Event)
}

func (p *Plan) ended(events []Shown, m Match[int]) string {
	return "an event of until comes before it is complete" + p.which(events, *p.until, m)
}

func (p *Plan) spoiledBy(events []Shown, m Match[int]) string {
	why := "an event is there that must not be"
	for _, a := range p.absent {
		if which := p.which(events, a.step, m); which != "" {
			return why + which + fmt.Sprintf(", of stage %d", a.stage+1)
		}
	}
	return why
}

// which names the events of a step that have the keys of a match.
func (p *Plan) which(events []Shown, s step, m Match[int]) (names string) {
	for _, e := range events {
		if e.Look.accepted&(1<<s.query) == 0 {
			continue
		}
		keys := &e.Look.keys[s.keys]
		for i := range keys.len() {
			if slices.Equal(decodeKeys(string(keys.at(i))), m.Keys) {
				names += fmt.Sprintf(", event %d", e.Number)
			}
		}
	}
	return names
}

func (p *Plan) otherKeys(events []Shown, m Match[int]) string {
	why := "the events have other keys"
	for _, taken := range m.Events {
		at := slices.IndexFunc(events, func(e Shown) bool { return e.Number == taken.Event })
		at = max(at, 0)
		for _, s := range p.steps {
			if s.stage != taken.Stage {
				continue
			}
			why += fmt.Sprintf(", event %d %s", taken.Event, events[at].Look.textOf(s.keys))
			break
		}
	}
	return why
}

// textOf returns the first keys of an event by a key list, as text.
func (l *Look) textOf(list int) string {
	if l.keys[list].len() == 0 {
		return "none"
	}
	text := ""
	for i, k := range decodeKeys(string(l.keys[list].at(0))) {
		if i > 0 {
			text += ", "
		}
		if k.Missing {
			text += "(missing)"
			continue
		}
		text += fmt.Sprintf("%q", k.Text)
	}
	return text
}
