package detect

import (
	"slices"
	"time"

	"esrule/internal/detect/sequence"
	"esrule/internal/detect/terms"
	"esrule/internal/detect/threshold"
	"esrule/internal/query/match"
	"esrule/internal/query/rule"
)

// Matchers are those of several rules over the same fields, rule by rule. Rules are known by their
// places.
type Matchers struct {
	Compiled []Compiled // of the rules
	All      []*match.Matcher
	Of       []int // the rule of each of All
	first    []int // of each rule, the place of its first in All
}

// Add adds what the next rule asks.
func (m *Matchers) Add(c Compiled) {
	m.first = append(m.first, len(m.All))
	for _, one := range c.Matchers {
		m.All, m.Of = append(m.All, one), append(m.Of, len(m.Compiled))
	}
	m.Compiled = append(m.Compiled, c)
}

// Accepting appends to into those of candidates that accept an event which no exception of their
// rule accepts. excepted is called for each rule of which one does, once for an event, whatever
// matchers of the rule accept it.
func (m *Matchers) Accepting(e *match.Evaluation, now time.Time, candidates, into []int,
	excepted func(rule int, by *rule.Exception)) []int {
	last := -1 // rule that is excepted
	for _, i := range candidates {
		if !m.All[i].Match(e) {
			continue
		}
		of := m.Of[i]
		by := m.Compiled[of].Excepted(e, now)
		switch {
		case by == nil:
			into = append(into, i)
		case of != last:
			last = of
			excepted(of, by)
		}
	}
	return into
}

// Without leaves out of the matchers that accept an event those of the rules that do not judge it.
// stopped is called once for each of these.
func (m *Matchers) Without(accepted []int, stops func(rule int) bool,
	stopped func(rule int)) []int {
	last := -1 // rule that is stopped
	return slices.DeleteFunc(accepted, func(matcher int) bool {
		of := m.Of[matcher]
		if !stops(of) {
			return false
		}
		if of != last {
			last = of
			stopped(of)
		}
		return true
	})
}

// RuleLook is what the judge of a rule needs of an event: of one that joins events, that counts
// them, or that asks for new values.
type RuleLook struct {
	Rule   int
	Look   sequence.Look
	Count  threshold.Look
	Tuples []terms.Tuple
}

// Looks returns what rules that judge several events together need of an event that some of their
// matchers accept. The error is about a rule that cannot judge the event.
func (m *Matchers) Looks(e *match.Evaluation, accepted []int) (looks []RuleLook, err error) {
	for len(accepted) > 0 {
		of, matches := m.Of[accepted[0]], uint64(0)
		for len(accepted) > 0 && m.Of[accepted[0]] == of {
			matches |= 1 << (accepted[0] - m.first[of])
			accepted = accepted[1:]
		}
		one := RuleLook{Rule: of}
		var ok bool
		switch c := &m.Compiled[of]; {
		case c.Threshold != nil:
			one.Count, ok = c.Threshold.Look(e)
		case c.NewTerms != nil:
			if one.Tuples, err = c.NewTerms.Fields.Tuples(e); err != nil {
				return nil, err
			}
			ok = len(one.Tuples) > 0
		default:
			one.Look, ok = c.Sequence.Look(e, func(i int) bool { return matches&(1<<i) != 0 })
		}
		if ok {
			looks = append(looks, one)
		}
	}
	return looks, nil
}
