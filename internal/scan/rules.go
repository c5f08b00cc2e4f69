package scan

import (
	"esrule/internal/query/event"
	"esrule/internal/query/match"
	"esrule/internal/query/rule"
)

// Rules are rules made ready to scan with: their fields share one set of slots, so that an event looks up
// each field once for all of them.
type Rules struct {
	rules    []*rule.Rule
	matchers []*match.Matcher
	fields   *event.Fields
}

// NewRules gives an empty set.
func NewRules() *Rules { return &Rules{fields: &event.Fields{}} }

// Add compiles a rule. Its error is that of [match.Compile]; the rule is not added then.
func (r *Rules) Add(one *rule.Rule) error {
	m, err := match.Compile(one.Parsed, r.fields, match.Options{CategoryField: one.EventCategoryField, ExcludeSignals: !one.ReadsSignals(one.Index)})
	if err != nil {
		return err
	}
	r.rules = append(r.rules, one)
	r.matchers = append(r.matchers, m)
	return nil
}

// Len is the number of rules.
func (r *Rules) Len() int { return len(r.rules) }
