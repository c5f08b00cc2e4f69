package scan

import (
	"slices"

	"esrule/internal/detect"
	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/match"
	"esrule/internal/query/rule"
)

// Rules are rules made ready to scan with: their fields share one set of slots, so that an event
// looks up each field once for all of them.
type Rules struct {
	// Alerts are patterns beside those that name alerts: rules with one of them are over alerts. It
	// is set before rules are added.
	Alerts detect.Alerts

	rules    []*rule.Rule
	fields   *event.Fields
	matchers detect.Matchers
	set      *match.Set // of the matchers; nil until it is asked for
	// Of each rule, whether it judges alerts, and the index of signals that it reads.
	over    []bool
	signals []string
	// indicators are nil until they are read
	indicators *indicators

	time       event.Slot
	alert      event.Slot   // what an alert is known by
	categories []event.Slot // what the rules read for one; event.category where none does
	gated      int          // how many rules judge only events of a category
}

// NewRules gives an empty set.
func NewRules() *Rules {
	r := &Rules{fields: &event.Fields{}}
	r.time = r.fields.Add("@timestamp")
	r.alert = r.fields.Add("kibana.alert.uuid")
	r.categories = []event.Slot{r.fields.Add(cond.DefaultCategoryField)}
	return r
}

// Add compiles a rule. Its error is that of [detect.Compile]; the rule is not added then.
func (r *Rules) Add(one *rule.Rule) error {
	where, over := r.Alerts.InFiles(one)
	compiled, err := detect.Compile(one, where, r.fields)
	if err != nil {
		return err
	}
	gated := true
	for _, m := range compiled.Matchers {
		field := m.CategoryField()
		if field == "" {
			gated = false
			continue
		}
		if slot := r.fields.Add(field); !slices.Contains(r.categories, slot) {
			r.categories = append(r.categories, slot)
		}
	}
	if gated {
		r.gated++
	}
	r.rules, r.set = append(r.rules, one), nil
	r.over, r.signals = append(r.over, over), append(r.signals, where.Signals)
	r.matchers.Add(compiled)
	return nil
}

// together returns the rules as a set, which is made once all of them are there.
func (r *Rules) together() *match.Set {
	if r.set == nil {
		r.set = match.NewSet(r.fields, r.matchers.All)
	}
	return r.set
}

// Len is the number of rules.
func (r *Rules) Len() int { return len(r.rules) }
