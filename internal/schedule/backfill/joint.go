package backfill

import (
	"fmt"
	"slices"

	"esrule/internal/detect"
	"esrule/internal/elastic/indexpattern"
	"esrule/internal/elastic/search"
	"esrule/internal/query/rule"
)

// joint is rules that are searched together.
type joint struct {
	detections []*detect.Detection
	patterns   []string // what is searched for them
	stands     []string // see [Part.Stands]
}

// joined puts the rules together that are searched in the same patterns, in the order in which they
// come, or in patterns that stand for the same indices, where they are known. may reports whether a
// pattern of a rule may be read.
func joined(detections []*detect.Detection, may func(label string) bool,
	known *search.Resolution) (all []joint) {
	at := map[string]int{}
	for _, d := range detections {
		patterns := indexpattern.Keep(d.Patterns, func(pattern string) bool {
			return may(labelOf(d.Patterns, pattern))
		})
		place := fmt.Sprintf("%q %q", d.Patterns, patterns)
		stands := standing(known, d, patterns)
		if stands != nil {
			place = fmt.Sprintf("%q", stands)
		}
		key := place + " " + d.Kind()
		i, there := at[key]
		if !there {
			i, at[key] = len(all), len(all)
			all = append(all, joint{patterns: patterns, stands: stands})
		}
		all[i].detections = append(all[i].detections, d)
	}
	for i := range all {
		all[i].unite()
	}
	return all
}

// standing returns the indices that the patterns of a rule stand for; nil where they are not known,
// or a part of them is not searched.
func standing(known *search.Resolution, d *detect.Detection, patterns []string) []string {
	if known == nil || !slices.Equal(patterns, d.Patterns) {
		return nil
	}
	all, ok := known.Standings(patterns)
	if !ok {
		return nil
	}
	return detect.Stands(all)
}

// unite has the patterns of all rules searched where they differ.
func (j *joint) unite() {
	patterns, same := indexpattern.Union(patternsOf(j.detections))
	if same { // they may be more than may be read
		j.stands = nil
		return
	}
	j.patterns = patterns
}

// patternsOf are the lists of patterns of rules.
func patternsOf(detections []*detect.Detection) [][]string {
	lists := make([][]string, len(detections))
	for i, d := range detections {
		lists[i] = d.Patterns
	}
	return lists
}

// with returns some of the rules.
func (j joint) with(detections ...*detect.Detection) joint {
	j.detections = detections
	return j
}

// without takes the rules at some places out, each to be searched alone, and returns them after the
// others. Where none is named, it takes all out.
func (j joint) without(places []int) (all []joint) {
	rest := j.with()
	var alone []joint
	for i, d := range j.detections {
		if len(places) == 0 || slices.Contains(places, i) {
			alone = append(alone, j.with(d))
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
	return []joint{j.with(j.detections[:middle]...), j.with(j.detections[middle:]...)}
}

// part returns the part of a plan for the rules, without cuts.
func (j joint) part() Part {
	p := Part{Patterns: j.patterns, Stands: j.stands}
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
