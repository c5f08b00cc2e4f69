package detect

import (
	"fmt"
	"slices"
	"time"

	"esrule/internal/event"
	"esrule/internal/finding"
	"esrule/internal/query/lint"
	"esrule/internal/query/match"
	"esrule/internal/query/prefilter"
	"esrule/internal/query/rule"
)

// doubt adds what is doubtful about a rule wherever it runs, and about its operators on fields as
// its patterns map them.
func (d *Detection) doubt(check *RuleCheck, now time.Time) {
	var mapped []string
	for _, p := range check.Patterns {
		for _, f := range p.Fields {
			if f.Mapping != Unmapped {
				mapped = append(mapped, f.Path)
			}
		}
	}
	for _, x := range d.Rule.Unapplied(now) {
		check.Add(finding.Finding{Code: finding.ExceptionsNotApplied,
			Text:   fmt.Sprintf("its exception %s is not applied: %s", x, x.Fault),
			Advice: rule.ExceptionsAdvice})
	}
	if d.Rule.Suppresses() {
		check.Add(finding.Finding{Code: finding.SuppressionNotApplied,
			Text: "its alert_suppression is not applied: each event that matches is a signal"})
	}
	queries := d.Rule.Body.Queries()
	for _, q := range queries {
		if doubts := lint.Query(q, mapped...); len(doubts) > 0 {
			check.Doubts = append(check.Doubts, d.Rule.Locate(doubts.Errors())...)
			check.Findings = append(check.Findings, findingsOf(doubts)...)
		}
	}
	if !prefilter.Selective(d.alone().filter(allKeywords(d.Fields))) {
		of := "in its patterns"
		if !slices.ContainsFunc(d.Matchers, anyCategory) {
			of = "of its category"
		}
		check.Add(finding.Finding{Code: finding.ReadsCategory,
			Text: "no exact value of a telling field narrows the search: every event " + of +
				" is read"})
	}
	if slices.ContainsFunc(d.Matchers, judgesEverything) {
		check.Add(finding.Finding{Code: finding.JudgesEverything,
			Text: "no value that an event must have tells the rule from others: it is evaluated " +
				"on every event that is read for its group",
			Advice: "Require a value or a field, such as event.category, to make it cheap."})
	}
	for i := range check.Patterns {
		p := &check.Patterns[i]
		fields := lint.Fields{}
		for _, f := range p.Fields {
			fields[f.Path] = f.Mappings
		}
		for _, q := range queries {
			never, texts := lint.Types(q, fields)
			d.addLocated(&p.List, never)
			d.addLocated(&p.List, texts)
		}
	}
}

// anyCategory reports whether a matcher judges events of every category.
func anyCategory(m *match.Matcher) bool { return m.CategoryField() == "" }

func judgesEverything(m *match.Matcher) bool { return !m.HasWitness() }

// addLocated adds doubts that people read with their places in the rule's file.
func (d *Detection) addLocated(to *finding.List, doubts lint.Doubts) {
	if len(doubts) == 0 {
		return
	}
	located := d.Rule.Locate(doubts.Errors())
	for i, f := range findingsOf(doubts) {
		to.AddAs(f, located[i].Error())
	}
}

func findingsOf(doubts lint.Doubts) []finding.Finding {
	list := make([]finding.Finding, len(doubts))
	for i, one := range doubts {
		list[i] = finding.Finding{Code: one.Code, Severity: finding.SeverityOf(one.Code),
			Text: one.At.Message, Advice: one.At.Advice}
	}
	return list
}

// allKeywords returns a mapping in which every field is a keyword, for a rule without an index.
func allKeywords(fields *event.Fields) *event.Mapping {
	m := &event.Mapping{Fields: map[string]event.FieldMapping{}}
	for _, path := range fields.Paths() {
		m.Fields[path] = event.FieldMapping{Type: event.Keyword, Name: "keyword", Exact: path}
	}
	return m
}
