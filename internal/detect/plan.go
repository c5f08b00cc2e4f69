package detect

import (
	"fmt"
	"slices"
	"strings"

	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/event"
	"esrule/internal/query/match"
	"esrule/internal/query/prefilter"
	"esrule/internal/span"
)

// plan is the search of one window, laid out for the mappings of the moment.
type plan struct {
	searches []partSearch
	mappings map[string]*event.Mapping
	// uncovered are the indices that cannot be judged, whatever they answer.
	uncovered []Failure
}

// partSearch is what is searched for a part of a group.
type partSearch struct {
	part
	request dsl.Clause // everything that is searched
	// searches come to request together. There is more than one only where no shard of some indices
	// answers what is asked of others.
	searches []search.Request
}

func (p plan) indices() int { return len(p.mappings) }

// plan builds the search of a window over the classes of mappings that the patterns have now.
func (g *Group) plan(classes []search.Class, timestamps prefilter.Timestamps,
	window span.Interval, own []string) plan {
	p := plan{mappings: map[string]*event.Mapping{}}
	var judged []search.Class
	left, mapped := slices.Clone(own), g.mapped()
	for _, c := range classes {
		if reason := unjudgeable(c.Mapping, mapped, g.matchers...); reason != "" {
			for _, index := range c.Indices {
				left = append(left, index)
				p.uncovered = append(p.uncovered, Failure{Index: index, Reason: reason})
			}
			continue
		}
		for _, index := range c.Indices {
			p.mappings[index] = c.Mapping
		}
		judged = append(judged, c)
	}
	for _, one := range g.parts {
		p.searches = append(p.searches, g.partSearch(one, judged, timestamps, window))
	}
	if len(left) > 0 {
		p.narrow(dsl.Not(dsl.Terms("_index", left)))
	}
	return p
}

// partSearch builds what is searched for a part of the group.
func (g *Group) partSearch(one part, classes []search.Class, timestamps prefilter.Timestamps,
	window span.Interval) partSearch {
	var asks []*ask
	var searched []prefilter.Class
	for _, c := range classes {
		class := prefilter.Class{
			Indices: c.Indices,
			Window:  prefilter.Between(c.Mapping, timestamps, window.From, window.To),
			Filter:  g.partFilter(one, c.Mapping),
		}
		searched = append(searched, class)
		asks = asked(asks, class, c.Mapping, g.wanted(c.Mapping))
	}
	unseen := prefilter.Anytime(timestamps, window.From, window.To)
	s := partSearch{part: one, request: prefilter.Guarded(searched, unseen),
		searches: requests(asks, unseen)}
	if len(asks) < 2 {
		s.searches[0].Query = s.request
	}
	bare := prefilter.Guarded(unfiltered(searched), unseen)
	for i := range s.searches {
		s.searches[i].Instead = bare
	}
	return s
}

// unfiltered returns the classes without their pre-filters: what is asked of indices that refuse
// them.
func unfiltered(classes []prefilter.Class) []prefilter.Class {
	all := slices.Clone(classes)
	for i := range all {
		all[i].Filter = dsl.Everything()
	}
	return all
}

// narrow leaves out what a clause does not accept.
func (p *plan) narrow(to dsl.Clause) {
	for _, one := range p.searches {
		for i, s := range one.searches {
			one.searches[i].Query = dsl.And(s.Query, to)
			one.searches[i].Instead = dsl.And(s.Instead, to)
		}
	}
	for i := range p.searches {
		p.searches[i].request = dsl.And(p.searches[i].request, to)
	}
}

// Query is what a search of a window asks of the classes of mappings that the patterns have now:
// the window and the pre-filter, without the indices in own. uncovered are those whose events
// cannot be judged.
func (d *Detection) Query(classes []search.Class, t prefilter.Timestamps, window span.Interval,
	own []string) (query dsl.Clause, uncovered []Failure) {
	p := d.alone().plan(classes, t, window, own)
	return p.searches[0].request, p.uncovered
}

// unjudgeable says why the documents of a mapping cannot be judged by what is read of them, or is
// empty where they can.
func unjudgeable(m *event.Mapping, read []string, matchers ...*match.Matcher) string {
	unknown := unknownOf(m, matchers...)
	missing := slices.DeleteFunc(slices.Clone(m.SourceMissing), func(path string) bool {
		return !slices.ContainsFunc(read, func(one string) bool {
			return event.StandsFor(one, path)
		})
	})
	switch {
	case m.Source == event.SourceOff:
		return "the index keeps no _source: its events cannot be judged"
	case len(missing) > 0:
		return fmt.Sprintf("_source leaves out %s, which the rule reads: its events cannot be judged", missing)
	case len(unknown) > 0:
		return "what is not known of its fields keeps its events from being judged: " +
			strings.Join(unknown, "; ")
	}
	return ""
}

// unknownOf returns what is not known of a mapping's fields, and is asked of them.
func unknownOf(m *event.Mapping, matchers ...*match.Matcher) []string {
	unknown := slices.Clone(m.Unknown)
	for _, one := range matchers {
		unknown = append(unknown, one.Unknown(m)...)
	}
	slices.Sort(unknown)
	return slices.Compact(unknown)
}
