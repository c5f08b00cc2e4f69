package indicator

import (
	"fmt"
	"maps"
	"slices"

	"esrule/internal/event"
)

// Pair is a field of an event and one of an indicator that are to have a value in common.
type Pair struct{ Field, Indicator string }

// Plan is which fields are to share values: all pairs of one of the groups, with one indicator.
type Plan struct {
	groups [][]pair
	fields []string // of the indicators
}

type pair struct {
	Pair
	slot  event.Slot // of Field
	place int        // of Indicator among the plan's fields
}

// Compile compiles a mapping, and adds the events' fields to fields.
func Compile(mapping [][]Pair, fields *event.Fields) *Plan {
	p := &Plan{}
	for _, group := range mapping {
		var pairs []pair
		for _, one := range group {
			place := slices.Index(p.fields, one.Indicator)
			if place < 0 {
				place, p.fields = len(p.fields), append(p.fields, one.Indicator)
			}
			pairs = append(pairs, pair{one, fields.Add(one.Field), place})
		}
		p.groups = append(p.groups, pairs)
	}
	return p
}

// IndicatorFields are the fields of the indicators.
func (p *Plan) IndicatorFields() []string { return p.fields }

// EventFields are the fields of the events.
func (p *Plan) EventFields() (paths []string) {
	for _, group := range p.groups {
		for _, one := range group {
			paths = append(paths, one.Field)
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// Unknown says which of the events' fields cannot be compared with indicators, and why. Not empty,
// it keeps the events of the mapping's indices from being judged.
func (p *Plan) Unknown(m *event.Mapping) (unknown []string) {
	for _, path := range p.EventFields() {
		f := m.Fields[path]
		switch {
		case f.Normalizer != nil && !f.Normalizer.Lowercase:
			unknown = append(unknown, fmt.Sprintf("%s: what its normalizer %s makes of the "+
				"indicators is known to the index only", path, f.Normalizer.Name))
		case f.IsDate(), f.Name == "half_float", f.Name == "scaled_float":
			unknown = append(unknown, fmt.Sprintf("%s: a field of type %s is not compared with "+
				"indicators", path, f.Name))
		}
	}
	return unknown
}

// Match is an indicator that shares a value with an event.
type Match struct {
	Pair
	Document int    // by its number in the set
	Text     string // the value, as the event has it
}

// Enough is how many matches of an event are kept, as Kibana does.
const Enough = 200

// Match returns the indicators that an event matches, in the order of the mapping, [Enough] of them
// at most.
func (p *Plan) Match(s *Set, e *event.Event) (all []Match) {
	var key [256]byte
	for _, group := range p.groups {
		var common map[int]bool // of the group's pairs so far; nil before the first
		var found []Match
		for _, one := range group {
			of := map[int]bool{}
			for _, m := range one.match(s, e, key[:0], common, len(group) == 1) {
				of[m.Document] = true
				found = append(found, m)
			}
			if common = of; len(common) == 0 {
				break
			}
		}
		for _, m := range found {
			if common[m.Document] && len(all) < Enough {
				all = append(all, m)
			}
		}
	}
	return all
}

// match returns the documents that the pair matches, among those of others where that is not nil,
// each once. alone says that no other pair chooses among them: Enough suffice.
func (o pair) match(s *Set, e *event.Event, key []byte, others map[int]bool,
	alone bool) (found []Match) {
	seen := map[int]bool{}
	values := e.Values(o.slot)
	key = appendField(key, o.place)
	for i := range values {
		for key := range s.matching(key, &values[i]) {
			for number := range s.having(key) {
				if seen[number] || others != nil && !others[number] {
					continue
				}
				if alone && len(found) == Enough {
					return found
				}
				seen[number] = true
				found = append(found, Match{o.Pair, number, string(values[i].Text)})
			}
		}
	}
	return found
}

// Numbers are the documents of matches, each once, in order.
func Numbers(matches []Match) []int {
	numbers := map[int]bool{}
	for _, m := range matches {
		numbers[m.Document] = true
	}
	return slices.Sorted(maps.Keys(numbers))
}
