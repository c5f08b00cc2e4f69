package schedule_test

import (
	"strings"
	"testing"
	"time"

	"esrule/internal/finding"
	"esrule/internal/query/rule"
)

// The program's own signals are the indicators of a rule whose threat_index names alerts, where
// they stand in for these; those that come from the rule itself are none, so that it does not feed
// itself. Without the option check says that they are not seen.
func TestIndicatorsOfSignals(t *testing.T) {
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	index := w.index("a")
	threat := func(id rule.ID, query string) *rule.Rule {
		r := w.indicators(query, []rule.Pair{{Field: "process.pid", Value: "process.pid"}},
			[]rule.Pair{{Field: "process.name", Value: "process.name"}})
		r.ID = id
		r.Body.(*rule.IndicatorQuery).ThreatIndex = []string{".alerts-security.*"}
		return r
	}
	one, all := threat("one", "kibana.alert.rule.rule_id: test-rule"), threat("all", "*:*")
	if got := about(w.check(one).Findings, finding.SignalsNotRead); len(got) != 1 ||
		!strings.Contains(got[0].Advice, `--alerts-index ".alerts-security.*"`) {
		t.Errorf("without the option: got %v, want the advice to use it", got)
	}
	w.alerts = []string{".alerts-security.*"}
	if got := about(w.check(one).All(), finding.SignalsNotRead); len(got) != 0 {
		t.Errorf("with the option: got %v", got)
	}
	rules := []*rule.Rule{w.rule, one}
	w.event(index, 2, "bad", 7)
	w.wantCreated("no signal yet", rules, 1, 0)
	w.Refresh(w.indices.Signals)
	w.event(index, 2, "good", 7)
	w.event(index, 2, "good", 8)
	w.clock = w.clock.Add(time.Minute)
	w.wantCreated("the signal is an indicator", rules, 0, 2)
	w.Refresh(w.indices.Signals)
	// The signals of one are indicators of all, its own are not: it has no event beside.
	w.event(index, 2, "other", 8)
	w.event(index, 2, "other", 9)
	rules = append(rules, all)
	w.clock = w.clock.Add(time.Minute)
	w.wantCreated("signals of others", rules, 0, 0, 3)
	w.Refresh(w.indices.Signals)
	w.clock = w.clock.Add(time.Minute)
	w.wantCreated("its own signals are none", rules, 0, 0, 0)
}
