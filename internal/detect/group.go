package detect

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

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
	matchers   []*match.Matcher // over fields, one a detection
	fields     *event.Fields
	parts      []part
}

// part is the rules of a group that one search is for.
type part struct {
	first, end int        // their places
	set        *match.Set // of their matchers; nil where there is one
}

// alone returns a group of one rule.
func (d *Detection) alone() *Group {
	return &Group{detections: []*Detection{d}, matchers: []*match.Matcher{d.Matcher},
		fields: d.Fields, parts: []part{{end: 1}}}
}

// NewGroup returns the group of rules that are to be searched together. The error is that of
// [Compile], which compiled each of them before.
func NewGroup(detections []*Detection) (*Group, error) {
	if len(detections) == 1 {
		return detections[0].alone(), nil
	}
	g := &Group{detections: detections, fields: &event.Fields{}}
	for _, d := range detections {
		m, err := Compile(d.Rule, d.Patterns, g.fields)
		if err != nil {
			return nil, fmt.Errorf("rule %q (%s): %w", d.Rule.Name, d.Rule.ID, err)
		}
		g.matchers = append(g.matchers, m)
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
	var p part
	leaves := 0
	end := func() {
		if p.end-p.first > 1 {
			p.set = match.NewSet(g.fields, g.matchers[p.first:p.end])
		}
		g.parts = append(g.parts, p)
		p, leaves = part{first: p.end, end: p.end}, 0
	}
	for _, m := range g.matchers {
		more := prefilter.Build(m.Condition(), keywords).Clause.Leaves()
		if p.end > p.first && leaves+more > mostLeaves {
			end()
		}
		p.end++
		leaves += more
	}
	end()
}

// name is what the log calls the group: its first rule, and how many more there are.
func (g *Group) name() string {
	first := string(g.detections[0].Rule.ID)
	if more := len(g.detections) - 1; more > 0 {
		return fmt.Sprintf("%s and %d more", first, more)
	}
	return first
}

// apart returns the rules for which some index cannot be judged, by their places.
func (g *Group) apart(classes []search.Class) (rules []int) {
	for i, d := range g.detections {
		mapped := d.Mapped()
		if slices.ContainsFunc(classes, func(c search.Class) bool {
			return unjudgeable(c.Mapping, mapped, d.Matcher) != ""
		}) {
			rules = append(rules, i)
		}
	}
	return rules
}

// each calls visit for each of the part's rules that could match the event, by its place in the
// group.
func (p part) each(e *match.Evaluation, visit func(rule int)) {
	if p.set == nil {
		visit(p.first)
		return
	}
	p.set.Candidates(e, func(i int) { visit(p.first + i) })
}

// filter is the pre-filter of all rules of a part in one: what any of them could match.
func (g *Group) filter(p part, m *event.Mapping) dsl.Clause {
	filters := make([]dsl.Clause, 0, p.end-p.first)
	for _, one := range g.matchers[p.first:p.end] {
		filters = append(filters, prefilter.Build(one.Condition(), m).Clause)
	}
	return dsl.Or(filters...)
}

// mapped lists the fields whose mappings a search of the rules needs.
func (g *Group) mapped() []string {
	mapped := slices.Clone(g.fields.Paths())
	for _, d := range g.detections {
		mapped = append(mapped, d.Timestamps().Fields()...)
	}
	slices.Sort(mapped)
	return slices.Compact(mapped)
}

// classes reads what the indices of patterns make of the rules' fields, and of their constants
// where only they know.
func (g *Group) classes(ctx context.Context, m Mapper,
	patterns []string) ([]search.Class, error) {
	classes, err := m.Mappings(ctx, patterns, g.mapped())
	if err != nil {
		return nil, fmt.Errorf("read the mappings of %s: %w", patterns, err)
	}
	constants, texts := map[string][]string{}, map[string]bool{}
	for _, one := range g.matchers {
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
