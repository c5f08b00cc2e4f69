package detect

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"esrule/internal/detect/indicator"
	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/match"
	"esrule/internal/query/prefilter"
)

// Group is rules that are searched together: from one point in time, after one look at the
// mappings, and by as few searches as their pre-filters have room in. An event leaves the cluster
// once for each of the searches that want it, however many rules do. The rules' patterns stand for
// the same indices, and their timestamps are the same.
type Group struct {
	detections []*Detection
	matchers   Matchers // of the detections, over fields
	fields     *event.Fields
	parts      []part
	all        part // all parts as one, for which every event of a window is read
	economy    economy
}

// part is the rules of a group that one search is for.
type part struct {
	first, end int               // the places of their matchers
	set        func() *match.Set // of the matchers; nil where there is one
}

// alone returns a group of one rule.
func (d *Detection) alone() *Group {
	g := &Group{detections: []*Detection{d}, fields: d.Fields}
	g.matchers.Add(d.Compiled)
	g.all = g.part(0, len(g.matchers.All))
	g.parts = []part{g.all}
	return g
}

// NewGroup returns the group of rules that are to be searched together. It fails where one
// [Compiler] has not compiled all of them.
func NewGroup(detections []*Detection) (*Group, error) {
	if len(detections) == 1 {
		return detections[0].alone(), nil
	}
	g := &Group{detections: detections, fields: detections[0].Fields.Beside()}
	for _, d := range detections {
		if !g.fields.Join(d.Fields) {
			return nil, fmt.Errorf("rule %q (%s) was not compiled by the compiler of rule %q",
				d.Rule.Name, d.Rule.ID, detections[0].Rule.Name)
		}
		g.matchers.Add(d.Compiled)
	}
	g.divide()
	return g, nil
}

// mostLeaves is how many clauses of pre-filters one search has room for: Elasticsearch takes 1,024,
// and indices with other mappings need clauses of their own.
const mostLeaves = 500

// divide cuts the rules into parts whose pre-filters one search has room for.
func (g *Group) divide() {
	keywords := allKeywords(g.fields)
	first, end, leaves := 0, 0, 0
	for _, c := range g.matchers.Compiled {
		more := 0
		for _, m := range c.Matchers {
			more += prefilter.Build(m.Condition(), keywords).Clause.Leaves()
		}
		if end > first && leaves+more > mostLeaves {
			g.parts = append(g.parts, g.part(first, end))
			first, leaves = end, 0
		}
		end += len(c.Matchers)
		leaves += more
	}
	g.all = g.part(0, end)
	if first == 0 {
		g.parts = []part{g.all}
		return
	}
	g.parts = append(g.parts, g.part(first, end))
}

// part returns the part of the matchers from first to before end. Its set is made when the first
// event is judged by it: of a group that reads whole windows no other part ever judges one.
func (g *Group) part(first, end int) part {
	p := part{first: first, end: end}
	if end-first > 1 {
		p.set = sync.OnceValue(func() *match.Set {
			return match.NewSet(g.fields, g.matchers.All[first:end])
		})
	}
	return p
}

// name is what the log calls the group: its first rule, and how many more there are.
func (g *Group) name() string {
	first := string(g.detections[0].Rule.ID)
	if more := len(g.detections) - 1; more > 0 {
		return fmt.Sprintf("%s and %d more", first, more)
	}
	return first
}

// apart returns the rules for which some index cannot be judged, by their places; where there is
// none, those that ask an index about each event more than there is room for beside the others.
func (g *Group) apart(classes []search.Class) (rules []int) {
	for i, d := range g.detections {
		if slices.ContainsFunc(classes, func(c search.Class) bool {
			return d.unjudgeable(c) != ""
		}) {
			rules = append(rules, i)
		}
	}
	if len(rules) > 0 {
		return rules
	}
	var within []*match.Matcher // that there is room for
	for i, d := range g.detections {
		if !d.asks(classes) {
			continue
		}
		more := slices.Concat(within, d.reading())
		if !haveRoom(more, classes) {
			rules = append(rules, i)
			continue
		}
		within = more
	}
	return rules
}

// asks reports whether the rule asks some index about each event.
func (d *Detection) asks(classes []search.Class) bool {
	return slices.ContainsFunc(classes, func(c search.Class) bool {
		return len(askedOf(c.Mapping, d.reading())) > 0
	})
}

// haveRoom reports whether a search has room for what matchers ask about each event.
func haveRoom(matchers []*match.Matcher, classes []search.Class) bool {
	var all prefilter.Questions
	return !slices.ContainsFunc(classes, func(c search.Class) bool {
		return !all.Add(c.Indices, askedOf(c.Mapping, matchers))
	})
}

// each calls visit for each of the part's matchers that could accept the event, by its place in the
// group.
func (p part) each(e *match.Evaluation, visit func(matcher int)) {
	if p.set == nil {
		visit(p.first)
		return
	}
	p.set().Candidates(e, func(i int) { visit(p.first + i) })
}

// filter is the pre-filter of a rule that is alone: what its queries could accept.
func (g *Group) filter(m *event.Mapping) dsl.Clause {
	filter, _ := g.partFilter(g.parts[0], m, known{})
	return filter
}

// partFilter is the pre-filter of all rules of a part in one: what any of them could match. by says
// whose of them narrows nothing; it is empty where they narrow.
func (g *Group) partFilter(p part, m *event.Mapping,
	known known) (filter dsl.Clause, by string) {
	filters := make([]dsl.Clause, 0, p.end-p.first)
	for i, one := range g.matchers.All[p.first:p.end] {
		condition, of := one.Condition(), g.matchers.Of[p.first+i]
		if threat := g.matchers.Compiled[of].Threat; threat != nil {
			var indicators *indicator.Set
			if known.indicators != nil {
				indicators = known.indicators[of]
			}
			condition = threat.narrowed(condition, indicators, m)
		}
		filter := dsl.And(prefilter.Build(condition, m).Clause, known.keys[of].clause(m))
		if filter.IsEverything() {
			r := g.detections[g.matchers.Of[p.first+i]].Rule
			return filter, fmt.Sprintf("the pre-filter of rule %q (%s) narrows nothing", r.Name,
				r.ID)
		}
		filters = append(filters, filter)
	}
	return dsl.Or(filters...), ""
}

// mapped lists the fields whose mappings a search of the rules needs.
func (g *Group) mapped() []string {
	mapped := g.fields.Paths()
	for _, d := range g.detections {
		mapped = append(mapped, d.Timestamps().Fields()...)
	}
	slices.Sort(mapped)
	return slices.Compact(mapped)
}

// Classes reads what the indices of patterns make of the rules' fields, and of their constants
// where only they know.
func (g *Group) Classes(ctx context.Context, m Mapper,
	patterns []string) ([]search.Class, error) {
	classes, err := m.Mappings(ctx, patterns, g.mapped())
	if err != nil {
		return nil, fmt.Errorf("read the mappings of %s: %w", patterns, err)
	}
	constants, texts := map[string][]string{}, map[string]bool{}
	for _, one := range g.reading() {
		for path, of := range cond.Constants(one.Condition()) {
			constants[path] = append(constants[path], of...)
		}
		for _, text := range one.Texts() {
			texts[text] = true
		}
	}
	for path, of := range maps.Clone(constants) {
		if !strings.Contains(path, "*") {
			continue
		}
		for _, class := range classes {
			for _, name := range class.Mapping.FieldsOf(path) {
				constants[name] = append(constants[name], of...)
			}
		}
	}
	for path, of := range constants {
		slices.Sort(of)
		constants[path] = slices.Compact(of)
	}
	classes, err = m.ReadDates(ctx, classes, constants)
	if err != nil {
		return nil, fmt.Errorf("read the rule's dates in the formats of %s: %w", patterns, err)
	}
	classes, err = m.Normalize(ctx, classes, slices.Sorted(maps.Keys(texts)))
	if err != nil {
		return nil, fmt.Errorf("normalize the rule's constants as %s do: %w", patterns, err)
	}
	return classes, nil
}
