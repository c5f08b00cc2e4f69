package schedule

import (
	"fmt"

	"esrule/internal/query/event"
	"esrule/internal/query/prefilter"
	"esrule/internal/query/search"
)

// plan is one search, laid out for the mappings of the moment.
type plan struct {
	request  prefilter.Clause
	fields   []string // asked of the search beside `_source`
	mappings map[string]*event.Mapping
	// uncovered are the indices that cannot be judged, whatever they answer.
	uncovered []Failure
}

func (p plan) indices() int { return len(p.mappings) }

// plan builds the search of a window over the classes of mappings that the patterns have now.
func (d *Detection) plan(classes []search.Class, timestamps prefilter.Timestamps, window Interval, own []string) plan {
	p := plan{mappings: map[string]*event.Mapping{}}
	var searched []prefilter.Class
	var left []string
	asked := map[string]bool{}
	for _, c := range classes {
		if reason := unjudgeable(c.Mapping); reason != "" {
			for _, index := range c.Indices {
				left = append(left, index)
				p.uncovered = append(p.uncovered, Failure{Index: index, Reason: reason})
			}
			continue
		}
		for _, index := range c.Indices {
			p.mappings[index] = c.Mapping
		}
		for _, path := range d.Fields.Paths() {
			if c.Mapping.Fields[path].FromFields && !asked[path] {
				asked[path] = true
				p.fields = append(p.fields, path)
			}
		}
		searched = append(searched, prefilter.Class{
			Indices: c.Indices,
			Window:  prefilter.Between(c.Mapping, timestamps, window.From, window.To),
			Filter:  prefilter.Build(d.Matcher.Condition(), c.Mapping).Clause,
		})
	}
	unseen := prefilter.Anytime(timestamps, window.From, window.To)
	p.request = prefilter.Guarded(searched, unseen)
	if left = append(left, own...); len(left) > 0 {
		p.request = prefilter.And(p.request, prefilter.Not(prefilter.Terms("_index", left)))
	}
	return p
}

// Query is what a search of a window asks of the classes of mappings that the patterns have now: the window
// and the pre-filter, without the indices in own. uncovered are those whose events cannot be judged.
func (d *Detection) Query(classes []search.Class, t prefilter.Timestamps, window Interval, own []string) (query prefilter.Clause, uncovered []Failure) {
	p := d.plan(classes, t, window, own)
	return p.request, p.uncovered
}

// unjudgeable says why the documents of a mapping cannot be read back, or is empty where they can.
func unjudgeable(m *event.Mapping) string {
	switch {
	case m.Source == event.SourceOff:
		return "the index keeps no _source: its events cannot be judged"
	case len(m.SourceMissing) > 0:
		return fmt.Sprintf("_source leaves out %s, which the rule reads: its events cannot be judged", m.SourceMissing)
	}
	return ""
}
