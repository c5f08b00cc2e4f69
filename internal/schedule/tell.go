package schedule

import (
	"errors"
	"fmt"
	"slices"
	"time"

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
// innermost error.
func causeOf(err error) string {
	for {
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
	return mergeIndices(all)
}

func mergeIndices(all []Trouble) []Trouble {
	var merged []Trouble
	for _, t := range all {
		same := func(other Trouble) bool {
			return other.Reason == t.Reason && slices.Equal(other.Rules, t.Rules)
		}
		i := slices.IndexFunc(merged, same)
		if i < 0 {
			merged = append(merged, t)
			continue
		}
		merged[i].Indices = append(merged[i].Indices, t.Indices...)
		merged[i].Open = together(merged[i].Open, t.Open)
	}
	return merged
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

// tell logs one line for the run of the rule. What it did not cover is logged for all rules
// together.
func (s *ruleRun) tell(report RuleReport, interrupted bool) {
	run := report.Run
	attributes := []any{
		"rule", report.RuleID, "name", report.Name, "searched", run.Searched, "indices",
		run.Indices,
		"candidates", run.Candidates, "matched", run.Matched, "created", run.Created,
		"duplicates", run.Duplicates, "reduced", run.Reduced,
		"without_event", run.WithoutEvent, "dead_lettered", run.DeadLettered,
		"failed", len(report.Open),
		"lag", report.Lag.Round(time.Second), "duration", run.Duration.Round(time.Millisecond),
	}
	if swept := run.Swept; swept != nil {
		attributes = append(attributes, "late_sweep_from", swept.From,
			"late_sweep_complete", swept.Complete,
			"late_sweep_candidates", swept.Candidates, "late_created", swept.Created)
	}
	switch {
	case interrupted:
		s.log.Info("run interrupted; what it left open is searched by the next run", attributes...)
	case report.Err != nil || len(report.Failed) > 0:
		s.log.Warn("run failed; what it left open is searched by the next run",
			append(attributes, "not_covered_from", s.openFrom())...)
	default:
		s.log.Info("run", attributes...)
	}
}

// listed is how many names a log line lists; `esrule status` lists all.
const listed = 50

// tellTroubles logs each cause once.
func (r *Runner) tellTroubles(all []Trouble) {
	for _, t := range all {
		ids := make([]rule.ID, len(t.Rules))
		for i, one := range t.Rules {
			ids[i] = one.ID
		}
		rules := []any{"rule_count", len(ids), "rules", ids[:min(len(ids), listed)]}
		if len(t.Indices) == 0 && t.Open.What() != "" {
			r.log.Error("pieces of time could not be searched; they are tried again with growing pauses",
				append([]any{"error", t.Reason, "open", t.Open.What(), "next_try", t.Open.Next},
					rules...)...)
			continue
		}
		if len(t.Indices) == 0 {
			r.log.Error(
				"the run of a rule ended early; what it left open is searched by the next run",
				append([]any{"error", t.Reason}, rules...)...)
			continue
		}
		r.log.Error("an index is not covered; it is searched again with growing pauses",
			append([]any{"reason", t.Reason, "open", t.Open.What(), "next_try", t.Open.Next,
				"index_count", len(t.Indices),
				"indices", t.Indices[:min(len(t.Indices), listed)]}, rules...)...)
	}
}
