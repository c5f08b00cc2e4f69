package detect

import (
	"slices"

	"esrule/internal/date"
	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/event"
	"esrule/internal/query/prefilter"
)

// timestamp is the field that says when an event happened.
const timestamp = "@timestamp"

// wanted lists what a search must ask of indices of a mapping beside `_source`.
func (d *Detection) wanted(m *event.Mapping) []search.Wanted {
	list := search.Want(m, d.Fields.Paths())
	f := m.Fields[timestamp]
	asked := func(w search.Wanted) bool { return w.Path == timestamp }
	if f.IsDate() && !plainTime(f) && !slices.ContainsFunc(list, asked) {
		list = append(list, search.WantDate(timestamp, f))
	}
	return list
}

// plainTime reports whether a field's values can be read from `_source` by whoever does not know
// its mapping.
func plainTime(f event.FieldMapping) bool {
	switch f.Formats {
	case "", date.Default, date.DefaultNanos:
		return !f.FromFields && !f.HasNullValue && f.SourcePath == ""
	}
	return false
}

// group is the classes of which one search can ask the same. A field that is a date in some indices
// and a keyword in others cannot be asked of both in a format for dates: the shards of the others
// would fail.
type group struct {
	classes  []prefilter.Class
	mappings []*event.Mapping
	wanted   []search.Wanted
}

// grouped adds a class to the first group that it fits into, or to a new one.
func grouped(groups []*group, c prefilter.Class, m *event.Mapping,
	wanted []search.Wanted) []*group {
	at := slices.IndexFunc(groups, func(g *group) bool { return g.takes(m, wanted) })
	if at < 0 {
		at = len(groups)
		groups = append(groups, &group{})
	}
	g := groups[at]
	g.classes, g.mappings = append(g.classes, c), append(g.mappings, m)
	for _, w := range wanted {
		if !slices.Contains(g.wanted, w) {
			g.wanted = append(g.wanted, w)
		}
	}
	return groups
}

func (g *group) takes(m *event.Mapping, wanted []search.Wanted) bool {
	for _, w := range g.wanted {
		if !w.Fits(m) {
			return false
		}
	}
	for _, w := range wanted {
		if slices.ContainsFunc(g.mappings, func(m *event.Mapping) bool { return !w.Fits(m) }) {
			return false
		}
	}
	return true
}

// requests returns one search a group, each over its own indices, and, where there are several, one
// for documents of indices that no class names. Of one group only the wanted fields are set.
func requests(groups []*group, unseen dsl.Clause) []search.Request {
	if len(groups) < 2 {
		var wanted []search.Wanted
		for _, g := range groups {
			wanted = g.wanted
		}
		return []search.Request{{Fields: wanted}}
	}
	var list []search.Request
	var named []string
	for _, g := range groups {
		var indices []string
		for _, c := range g.classes {
			indices = append(indices, c.Indices...)
		}
		named = append(named, indices...)
		query := dsl.And(dsl.Terms("_index", indices), prefilter.Guarded(g.classes, unseen))
		list = append(list, search.Request{Query: query, Fields: g.wanted})
	}
	rest := dsl.And(dsl.Not(dsl.Terms("_index", named)), unseen)
	return append(list, search.Request{Query: rest})
}
