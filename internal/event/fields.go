package event

import (
	"strings"
	"sync"
)

// Slot is the number of a field in its [Fields]; an [Event] keeps the field's values under it.
type Slot int

// Fields is the set of distinct fields that a set of rules reads, each with one slot, so that an
// event looks each of them up once however many rules ask. Add all fields before the first [Event]
// is made.
//
// Several sets may share slots, see [Fields.Beside]: what reads an event of one of them reads that
// of any other that has its fields. They are safe for concurrent use with each other.
type Fields struct {
	shared *slots // made where it is first asked for
	made   sync.Once
	own    []*entry // in the order in which they were added
	known  map[entryKey]*entry
}

// entry is a field with its slot.
type entry struct {
	entryKey
	slot Slot
	tree *lookup
	// untyped is what the field is in an event without a mapping: for all events of the fields, so
	// that a normalizer is the same one in all of them.
	untyped FieldMapping
}

type entryKey struct {
	path string
	wild bool // the path is a pattern
}

// slots are the fields that sets share.
type slots struct {
	mu      sync.Mutex
	entries map[entryKey]*entry
}

func (s *slots) entry(k entryKey) *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[k]; e != nil {
		return e
	}
	e := &entry{entryKey: k, slot: Slot(len(s.entries)), tree: newLookup(k.path),
		untyped: untyped(k.path)}
	if s.entries == nil {
		s.entries = map[entryKey]*entry{}
	}
	s.entries[k] = e
	return e
}

func (s *slots) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.entries)
}

// Beside returns an empty set whose fields have the slots that they have in f.
func (f *Fields) Beside() *Fields { return &Fields{shared: f.slots()} }

func (f *Fields) slots() *slots {
	f.made.Do(func() {
		if f.shared == nil {
			f.shared = &slots{}
		}
	})
	return f.shared
}

// Join adds the fields of another set, and reports whether the two share slots: else it adds none.
func (f *Fields) Join(other *Fields) bool {
	if f.slots() != other.slots() {
		return false
	}
	for _, e := range other.own {
		f.add(e.entryKey)
	}
	return true
}

// Add gives the slot of a field path, a new one where the path is new.
func (f *Fields) Add(path string) Slot { return f.add(entryKey{path: path}) }

// AddWild gives the slot of a pattern of paths, in which a star is any run of characters. Its
// values are those of all fields whose paths fit: of the mapping's, or of the event's where none is
// known.
func (f *Fields) AddWild(pattern string) Slot { return f.add(entryKey{pattern, true}) }

func (f *Fields) add(k entryKey) Slot {
	e := f.known[k]
	if e == nil {
		if f.known == nil {
			f.known = map[entryKey]*entry{}
		}
		e = f.slots().entry(k)
		f.known[k], f.own = e, append(f.own, e)
	}
	return e.slot
}

// Paths lists the fields in the order in which they were added, patterns among them.
func (f *Fields) Paths() []string {
	paths := make([]string, len(f.own))
	for i, e := range f.own {
		paths[i] = e.path
	}
	return paths
}

// Slots lists the slots of the fields, in the order of [Fields.Paths].
func (f *Fields) Slots() []Slot {
	list := make([]Slot, len(f.own))
	for i, e := range f.own {
		list[i] = e.slot
	}
	return list
}

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
