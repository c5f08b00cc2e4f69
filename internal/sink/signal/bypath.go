package signal

import (
	"slices"
	"strings"
)

// byPath returns an event's fields whose whole paths begin with a prefix, in the order of the
// event, each with the name that the rest of its path has. A field that stands in several places
// has one array.
func byPath(event *node, prefix string, name func(rest []byte) string) []member {
	var f pathFields
	f.read(event, prefix, name)
	return f.found
}

// pathFields are what byPath returns, in memory that is used again.
type pathFields struct {
	found  []member
	places map[string]int // by name, where there are more than a few
	path   []byte         // room for one
}

func (f *pathFields) read(event *node, prefix string, name func(rest []byte) string) {
	// a deeper field is still in the event; here each leaf's whole path is written out
	const longest = 1024
	f.found, f.places = f.found[:0], nil
	visit := func(path []byte, value *node) {
		if len(path) > longest || len(path) < len(prefix) ||
			string(path[:len(prefix)]) != prefix {
			return
		}
		its := name(path[len(prefix):])
		if i := f.place(its); i >= 0 {
			before := f.found[i].value
			f.found[i].value = &node{kind: array,
				elems: append(before.scalars(), value.scalars()...)}
			return
		}
		f.found = append(f.found, member{its, value})
	}
	if f.path == nil {
		f.path = make([]byte, 0, 256)
	}
	for _, m := range event.members {
		if strings.HasPrefix(m.key, prefix) || strings.HasPrefix(prefix, m.key) {
			m.value.eachField(join(f.path, m.key), visit)
		}
	}
}

// place returns where a field is, by its name; -1 where it is not found yet.
func (f *pathFields) place(name string) int {
	const few = 32
	if len(f.found) <= few {
		return slices.IndexFunc(f.found, func(m member) bool { return m.key == name })
	}
	if f.places == nil {
		f.places = map[string]int{}
	}
	for i := len(f.places); i < len(f.found); i++ {
		f.places[f.found[i].key] = i
	}
	if i, known := f.places[name]; known {
		return i
	}
	return -1
}
