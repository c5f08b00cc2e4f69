package scan

import (
	"slices"

	"esrule/internal/detect"
	"esrule/internal/event"
	"esrule/internal/query/match"
	"esrule/internal/query/rule"
)

// Rules are rules made ready to scan with: their fields share one set of slots, so that an event
// looks up each field once for all of them.
type Rules struct {
	rules    []*rule.Rule
	matchers []*match.Matcher
	fields   *event.Fields
	gates    []match.Gate // each once
	gate     []int        // of each rule, its place in gates; -1 is none

	time       event.Slot
	categories []event.Slot // what the gates read; event.category where there is none
}

// NewRules gives an empty set.
func NewRules() *Rules {
	r := &Rules{fields: &event.Fields{}}
	r.time = r.fields.Add("@timestamp")
	r.categories = []event.Slot{r.fields.Add(match.DefaultCategoryField)}
	return r
}

// Add compiles a rule. Its error is that of [detect.Compile]; the rule is not added then.
func (r *Rules) Add(one *rule.Rule) error {
	m, err := detect.Compile(one, one.Index, r.fields)
	if err != nil {
		return err
	}
	r.rules = append(r.rules, one)
	r.matchers = append(r.matchers, m)
	r.gate = append(r.gate, r.place(m))
	return nil
}

// place gives the place of a matcher's gate, which many rules share.
func (r *Rules) place(m *match.Matcher) int {
	gate, ok := m.Gate()
	if !ok {
		return -1
	}
	at := slices.IndexFunc(r.gates, func(g match.Gate) bool {
		return g.Field == gate.Field && g.Category == gate.Category
	})
	if at < 0 {
		at = len(r.gates)
		r.gates = append(r.gates, gate)
		if slot := r.fields.Add(gate.Field); !slices.Contains(r.categories, slot) {
			r.categories = append(r.categories, slot)
		}
	}
	return at
}

// Len is the number of rules.
func (r *Rules) Len() int { return len(r.rules) }

// gated is the number of rules that judge only events of a category.
func (r *Rules) gated() (n int) {
	for _, at := range r.gate {
		if at >= 0 {
			n++
		}
	}
	return n
}
