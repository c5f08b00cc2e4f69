package detect

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/finding"
)

func TestSources(t *testing.T) {
	on := func(pattern string, events int64, fires bool, codes ...finding.Code) PatternCheck {
		p := PatternCheck{Pattern: pattern, Events: events, CanFire: fires}
		for _, c := range codes {
			p.Add(finding.Finding{Code: c})
		}
		return p
	}
	rule := func(patterns ...PatternCheck) RuleCheck { return RuleCheck{Patterns: patterns} }
	got, every := Sources([]RuleCheck{
		rule(on("logs-*", 0, false, finding.NoIndexYet), on("beat-*", 7, true)),
		rule(on("logs-*", 0, false, finding.NoIndexYet),
			on("beat-*", 9, false, finding.NeverFires)),
		rule(on("logs-*", 0, false, finding.NoIndexYet)),
		// of two mappings it can fire on one
		rule(on("beat-*", 7, true, finding.NeverFires)),
		rule(on("x:*", 0, false, finding.NoIndexYet, finding.ClusterUnreachable)),
	})
	want := []Source{
		{Pattern: "beat-*", Events: 9, Rules: 3, CanFire: 2, Cannot: 1,
			Why: map[finding.Code]int{finding.NeverFires: 1}},
		{Pattern: "logs-*", Rules: 3, Cannot: 3, Why: map[finding.Code]int{finding.NoIndexYet: 3}},
		{Pattern: "x:*", Rules: 1, Cannot: 1,
			Why: map[finding.Code]int{finding.ClusterUnreachable: 1}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	all := Source{Rules: 5, CanFire: 2, Cannot: 3, Why: map[finding.Code]int{finding.NeverFires: 1,
		finding.NoIndex: 1, finding.ClusterUnreachable: 1}}
	if diff := cmp.Diff(all, every); diff != "" {
		t.Errorf("every rule (-want +got):\n%s", diff)
	}
}
