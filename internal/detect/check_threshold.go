package detect

import (
	"fmt"
	"slices"
	"strings"

	"esrule/internal/elastic/search"
	"esrule/internal/event"
	"esrule/internal/finding"
)

// checkThreshold says what keeps a rule that counts events from counting any: a field that no index
// maps. All indices are looked at together, since an event counts wherever it is.
func (d *Detection) checkThreshold(check *RuleCheck) {
	if d.Threshold == nil {
		return
	}
	var classes []search.Class
	for _, p := range check.Patterns {
		classes = append(classes, p.classes...)
	}
	if len(classes) == 0 {
		return
	}
	var lacking, texts []string
	for _, path := range d.Threshold.Paths() {
		holds := func(c search.Class) bool { return kindOf(c.Mapping.Fields[path].Type) != "" }
		isText := func(c search.Class) bool { return c.Mapping.Fields[path].Type == event.Text }
		switch {
		case !slices.ContainsFunc(classes, holds):
			lacking = append(lacking, path)
		case slices.ContainsFunc(classes, isText):
			texts = append(texts, path)
		}
	}
	if len(lacking) > 0 {
		check.Add(finding.Finding{Code: finding.KeyUnmapped, Text: fmt.Sprintf("it counts events "+
			"by the values of %s, which no index maps to a type with values, so no event counts: "+
			"the rule can never fire", strings.Join(lacking, ", "))})
		check.cannotFire(finding.KeyUnmapped)
	}
	if len(texts) > 0 {
		check.Add(finding.Finding{Code: finding.CountedText, Text: fmt.Sprintf("it counts events "+
			"by the values of %s, which is mapped as text: each whole text is a value here, in "+
			"its own letter case, and Kibana's search fails", strings.Join(texts, ", ")),
			Advice: "name a keyword field in the rule's threshold, or map the field as one"})
	}
}

// cannotFire notes why the rule can fire nowhere, though some events satisfy its condition.
func (c *RuleCheck) cannotFire(why finding.Code) {
	for i := range c.Patterns {
		if p := &c.Patterns[i]; p.CanFire {
			p.CanFire, p.never = false, why
		}
	}
}
