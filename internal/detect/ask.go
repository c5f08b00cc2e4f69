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
func (g *Group) wanted(m *event.Mapping) []search.Wanted {
	list := search.Want(m, g.fields.Paths())
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

// ask is the classes of which one search can ask the same. A field that is a date in some indices
// and a keyword in others cannot be asked of both in a format for dates: the shards of the others
// would fail.
type ask struct {
	classes  []prefilter.Class
	mappings []*event.Mapping
	wanted   []search.Wanted
}

// asked adds a class to the first ask that it fits into, or to a new one.
func asked(asks []*ask, c prefilter.Class, m *event.Mapping,
	wanted []search.Wanted) []*ask {
	at := slices.IndexFunc(asks, func(a *ask) bool { return a.takes(m, wanted) })
	if at < 0 {
		at = len(asks)
		asks = append(asks, &ask{})
	}
	a := asks[at]
	a.classes, a.mappings = append(a.classes, c), append(a.mappings, m)
	for _, w := range wanted {
		if !slices.Contains(a.wanted, w) {
			a.wanted = append(a.wanted, w)
		}
	}
	return asks
}

func (a *ask) takes(m *event.Mapping, wanted []search.Wanted) bool {
	for _, w := range a.wanted {
		if !w.Fits(m) {
			return false
		}
	}
	for _, w := range wanted {
		if slices.ContainsFunc(a.mappings, func(m *event.Mapping) bool { return !w.Fits(m) }) {
			return false
		}
	}
	return true
}

// indices are those of the classes.
func (a *ask) indices() (names []string) {
	for _, c := range a.classes {
		names = append(names, c.Indices...)
	}
	return names
}

// requests returns one search an ask, each over its own indices, and, where there are several, one
// for documents of indices that no class names; each has so many clauses beside its query. Of one
// ask only the wanted fields are set.
func requests(asks []*ask, beside int, unseen dsl.Clause) []search.Request {
	if len(asks) < 2 {
		var wanted []search.Wanted
		for _, a := range asks {
			wanted = a.wanted
		}
		return []search.Request{{Fields: wanted}}
	}
	var list []search.Request
	var named []string
	for _, a := range asks {
		indices := a.indices()
		named = append(named, indices...)
		query := dsl.And(dsl.Terms("_index", indices),
			prefilter.GuardedBeside(beside, a.classes, unseen))
		list = append(list, search.Request{Query: query, Fields: a.wanted})
	}
	rest := dsl.And(dsl.Not(dsl.Terms("_index", named)), unseen)
	return append(list, search.Request{Query: rest})
}
