package backfill

import (
	"fmt"
	"slices"

	"esrule/internal/detect"
	"esrule/internal/elastic/indexpattern"
	"esrule/internal/query/rule"
)

// joint is rules that are searched together.
type joint struct {
	detections []*detect.Detection
	patterns   []string // what is searched for them
}

// joined puts the rules together that are searched in the same patterns, in the order in which they
// come. may reports whether a pattern of a rule may be read.
func joined(detections []*detect.Detection, may func(label string) bool) (all []joint) {
	at := map[string]int{}
	for _, d := range detections {
		patterns := indexpattern.Keep(d.Patterns, func(pattern string) bool {
			return may(labelOf(d.Patterns, pattern))
		})
		key := fmt.Sprintf("%q %q %s", d.Patterns, patterns, d.Kind())
		i, known := at[key]
		if !known {
			i, at[key] = len(all), len(all)
			all = append(all, joint{patterns: patterns})
		}
		all[i].detections = append(all[i].detections, d)
	}
	return all
}

// without takes the rules at some places out, each to be searched alone, and returns them behind
// the others. Where none is named, it takes all out.
func (j joint) without(places []int) (all []joint) {
	rest := joint{patterns: j.patterns}
	var alone []joint
	for i, d := range j.detections {
		if len(places) == 0 || slices.Contains(places, i) {
			alone = append(alone, joint{[]*detect.Detection{d}, j.patterns})
			continue
		}
		rest.detections = append(rest.detections, d)
	}
	if len(rest.detections) > 0 {
		all = append(all, rest)
	}
	return append(all, alone...)
}

// halves returns the halves of two or more rules.
func (j joint) halves() []joint {
	middle := len(j.detections) / 2
	return []joint{{j.detections[:middle], j.patterns}, {j.detections[middle:], j.patterns}}
}

// part returns the part of a plan for the rules, without cuts.
func (j joint) part() Part {
	p := Part{Patterns: j.patterns}
	for _, d := range j.detections {
		p.Rules = append(p.Rules, PartRule{RuleID: d.Rule.ID, Name: d.Rule.Name,
			Fingerprint: d.Fingerprint()})
	}
	return p
}

func (j joint) ids() []rule.ID { return j.part().IDs() }

// name is what an error calls the rules.
func (j joint) name() string {
	first := j.detections[0].Rule
	if len(j.detections) == 1 {
		return fmt.Sprintf("the rule %q (%s)", first.Name, first.ID)
	}
	return fmt.Sprintf("%d rules over %s", len(j.detections), j.patterns)
}
