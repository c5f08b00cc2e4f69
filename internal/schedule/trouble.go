package schedule

import (
	"errors"
	"fmt"
	"slices"

	"esrule/internal/elastic"
	"esrule/internal/query/rule"
	"esrule/internal/span"
)

// Trouble is one cause for which a run left something uncovered, with everything that it concerns,
// so that it is reported once and not once for each rule and index.
type Trouble struct {
	Reason string
	// Indices are the indices, or patterns, that have the cause. Without one, pieces of time failed
	// as a whole or, where none is open, it ended the runs of the rules.
	Indices []string
	// Open is the time that is open in any of them, with the earliest next try. It names no index.
	Open OpenIndex
	// Rules are the rules concerned, in the order of the run.
	Rules []RuleName
}

// RuleName is how a message names a rule.
type RuleName struct {
	ID   rule.ID
	Name string
}

func (n RuleName) String() string { return fmt.Sprintf("%s (%s)", n.Name, n.ID) }

// Troubles returns why the run did not cover everything, each cause once: first the errors that
// ended rules early, then clocks that differ, then the pieces that failed as a whole, then the open
// indices.
func (r Report) Troubles() []Trouble { return append(r.earlyEnds(), r.uncovered()...) }

func (r Report) uncovered() []Trouble {
	return slices.Concat(r.clocksApart(), r.sickPieces(), r.openIndices())
}

// clocksApart is the time that is not covered since the clocks differ.
func (r Report) clocksApart() []Trouble {
	t := Trouble{Reason: apartReason}
	for _, one := range r.Rules {
		if one.Apart.Length() > 0 {
			t.Open = together(t.Open,
				OpenIndex{Time: span.Intervals{one.Apart}, Next: one.Apart.From})
			t.Rules = append(t.Rules, RuleName{one.RuleID, one.Name})
		}
	}
	if len(t.Rules) == 0 {
		return nil
	}
	return []Trouble{t}
}

// sickPieces groups the pieces that failed as a whole by their reason.
func (r Report) sickPieces() []Trouble {
	var all []Trouble
	for _, one := range r.Rules {
		for _, p := range one.Sick {
			at := slices.IndexFunc(all, func(t Trouble) bool { return t.Reason == p.Reason })
			if at < 0 {
				at = len(all)
				all = append(all, Trouble{Reason: p.Reason})
			}
			t, name := &all[at], RuleName{one.RuleID, one.Name}
			t.Open = together(t.Open, p.open())
			if !slices.Contains(t.Rules, name) {
				t.Rules = append(t.Rules, name)
			}
		}
	}
	return all
}

// open is the time of a sick piece in the form of an open index's.
func (p SickPiece) open() OpenIndex {
	if p.Late {
		return OpenIndex{SweepFrom: p.From, Next: p.Next}
	}
	return OpenIndex{Time: span.Intervals{p.Interval}, Next: p.Next}
}

// What says for people what the piece is.
func (p SickPiece) What() string {
	if p.Late {
		return "the late sweep " + sweepText(p.Interval)
	}
	return p.Interval.String()
}

// earlyEnds groups the errors by their cause. The pieces that were being read differ from rule to
// rule.
func (r Report) earlyEnds() []Trouble {
	var all []Trouble
	at := map[string]int{}
	for _, one := range r.Rules {
		if one.Err == nil {
			continue
		}
		cause := causeOf(one.Err)
		i, known := at[cause]
		switch {
		case !known:
			i = len(all)
			at[cause] = i
			all = append(all, Trouble{Reason: one.Err.Error()})
		case all[i].Reason != one.Err.Error():
			all[i].Reason = cause
		}
		all[i].Rules = append(all[i].Rules, RuleName{one.RuleID, one.Name})
	}
	return all
}

// causeOf is the text of an error without what was being done: the answer of the cluster, or the
// innermost error. Of errors that were joined it is that of the first, which came first.
func causeOf(err error) string {
	for {
		if many, ok := err.(interface{ Unwrap() []error }); ok {
			joined := many.Unwrap()
			if err.Error() != errors.Join(joined...).Error() {
				break
			}
			err = joined[0]
			continue
		}
		//nolint:errorlint // this error, and not what it wraps
		if _, refused := err.(*elastic.Error); refused {
			break
		}
		inner := errors.Unwrap(err)
		if inner == nil {
			break
		}
		err = inner
	}
	return err.Error()
}

// openIndices groups by index and reason, then puts indices together that have the same reason for
// the same rules.
func (r Report) openIndices() []Trouble {
	type key struct{ index, reason string }
	at := map[key]int{}
	var all []Trouble
	for _, one := range r.Rules {
		for _, open := range one.Open {
			k := key{open.Index, open.Reason}
			i, known := at[k]
			if !known {
				i = len(all)
				at[k] = i
				all = append(all, Trouble{Reason: open.Reason, Indices: []string{open.Index}})
			}
			all[i].Open = together(all[i].Open, open)
			all[i].Rules = append(all[i].Rules, RuleName{one.RuleID, one.Name})
		}
	}
	all = merge(all, func(a, b Trouble) bool {
		return a.Reason == b.Reason && slices.Equal(a.Rules, b.Rules)
	})
	if len(all) <= fewTroubles {
		return all
	}
	return merge(all, func(a, b Trouble) bool { return a.Reason == b.Reason })
}

// fewTroubles is how many groups of open indices are told apart by their rules. Of more, those that
// have the same reason are one.
const fewTroubles = 10

// merge puts the troubles together that are the same.
func merge(all []Trouble, same func(a, b Trouble) bool) []Trouble {
	var merged []Trouble
	for _, t := range all {
		i := slices.IndexFunc(merged, func(other Trouble) bool { return same(other, t) })
		if i < 0 {
			merged = append(merged, t)
			continue
		}
		into := &merged[i]
		into.Indices = append(into.Indices, t.Indices...)
		into.Open = together(into.Open, t.Open)
		if !slices.Equal(into.Rules, t.Rules) {
			into.Rules = union(into.Rules, t.Rules)
		}
	}
	return merged
}

// union is the rules of a, then those of b that are not among them.
func union(a, b []RuleName) []RuleName {
	known := map[rule.ID]bool{}
	for _, one := range a {
		known[one.ID] = true
	}
	all := slices.Clone(a)
	for _, one := range b {
		if !known[one.ID] {
			all = append(all, one)
		}
	}
	return all
}

// together is what is open in a or in b, and the earlier next try; a may be empty.
func together(a, b OpenIndex) OpenIndex {
	sum := OpenIndex{Time: a.Time.Union(b.Time...), SweepFrom: b.SweepFrom, Next: b.Next}
	if !a.SweepFrom.IsZero() && (b.SweepFrom.IsZero() || a.SweepFrom.Before(b.SweepFrom)) {
		sum.SweepFrom = a.SweepFrom
	}
	if !a.Next.IsZero() {
		sum.Next = span.Earlier(a.Next, b.Next)
	}
	return sum
}
