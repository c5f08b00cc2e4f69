package signal

import "strings"

// places are where the values of events are, as a tree of the keys on the way to them. The events
// of a source have the same keys in the same order, so the place of a value is found by one
// comparison, where its path would have to be written and looked up. What is deep, or beside too
// many others, has none. The zero value has no places yet.
type places struct {
	root  place
	count int
}

// place is where a key is in events.
type place struct {
	key   string
	path  string  // the key's and those above it
	of    *pathOf // nil until a value was here
	below []*place
}

const (
	mostPlaces  = 4096
	mostBelow   = 64
	longestPath = 256 // of a place
)

// below returns the place of a key in an object that has one; nil where it has none. It is looked
// for first behind the place of the key before it, whose number is last.
func (p *places) below(at *place, key string, last int) (*place, int) {
	if next := last + 1; next < len(at.below) && at.below[next].key == key {
		return at.below[next], next
	}
	for n, known := range at.below {
		if known.key == key {
			return known, n
		}
	}
	path := len(at.path) + len(".") + len(key)
	if p.count == mostPlaces || len(at.below) == mostBelow || path > longestPath {
		return nil, last
	}
	p.count++
	made := &place{key: strings.Clone(key), path: string(join([]byte(at.path), key))}
	at.below = append(at.below, made)
	return made, len(at.below) - 1
}

// readLeaves reads the scalars below a place.
func (i *identity) readLeaves(n *node, at *place) {
	switch n.kind {
	case object:
		last := -1
		for m := range n.members {
			var below *place
			key, value := n.members[m].key, n.members[m].value
			if below, last = i.places.below(at, key, last); below != nil {
				i.readLeaves(value, below)
				continue
			}
			path := append(make([]byte, 0, 2*longestPath), at.path...)
			value.leavesUnder(join(path, key), func(path []byte, leaf *node) {
				i.addLeaf(i.paths.of(path), leaf)
			})
		}
	case array:
		for _, e := range n.elems {
			i.readLeaves(e, at)
		}
	case text, number, boolean:
		if at.of == nil {
			at.of = i.paths.of([]byte(at.path))
		}
		i.addLeaf(at.of, n)
	case null: // is no value
	}
}

func (i *identity) addLeaf(of *pathOf, leaf *node) {
	i.fields.add(of.field, leaf.text)
	if of.isSteady {
		i.leaves = append(i.leaves, steadyLeaf{of, leaf.text})
	}
}
