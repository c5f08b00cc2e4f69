package detect

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/event"
	"esrule/internal/finding"
)

// checkThreshold says what keeps a rule that counts events from counting any.
func (d *Detection) checkThreshold(check *RuleCheck) {
	if d.Threshold != nil {
		checkValues(check, d.Threshold.Paths(), "it counts events by the values of",
			"name a keyword field in the rule's threshold, or map the field as one")
	}
}

// checkNewTerms says what keeps a rule that asks for new values from finding any.
func (d *Detection) checkNewTerms(check *RuleCheck) {
	if d.NewTerms != nil {
		checkValues(check, d.NewTerms.Fields.Paths(), "it asks for new values of",
			"name a keyword field in the rule's new_terms_fields, or map the field as one")
	}
}

// checkHistory says where events do not reach back as far as the rule's history: values look new
// there that are not. Where nothing came within a day, other findings say so.
func (d *Detection) checkHistory(ctx context.Context, c Counter, check *RuleCheck,
	now time.Time) error {
	if d.NewTerms == nil {
		return nil
	}
	var patterns []string
	for _, p := range check.Patterns {
		if len(p.classes) > 0 && p.Events > 0 {
			patterns = append(patterns, p.Pattern)
		}
	}
	if len(patterns) == 0 {
		return nil
	}
	older, err := c.Count(ctx, patterns,
		dsl.Between(timestamp, time.Time{}, now.Add(-d.NewTerms.History)))
	if err != nil {
		return fmt.Errorf("count the events before the history of rule %s: %w", d.Rule.ID, err)
	}
	if older.Documents == 0 && len(older.Failures) == 0 {
		check.Add(finding.Finding{Code: finding.HistoryShort, Text: fmt.Sprintf("no event is as "+
			"old as the rule's history (%s): values that were not there since the first event look "+
			"new", d.NewTerms.History),
			Advice: "keep events for longer than the history, or wait " +
				"until there are so many before the rule's signals are taken at their word"})
	}
	return nil
}

// checkValues says of fields whose values a rule needs that no index maps them, or that some map
// them as text. All indices are looked at together, since an event counts wherever it is.
func checkValues(check *RuleCheck, paths []string, asks, advice string) {
	var classes []search.Class
	for _, p := range check.Patterns {
		classes = append(classes, p.classes...)
	}
	if len(classes) == 0 {
		return
	}
	var lacking, texts []string
	for _, path := range paths {
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
		check.Add(finding.Finding{Code: finding.KeyUnmapped, Text: fmt.Sprintf("%s %s, which "+
			"no index maps to a type with values, so no event counts: the rule can never fire",
			asks, strings.Join(lacking, ", "))})
		check.cannotFire(finding.KeyUnmapped)
	}
	if len(texts) > 0 {
		check.Add(finding.Finding{Code: finding.CountedText, Text: fmt.Sprintf("%s %s, which "+
			"is mapped as text: each whole text is a value here, in its own letter case, and "+
			"Kibana's search fails", asks, strings.Join(texts, ", ")), Advice: advice})
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
