package detect

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"esrule/internal/detect/indicator"
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
	// every accepts all events of the window, and whole says why all of them are read of some
	// indices; it is empty where the pre-filters narrow everywhere.
	every dsl.Clause
	whole string
}

// known is what is known of a group's rules, by their places, that narrows their pre-filters.
type known struct {
	indicators []*indicator.Set // nil where they are not known
	keys       map[int]keys     // of rules that count events
}

// partSearch is what is searched for a part of a group.
type partSearch struct {
	part
	request dsl.Clause // everything that is searched
	// asked are the mappings whose indices are asked about each hit (see [prefilter.Asked]).
	asked map[*event.Mapping]bool
	// searches come to request together. There is more than one only where no shard of some indices
	// answers what is asked of others.
	searches []search.Request
}

func (p plan) indices() int { return len(p.mappings) }

// prepare has the sets of the searches made by others than who asks for them.
func (p plan) prepare() {
	for _, one := range p.searches {
		if one.set != nil {
			go one.set()
		}
	}
}

// plan builds the search of a window over the classes of mappings that the patterns have now. whole
// says why all events of the window are to be read, empty where the pre-filters decide. own are the
// program's indices.
func (g *Group) plan(classes []search.Class, timestamps prefilter.Timestamps,
	window span.Interval, own []string, whole string, known known) plan {
	p := plan{mappings: map[string]*event.Mapping{}, whole: whole}
	var judged []search.Class
	var asked prefilter.Questions // of all parts
	left, mapped := g.where().Unread(own), g.mapped()
	for _, c := range classes {
		reason := unjudgeable(c.Mapping, mapped, g.matchers.Compiled...)
		if reason == "" && !asked.Add(c.Indices, askedOf(c.Mapping, g.reading())) {
			reason = tooMuchAsked
		}
		if reason != "" {
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
	g.lay(&p, judged, timestamps, window, known)
	if len(left) > 0 {
		p.narrow(dsl.Not(dsl.Terms("_index", left)))
	}
	return p
}

// tooMuchAsked is why the events of an index are not judged for rules that ask too much of it.
var tooMuchAsked = fmt.Sprintf(
	"more than %d comparisons with words that another analyzer than the "+
		"standard one makes are to be asked of the index about each event: its events cannot be "+
		"judged; write the rule as several, with some of the comparisons each",
	prefilter.MostAsked)

// askedOf returns what indices of a mapping are asked about each hit, for matchers that judge it.
func askedOf(m *event.Mapping, matchers []*match.Matcher) (named []dsl.Clause) {
	if !m.IndexHasWords() {
		return nil
	}
	for _, one := range matchers {
		named = append(named, prefilter.Asked(one.Condition(), m)...)
	}
	return named
}

// askedFields returns the fields of which the indices of a mapping are asked about each hit.
func askedFields(m *event.Mapping, matchers []*match.Matcher) (fields []string) {
	for _, one := range matchers {
		fields = append(fields, one.Asked(m)...)
	}
	slices.Sort(fields)
	return slices.Compact(fields)
}

// readingFor are the matchers that judge events for a part of the group.
func (g *Group) readingFor(p part) (all []*match.Matcher) {
	last := -1
	for _, of := range g.matchers.Of[p.first:p.end] {
		if of != last {
			all = append(all, g.matchers.Compiled[of].reading()...)
			last = of
		}
	}
	return all
}

// lay adds the searches: one for each part of the group, and one for all parts of the indices in
// which some pre-filter narrows nothing: each event is read once there.
func (g *Group) lay(p *plan, classes []search.Class, timestamps prefilter.Timestamps,
	window span.Interval, known known) {
	unseen := prefilter.Anytime(timestamps, window.From, window.To)
	var narrow, wide, all []laid
	filtered := g.parts
	if p.whole != "" { // no pre-filter is asked
		filtered = nil
	}
	for _, c := range classes {
		one := laid{Class: c, filters: make([]dsl.Clause, len(g.parts)),
			window: prefilter.Between(c.Mapping, timestamps, window.From, window.To)}
		isWide := p.whole != ""
		for i, part := range filtered {
			filter, by := g.partFilter(part, c.Mapping, known)
			one.filters[i] = filter
			if by == "" {
				continue
			}
			isWide = true
			p.whole = cmp.Or(p.whole, by)
			if len(g.parts) > 1 { // the other parts' filters are not asked either
				break
			}
		}
		all = append(all, one)
		if isWide {
			wide = append(wide, one)
		} else {
			narrow = append(narrow, one)
		}
	}
	p.every = prefilter.Guarded(classesOf(all, everything), unseen)
	if len(g.parts) == 1 && len(narrow) > 0 { // one search reads both kinds
		narrow, wide = all, nil
	}
	if len(narrow) > 0 || len(wide) == 0 {
		for i, part := range g.parts {
			s := g.partSearch(part, narrow, unseen, func(c laid) dsl.Clause { return c.filters[i] })
			if len(wide) > 0 {
				s.narrow(dsl.Not(dsl.Terms("_index", indicesOf(wide))))
			}
			p.searches = append(p.searches, s)
		}
	}
	if len(wide) > 0 {
		s := g.partSearch(g.all, wide, unseen, everything)
		if len(narrow) > 0 {
			s.narrow(dsl.Terms("_index", indicesOf(wide)))
		}
		p.searches = append(p.searches, s)
	}
}

// laid is a class of mappings, with the window and the pre-filters of the parts over it.
type laid struct {
	search.Class
	window  dsl.Clause
	filters []dsl.Clause
}

func everything(laid) dsl.Clause { return dsl.Everything() }

// classesOf returns classes with a filter.
func classesOf(list []laid, filter func(laid) dsl.Clause) []prefilter.Class {
	classes := make([]prefilter.Class, len(list))
	for i, c := range list {
		classes[i] = prefilter.Class{Indices: c.Indices, Window: c.window, Filter: filter(c)}
	}
	return classes
}

func indicesOf(classes []laid) (names []string) {
	for _, c := range classes {
		names = append(names, c.Indices...)
	}
	return names
}

// partSearch builds what is searched for a part of the group.
func (g *Group) partSearch(one part, classes []laid, unseen dsl.Clause,
	filter func(laid) dsl.Clause) partSearch {
	var asks []*ask
	var questions prefilter.Questions
	reading := g.readingFor(one)
	searched := classesOf(classes, filter)
	s := partSearch{part: one, asked: map[*event.Mapping]bool{}}
	for i, class := range searched {
		m := classes[i].Mapping
		asks = asked(asks, class, m, g.wanted(m))
		named := askedOf(m, reading)
		questions.Add(class.Indices, named) // there is room: that of all parts was looked at
		s.asked[m] = len(named) > 0
	}
	s.request = prefilter.GuardedBeside(questions.Leaves(), searched, unseen)
	s.searches = requests(asks, questions.Leaves(), unseen)
	if len(asks) < 2 {
		s.searches[0].Query = s.request
	}
	bare := prefilter.Guarded(classesOf(classes, everything), unseen)
	for i := range s.searches {
		s.searches[i].Instead, s.searches[i].Asked = bare, questions.Clause
	}
	return s
}

// narrow leaves out what a clause does not accept.
func (p *plan) narrow(to dsl.Clause) {
	p.every = dsl.And(p.every, to)
	for i := range p.searches {
		p.searches[i].narrow(to)
	}
}

// narrow leaves out what a clause does not accept.
func (s *partSearch) narrow(to dsl.Clause) {
	s.request = dsl.And(s.request, to)
	for i, one := range s.searches {
		s.searches[i].Query = dsl.And(one.Query, to)
		s.searches[i].Instead = dsl.And(one.Instead, to)
	}
}

// Query is what a search of a window asks of the classes of mappings that the patterns have now:
// the window and the pre-filter, without the indices in own. uncovered are those whose events
// cannot be judged.
func (d *Detection) Query(classes []search.Class, t prefilter.Timestamps, window span.Interval,
	own []string) (query dsl.Clause, uncovered []Failure) {
	p := d.alone().plan(classes, t, window, own, "", known{})
	return p.searches[0].request, p.uncovered
}

// Queries is [Detection.Query] for the rules of a group: what each of their searches asks. every is
// what a search asks that reads all events of the window. apart are the rules, by their places, for
// which some index cannot be judged that can be for others; then there are no queries. Each index
// in uncovered can be judged for none of the rules.
func (g *Group) Queries(classes []search.Class, t prefilter.Timestamps, window span.Interval,
	own []string) (queries []dsl.Clause, every dsl.Clause, uncovered []Failure, apart []int) {
	p := g.plan(classes, t, window, own, "", known{})
	if len(p.uncovered) > 0 && len(g.detections) > 1 {
		return nil, p.every, nil, g.apart(classes)
	}
	for _, one := range p.searches {
		queries = append(queries, one.request)
	}
	return queries, p.every, p.uncovered, nil
}

// unjudgeable says why the events of a class cannot be judged for the rule alone; it is empty where
// they can.
func (d *Detection) unjudgeable(c search.Class) string {
	reason := unjudgeable(c.Mapping, d.Mapped(), d.Compiled)
	if reason == "" && !new(prefilter.Questions).Add(c.Indices, askedOf(c.Mapping, d.reading())) {
		reason = tooMuchAsked
	}
	return reason
}

// unjudgeable says why the documents of a mapping cannot be judged by what is read of them, or is
// empty where they can.
func unjudgeable(m *event.Mapping, read []string, rules ...Compiled) string {
	unknown := unknownOf(m, rules...)
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
func unknownOf(m *event.Mapping, rules ...Compiled) []string {
	unknown := slices.Clone(m.Unknown)
	for _, r := range rules {
		for _, one := range r.reading() {
			unknown = append(unknown, one.Unknown(m)...)
		}
		if r.Threat != nil {
			unknown = append(unknown, r.Threat.Plan.Unknown(m)...)
		}
	}
	slices.Sort(unknown)
	return slices.Compact(unknown)
}
