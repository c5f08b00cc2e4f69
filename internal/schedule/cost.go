package schedule

import (
	"fmt"
	"slices"
	"time"

	"esrule/internal/query/rule"
)

// CostReason is what a rule costs more of than its share.
type CostReason string

const (
	// CostCandidates says that the pre-filter lets through many events that the matcher refuses.
	CostCandidates CostReason = "candidates"
	// CostTime says that the searches take a good part of the time that they cover.
	CostTime CostReason = "time"
)

const (
	// A rule reads more than its share where it reads at least manyCandidates an hour of what it
	// searches, and fewer than one in fewMatches of them matches.
	manyCandidates = 10_000
	fewMatches     = 1_000
	// It takes more than its share of time where it takes longer than shareOfTime of the time that
	// it searches: one instance carries no more than ten like it. A run of less than leastTime says
	// nothing about that.
	shareOfTime = 10
	leastTime   = 10 * time.Second
)

// Cost is one way in which a rule costs the cluster more than its share.
type Cost struct {
	Reason CostReason
	// Text says how much, and what can be done.
	Text string
}

// Costly are the rules that cost more than their share for one reason.
type Costly struct {
	Cost           // of the worst
	Worst RuleName // has most candidates, or took longest
	Rules []rule.ID
}

// Costly returns which rules cost the cluster more than their share, by the reason.
func (r Report) Costly() []Costly {
	var all []Costly
	worst := map[CostReason]int64{}
	for _, one := range r.Rules {
		amounts := map[CostReason]int64{CostCandidates: int64(one.Run.Candidates),
			CostTime: int64(one.Run.Duration - one.Stalled)}
		for _, cost := range one.Costs() {
			i := slices.IndexFunc(all, func(c Costly) bool { return c.Reason == cost.Reason })
			if i < 0 {
				i = len(all)
				all = append(all, Costly{Cost: cost})
			}
			all[i].Rules = append(all[i].Rules, one.RuleID)
			if amount := amounts[cost.Reason]; amount > worst[cost.Reason] {
				worst[cost.Reason] = amount
				all[i].Cost, all[i].Worst = cost, RuleName{one.RuleID, one.Name}
			}
		}
	}
	return all
}

// Costs tells in which ways a rule's run cost the cluster more than a rule's share.
func (r RuleReport) Costs() []Cost {
	var costs []Cost
	run := r.Run
	hours := max(run.Searched, time.Hour).Hours()
	if float64(run.Candidates) >= manyCandidates*hours && run.Candidates > fewMatches*run.Matched {
		costs = append(costs, Cost{CostCandidates, fmt.Sprintf(
			"%d candidates were read for %d matches: its condition holds little that an index "+
				"can look up exactly; esrule explain shows what the pre-filter leaves out",
			run.Candidates, run.Matched)})
	}
	took := run.Duration - r.Stalled
	if took >= leastTime && took > run.Searched/shareOfTime {
		costs = append(costs, Cost{CostTime, fmt.Sprintf(
			"it took %s to search %s: narrow its condition or its index patterns, or run it in "+
				"an instance of its own",
			took.Round(time.Second), run.Searched.Round(time.Second))})
	}
	return costs
}
