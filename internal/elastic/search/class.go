package search

import (
	"encoding/json"
	"maps"
	"slices"

	"esrule/internal/event"
)

// Class is the indices that say the same of the fields asked for.
type Class struct {
	Indices []string // sorted
	Mapping *event.Mapping
}

// mappings adds what each index that told everything makes of the fields.
func (f *facts) mappings(fields []string, into map[string]*event.Mapping) {
	for index := range f.caps.indices {
		if f.toldAll(index) {
			into[index] = f.mapping(index, fields)
		}
	}
}

// classesOf sorts indices into classes of equal mappings, in the order of their first index.
func classesOf(mappings map[string]*event.Mapping) []Class {
	var list []Class
	places := map[string]int{}
	for _, index := range slices.Sorted(maps.Keys(mappings)) {
		m := mappings[index]
		key, err := json.Marshal(m)
		if err != nil {
			panic(err) // a struct of strings, numbers and maps of them can be written
		}
		place, known := places[string(key)]
		if !known {
			place = len(list)
			places[string(key)] = place
			list = append(list, Class{Mapping: m})
		}
		list[place].Indices = append(list[place].Indices, index)
	}
	return list
}

// toldAll tells whether the mapping API answered for an index that has answered otherwise. It says
// nothing of an index that has no mapping at all, not even that.
func (f *facts) toldAll(index string) bool {
	_, answered := f.mapped[index]
	return answered || !f.caps.hasAny(index)
}

// mapping puts together what is known of one index.
func (f *facts) mapping(index string, fields []string) *event.Mapping {
	r := &fieldReader{facts: f, index: index, mapped: f.mapped[index],
		filter: newSourceFilter(f.mapped[index]["_source"])}
	m := &event.Mapping{
		Fields: map[string]event.FieldMapping{},
		Source: sourceMode(f.mapped[index]["_source"], f.settings[index]),
	}
	for _, path := range fields {
		field, missing := r.read(path)
		if field.Type == event.Unmapped {
			continue
		}
		m.Fields[path] = field
		if missing && m.Source != event.SourceOff {
			m.SourceMissing = append(m.SourceMissing, path)
		}
	}
	slices.Sort(m.SourceMissing)
	return m
}
