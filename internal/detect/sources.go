package detect

import (
	"cmp"
	"slices"

	"esrule/internal/finding"
)

// Source is an index pattern of the rules: how many of those that name it can fire there.
type Source struct {
	Pattern string `json:"pattern"`
	// Events is the number of documents of the last CheckedTime, by the rule that sees the most.
	Events  int64 `json:"events"`
	Rules   int   `json:"rules"`
	CanFire int   `json:"can_fire"`
	Cannot  int   `json:"cannot_fire"`
	// Why counts the rules that cannot fire by what keeps them from it.
	Why map[finding.Code]int `json:"why,omitempty"`
}

func (s *Source) count(fires bool, why finding.Code) {
	s.Rules++
	if fires {
		s.CanFire++
		return
	}
	s.Cannot++
	if s.Why == nil {
		s.Why = map[finding.Code]int{}
	}
	s.Why[why]++
}

// Sources returns the patterns of rules that were checked on a cluster, those where most rules can
// fire first, and the same of each rule over all of its patterns.
func Sources(checks []RuleCheck) (sources []Source, every Source) {
	at := map[string]int{}
	for _, c := range checks {
		why := finding.NoIndex
		for _, p := range c.Patterns {
			i, known := at[p.Pattern]
			if !known {
				i = len(sources)
				at[p.Pattern] = i
				sources = append(sources, Source{Pattern: p.Pattern})
			}
			sources[i].Events = max(sources[i].Events, p.Events)
			sources[i].count(p.CanFire, p.whyNot())
			if not := p.whyNot(); not != finding.NoIndexYet {
				why = not
			}
		}
		every.count(c.CanFire(), why)
	}
	slices.SortStableFunc(sources, func(a, b Source) int {
		return cmp.Or(b.CanFire-a.CanFire, b.Rules-a.Rules, cmp.Compare(a.Pattern, b.Pattern))
	})
	return sources, every
}

// CanFire reports whether the rule can fire on one of its patterns.
func (c *RuleCheck) CanFire() bool {
	return slices.ContainsFunc(c.Patterns, func(p PatternCheck) bool { return p.CanFire })
}

// whyNot returns what keeps the rule from firing on the pattern, the first cause of several.
func (p *PatternCheck) whyNot() finding.Code {
	for _, code := range []finding.Code{finding.NotSearched, finding.MissingPrivilege,
		finding.ClusterUnreachable, finding.IndexRefused, finding.CannotJudge, finding.NeverFires} {
		if slices.ContainsFunc(p.Findings, func(f finding.Finding) bool { return f.Code == code }) {
			return code
		}
	}
	return cmp.Or(p.never, finding.NoIndexYet)
}
