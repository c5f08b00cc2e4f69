package schedule

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"esrule/internal/detect"
	"esrule/internal/query/rule"
)

// summary is what a run over all rules came to, as the log says it.
type summary struct {
	report   Report
	troubles []Trouble
	took     time.Duration
}

// teller logs what a run came to.
type teller struct {
	log         *slog.Logger
	interrupted bool
}

// tell logs one line for the run, and one for each rule that has something to say. Where there is
// one rule, its line says it all. What was not covered is logged for all rules together, see
// [Runner.tellTroubles].
func (t teller) tell(s summary) {
	rules, message := s.report.Rules, "run"
	if t.interrupted {
		message = "run interrupted; what it left open is searched by the next run"
	}
	if len(rules) == 1 {
		t.tellRule(message, rules[0])
		return
	}
	t.log.Info(message, s.attributes()...)
	named := s.named()
	for _, one := range rules {
		if one.Run.NewSignals() > 0 || one.Run.DeadLettered > 0 || named[one.RuleID] {
			t.tellRule("run of a rule", one)
		}
	}
}

// tellRule logs one line for the run of a rule.
func (t teller) tellRule(message string, one RuleReport) {
	attributes := one.attributes()
	if !t.interrupted && (one.Err != nil || len(one.Failed) > 0) {
		t.log.Warn("run failed; what it left open is searched by the next run",
			append(attributes, "not_covered_from", one.openFrom())...)
		return
	}
	t.log.Info(message, attributes...)
}

func (r RuleReport) attributes() []any {
	run := r.Run
	all := []any{"rule", r.RuleID, "name", r.Name, "searched", run.Searched, "indices", run.Indices}
	all = append(all, countAttributes(run.Counts)...)
	if run.WholeWindow != "" {
		all = append(all, "whole_window", run.WholeWindow)
	}
	all = append(all, "failed", len(r.Open), "lag", r.Lag.Round(time.Second),
		"duration", run.Duration.Round(time.Millisecond))
	if swept := run.Swept; swept != nil {
		all = append(all, "late_sweep_from", swept.From, "late_sweep_complete", swept.Complete,
			"late_sweep_candidates", swept.Candidates, "late_created", swept.Created)
	}
	return all
}

func countAttributes(c detect.Counts) []any {
	all := []any{"candidates", c.Candidates, "matched", c.Matched, "created", c.Created,
		"duplicates", c.Duplicates, "reduced", c.Reduced, "without_event", c.WithoutEvent,
		"dead_lettered", c.DeadLettered}
	if c.Excepted > 0 {
		all = append(all, "excepted", c.Excepted, "exceptions", c.Exceptions())
	}
	if c.ChainStopped > 0 {
		all = append(all, "chain_stopped", c.ChainStopped)
	}
	return all
}

// openFrom is the moment from which on something may be left open, as text.
func (r RuleReport) openFrom() string {
	if r.CoveredUpTo.IsZero() {
		return "where the run before left off: the ledger could not be read or written"
	}
	return r.CoveredUpTo.Format(time.RFC3339)
}

// attributes are the sums over the rules. A rule was searched together with others where one search
// at least was for several.
func (s summary) attributes() []any {
	sum := s.report.Sum()
	all := []any{"rules", len(s.report.Rules), "together", sum.Together, "alone", sum.Alone,
		"searches", sum.Searches, "shared_searches", sum.Shared, "searched", sum.Searched,
		"indices", s.report.Indices}
	all = append(all, countAttributes(sum.Counts)...)
	all = append(all, "not_covered", sum.NotCovered, "lag", sum.Lag.Round(time.Second),
		"duration", s.took.Round(time.Millisecond))
	if slowest := s.slowest(); slowest != "" {
		all = append(all, "slowest", slowest)
	}
	if sum.WholeWindow > 0 {
		all = append(all, "whole_window", sum.WholeWindow)
	}
	if sum.Sweeps > 0 {
		all = append(all, "late_sweeps", sum.Sweeps, "late_sweeps_complete", sum.SweepsComplete,
			"late_sweep_candidates", sum.LateCandidates, "late_created", sum.LateCreated)
	}
	return all
}

const (
	// slow is how long a rule's part of a run takes that is named as one of the slowest.
	slow = time.Second
	// slowestNamed is how many of them are named.
	slowestNamed = 3
)

// slowest names the rules whose parts took longest; none where none took long.
func (s summary) slowest() string {
	all := slices.Clone(s.report.Rules)
	slices.SortStableFunc(all, func(a, b RuleReport) int {
		return cmp.Compare(b.Run.Duration, a.Run.Duration)
	})
	var names []string
	for _, one := range all[:min(len(all), slowestNamed)] {
		if took := one.Run.Duration; took >= slow {
			names = append(names, fmt.Sprint(one.RuleID, " ", took.Round(100*time.Millisecond)))
		}
	}
	return strings.Join(names, ", ")
}

// fewRules is up to how many rules a cause concerns where each has a line of its own; of more, the
// line of the cause says it.
const fewRules = 10

// named are the rules that are not covered for a cause that concerns few.
func (s summary) named() map[rule.ID]bool {
	named := map[rule.ID]bool{}
	for _, t := range s.troubles {
		if len(t.Rules) > fewRules {
			continue
		}
		for _, one := range t.Rules {
			named[one.ID] = true
		}
	}
	return named
}

// listed is how many names a line of the log lists; `esrule status --all` lists all.
const listed = 50

// countedRules are how many rules there are, and the ids of the first.
func countedRules(rules []RuleName) []any {
	ids := make([]rule.ID, min(len(rules), listed))
	for i := range ids {
		ids[i] = rules[i].ID
	}
	return []any{"rule_count", len(rules), "rules", ids}
}

// tellTroubles logs each cause once.
func (r *Runner) tellTroubles(all []Trouble) {
	for _, t := range all {
		rules := countedRules(t.Rules)
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
