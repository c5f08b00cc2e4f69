package report

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"esrule/internal/query/rule"
	"esrule/internal/schedule/backfill"
	"esrule/internal/span"
)

// AddBackfill adds what a backfill was asked for, what of it was covered for each rule, and what
// was not.
func (r *Report) AddBackfill(plan *backfill.Plan, totals backfill.Totals,
	covered map[rule.ID]span.Intervals, changes backfill.Changes) {
	r.From, r.To = plan.Request.Range.From, plan.Request.Range.To
	for _, part := range plan.Parts {
		for _, ids := range alike(part.IDs(), covered) {
			r.coverage(plan, part, ids, covered[ids[0]], totals)
		}
	}
	r.limits(plan, changes)
}

// alike puts the rules together that were searched for the same time.
func alike(ids []rule.ID, covered map[rule.ID]span.Intervals) (all [][]rule.ID) {
	for _, id := range ids {
		i := slices.IndexFunc(all, func(some []rule.ID) bool {
			return slices.Equal(covered[some[0]], covered[id])
		})
		if i < 0 {
			i = len(all)
			all = append(all, nil)
		}
		all[i] = append(all[i], id)
	}
	return all
}

// coverage enters what was searched for some rules of a part, and what was not.
func (r *Report) coverage(plan *backfill.Plan, part backfill.Part, ids []rule.ID,
	covered span.Intervals, totals backfill.Totals) {
	what, one := strings.Join(part.Patterns, ", "), ids[0]
	if what == "" {
		return // nothing of it may be read, which limits says
	}
	if len(ids) > 1 {
		what, one = fmt.Sprintf("%s (%d rules)", what, len(ids)), ""
	}
	whole := len(covered) == 1 && covered[0] == plan.Request.Range
	for _, i := range covered {
		c := Coverage{What: what, Rule: one, From: i.From, To: i.To, Events: -1, Judged: -1}
		if whole {
			c.Events, c.Judged = documents(plan, part), part.Candidates
		}
		r.Covered = append(r.Covered, c)
	}
	for _, i := range (span.Intervals{plan.Request.Range}).Minus(covered...) {
		r.NotCovered = append(r.NotCovered, Gap{What: what, Rule: one, From: i.From,
			To: i.To, Reason: reasonFor(i, totals)})
	}
}

// documents returns how many events the patterns of a part held when the plan was made.
func documents(plan *backfill.Plan, part backfill.Part) (sum int64) {
	for _, s := range plan.Sources {
		for _, pattern := range part.Patterns {
			if s.Pattern == pattern {
				sum += s.Documents
			}
		}
	}
	return sum
}

// reasonFor returns why a span is not covered.
func reasonFor(i span.Interval, totals backfill.Totals) string {
	var reasons []string
	for _, f := range totals.Failures {
		if len(f.Time.Within(i)) > 0 {
			reasons = append(reasons, f.Index+": "+f.Reason)
		}
	}
	if len(reasons) == 0 {
		return "The backfill was stopped before its turn came. The same command resumes it."
	}
	return strings.Join(reasons, "; ") + ". The same command tries again."
}

// sentence returns a reason, which follows a colon elsewhere, as a sentence.
func sentence(reason string) string {
	first, size := utf8.DecodeRuneInString(reason)
	return string(unicode.ToUpper(first)) + strings.TrimSuffix(reason[size:], ".") + "."
}

// limits enters what no slice could reach.
func (r *Report) limits(plan *backfill.Plan, changes backfill.Changes) {
	for _, f := range plan.Unsearched() {
		r.NotCovered = append(r.NotCovered, Gap{What: f.Index, From: r.From, To: r.To,
			Reason: sentence(f.Reason)})
	}
	for _, s := range plan.Sources {
		if s.Timeless > 0 {
			r.NotCovered = append(r.NotCovered,
				Gap{What: s.Pattern,
					Reason: fmt.Sprintf("%d documents have no @timestamp: they lie in no range "+
						"of time and were not searched.", s.Timeless)})
		}
		if len(s.Indices) == 0 && len(s.Unsearched) == 0 {
			r.Notes = append(r.Notes, fmt.Sprintf("No index matched %s when the plan was made.",
				s.Pattern))
		}
	}
	for _, index := range changes.Gone {
		r.NotCovered = append(r.NotCovered,
			Gap{What: index, Reason: "It was there when the plan was made and is gone, or " +
				"closed, now: slices covered since did not search it."})
	}
	for _, index := range changes.New {
		r.NotCovered = append(r.NotCovered,
			Gap{What: index, Reason: "It came after the plan was made: slices covered " +
				"before did not search it. Run the same with --restart."})
	}
}
