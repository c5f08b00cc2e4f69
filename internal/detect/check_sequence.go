package detect

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/common/model"

	"esrule/internal/detect/sequence"
	"esrule/internal/elastic/search"
	"esrule/internal/event"
	"esrule/internal/finding"
	"esrule/internal/query/prefilter"
)

// checkSequence says what keeps a rule that joins events from finding any: its stages may be taken
// by events of different indices, so all of them are looked at together. It also says what maxspan
// means beside the look-back.
func (d *Detection) checkSequence(check *RuleCheck) {
	if d.Sequence == nil {
		return
	}
	d.noteSpan(check)
	var classes []search.Class
	for _, p := range check.Patterns {
		classes = append(classes, p.classes...)
	}
	if len(classes) == 0 {
		return
	}
	stages := d.Sequence.Stages()
	taking := make([][]search.Class, len(stages)) // where each stage can be taken
	for i, s := range stages {
		name := s.Name
		fitting := slices.DeleteFunc(slices.Clone(classes), func(c search.Class) bool {
			return prefilter.Build(d.Matchers[i].Condition(), c.Mapping).Clause.IsNothing()
		})
		if len(fitting) == 0 {
			d.never(check, s, finding.StageNeverMatches,
				name+": no event of any index satisfies its condition")
			continue
		}
		var lacking []string
		for _, k := range s.Keys {
			if !k.Optional && !slices.ContainsFunc(fitting, mapsField(k.Path)) {
				lacking = append(lacking, k.Path)
			}
		}
		if len(lacking) > 0 {
			d.never(check, s, finding.KeyUnmapped, fmt.Sprintf("%s: its key %s is not mapped in "+
				"any index where an event can take it, and an event without it takes no stage",
				name, strings.Join(lacking, ", ")))
			continue
		}
		taking[i] = fitting
	}
	d.compareKeys(check, stages, taking)
}

// never adds what keeps a stage from being taken: the rule cannot fire, or alerts on too much where
// the stage asks that there is no such event.
func (d *Detection) never(check *RuleCheck, s sequence.Stage, code finding.Code, text string) {
	if s.Absent {
		check.Add(finding.Finding{Code: code,
			Text: text + ": it keeps no sequence from being found"})
		return
	}
	check.Add(finding.Finding{Code: code, Text: text + ": the rule can never fire"})
	check.cannotFire(code)
}

// noteSpan says what maxspan means beside the look-back, which is all that Kibana reads.
func (d *Detection) noteSpan(check *RuleCheck) {
	from, every := model.Duration(d.Rule.From), model.Duration(d.Rule.Interval)
	switch longest := d.Sequence.MaxSpan(); {
	case longest == 0:
		check.Add(finding.Finding{Code: finding.NoMaxSpan, Text: fmt.Sprintf(
			"it has no maxspan: its events are within the rule's look-back, %s, of each other",
			from)})
	case d.Rule.Interval > 0 && longest > d.Rule.From-d.Rule.Interval:
		check.Add(finding.Finding{Code: finding.SpanOverLookBack, Text: fmt.Sprintf("Kibana looks "+
			"back %s every %s, and misses sequences that are up to maxspan=%s long and lie across "+
			"two runs; here all are found, since %s before each window are read", from, every,
			model.Duration(longest), model.Duration(longest))})
	}
}

// compareKeys says which keys are compared that can never be equal: the values of fields of
// different types.
func (d *Detection) compareKeys(check *RuleCheck, stages []sequence.Stage,
	taking [][]search.Class) {
	for i, s := range stages {
		for k := range s.Keys {
			for j := range i {
				one, other := stages[j].Keys[k], s.Keys[k]
				kinds, others := kindsOf(taking[j], one), kindsOf(taking[i], other)
				if len(kinds) == 0 || len(others) == 0 || overlap(kinds, others) ||
					one.Optional && other.Optional {
					continue
				}
				about := s
				about.Absent = s.Absent || stages[j].Absent
				d.never(check, about, finding.KeysNeverEqual, fmt.Sprintf("%s has the key %s "+
					"(%s), %s %s (%s), and values of these types are never equal", stages[j].Name,
					one.Path, strings.Join(kinds, ", "), s.Name, other.Path,
					strings.Join(others, ", ")))
				break
			}
		}
	}
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(one string) bool { return slices.Contains(b, one) })
}

func mapsField(path string) func(search.Class) bool {
	return func(c search.Class) bool { return c.Mapping.Fields[path].Type != event.Unmapped }
}

// kindsOf returns what the values of a key are in the classes, in one word each: values of
// different kinds are never equal.
func kindsOf(classes []search.Class, k sequence.KeyField) (kinds []string) {
	for _, c := range classes {
		if kind := kindOf(c.Mapping.Fields[k.Path].Type); kind != "" {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// kindOf returns what keys of a type are; it is empty where they have no value of their own.
func kindOf(t event.Type) string {
	switch t {
	case event.Keyword, event.Text, event.Other, event.Untyped:
		return "a text"
	case event.Integer, event.Unsigned, event.Float:
		return "a number"
	case event.Boolean:
		return "a boolean"
	case event.Date, event.DateNanos:
		return "a date"
	case event.IP:
		return "an address"
	case event.Version:
		return "a version"
	case event.Unmapped, event.Object:
	}
	return ""
}
