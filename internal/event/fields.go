package event

import "strings"

// Slot is the number of a field in its [Fields]; an [Event] keeps the field's values under it.
type Slot int

// Fields is the set of distinct fields that a set of rules reads, each with one slot, so that an
// event looks each of them up once however many rules ask. Add all fields before the first [Event]
// is made.
type Fields struct {
	paths []string
	slots map[string]Slot
	trees []*lookup
	// untyped is what each field is in an event without a mapping: for all events of the fields, so
	// that a normalizer is the same one in all of them.
	untyped []FieldMapping
	wild    []bool // the path is a pattern
}

// Add gives the slot of a field path, a new one where the path is new.
func (f *Fields) Add(path string) Slot {
	if s, ok := f.slots[path]; ok {
		return s
	}
	if f.slots == nil {
		f.slots = map[string]Slot{}
	}
	s := Slot(len(f.paths))
	f.slots[path] = s
	f.add(path, false)
	return s
}

// AddWild gives the slot of a pattern of paths, in which a star is any run of characters. Its
// values are those of all fields whose paths fit: of the mapping's, or of the event's where none is
// known.
func (f *Fields) AddWild(pattern string) Slot {
	for s, path := range f.paths {
		if f.wild[s] && path == pattern {
			return Slot(s)
		}
	}
	f.add(pattern, true)
	return Slot(len(f.paths) - 1)
}

func (f *Fields) add(path string, wild bool) {
	f.paths = append(f.paths, path)
	f.wild = append(f.wild, wild)
	f.trees = append(f.trees, newLookup(path))
	f.untyped = append(f.untyped, untyped(path))
}

// Paths lists the fields in the order of their slots, patterns among them. The caller must not
// change it.
func (f *Fields) Paths() []string { return f.paths }

// Patterns lists the patterns among the paths.
func (f *Fields) Patterns() (patterns []string) {
	for i, path := range f.paths {
		if f.wild[i] {
			patterns = append(patterns, path)
		}
	}
	return patterns
}

// Path is the field path of a slot.
func (f *Fields) Path(s Slot) string { return f.paths[s] }

// lookup holds the ways in which a path can be written as keys of an object. For a.b.c these are
// the keys "a" (then b.c inside), "a.b" (then c) and "a.b.c".
type lookup struct {
	steps []step
}

type step struct {
	key  string
	rest *lookup // nil: the key's value is the field's
}

// newLookup shares the tails: a path of n parts has n lookups, not 2ⁿ.
func newLookup(path string) *lookup {
	parts := strings.Split(path, ".")
	tails := make([]*lookup, len(parts)+1) // tails[len(parts)] stays nil: the end
	for i := len(parts) - 1; i >= 0; i-- {
		l := &lookup{}
		for j := i + 1; j <= len(parts); j++ {
			l.steps = append(l.steps, step{key: strings.Join(parts[i:j], "."), rest: tails[j]})
		}
		tails[i] = l
	}
	return tails[0]
}
