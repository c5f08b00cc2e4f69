package signal

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// otherFields are what an identity is made of beside subjectFields and widerFields, in the order of
// their numbers.
var otherFields = [...]string{
	"event.id", "agent.id", "host.id", timestampField, "winlog.computer_name", "winlog.channel",
	"winlog.record_id",
}

// The numbers of the fields that an identity can be made of.
const (
	eventID = iota
	agentID
	hostID
	timeField
	computerName
	channel
	recordID
	firstSubject
	firstWider = firstSubject + len(subjectFields)
	noField    = firstWider + len(widerFields)
)

// fieldNames are the fields by their numbers.
var fieldNames = slices.Concat(otherFields[:], subjectFields[:], widerFields[:])

// fields holds an event's values of the fields that an identity can be made of, by their numbers.
type fields [noField]values

// empty takes out all values, and keeps their memory.
func (f *fields) empty() {
	for n := range f {
		f[n] = f[n][:0]
	}
}

// add adds a value of a field. Of the wider fields an empty one is none.
func (f *fields) add(n int, text string) {
	if n == noField || n >= firstWider && text == "" {
		return
	}
	f[n] = append(f[n], text)
}

// has reports whether a field can identify anything: an empty text is a value, but the same one for
// every event.
func (f *fields) has(n int) bool {
	return slices.ContainsFunc(f[n], func(v string) bool { return v != "" })
}

// isWindowsRecord reports whether an event has no event.id, and what a Windows record is known by.
func (f *fields) isWindowsRecord() bool {
	return !f.has(eventID) && f.has(computerName) && f.has(channel) && f.has(recordID)
}

// pathOf is what an identity makes of the values at a path.
type pathOf struct {
	field    int // its number, noField for no field that is read by itself
	isSteady bool
	// A leaf is filed under its path's hash, not the path: the paths of a deeply nested event can
	// be many times as long as the event.
	hash   [sha256.Size]byte
	begins uint64 // the beginning of the hash
}

// steadyLeaf is a value that is the same in two copies of an event.
type steadyLeaf struct {
	path *pathOf
	text string
}

// leafOrder is the order of leaves by the hashes of their paths. It remembers that of the leaves
// before: the next event of a source often has the same paths. The zero value remembers nothing.
type leafOrder struct {
	paths  []*pathOf // in the order in which they were given
	sorted []int     // their numbers
}

func (o *leafOrder) of(leaves []steadyLeaf) []int {
	isOf := func(p *pathOf, l steadyLeaf) bool { return p == l.path }
	if slices.EqualFunc(o.paths, leaves, isOf) {
		return o.sorted
	}
	o.paths, o.sorted = o.paths[:0], o.sorted[:0]
	for i, l := range leaves {
		o.paths, o.sorted = append(o.paths, l.path), append(o.sorted, i)
	}
	slices.SortFunc(o.sorted, func(a, b int) int {
		one, other := o.paths[a], o.paths[b]
		if c := cmp.Compare(one.begins, other.begins); c != 0 {
			return c
		}
		return bytes.Compare(one.hash[:], other.hash[:])
	})
	return o.sorted
}

// paths remembers what was found out about paths: the next event has the same ones. The zero value
// remembers nothing.
type paths map[string]*pathOf

func (p *paths) of(path []byte) *pathOf {
	if known, ok := (*p)[string(path)]; ok {
		return known
	}
	found := &pathOf{field: slices.Index(fieldNames, string(path)), isSteady: !unsteady(path)}
	if found.field < 0 {
		found.field = noField
	}
	found.isSteady = found.isSteady && found.field != timeField
	found.hash = sha256.Sum256(path)
	found.begins = binary.BigEndian.Uint64(found.hash[:])
	const most, longest = 4096, 256
	if len(*p) < most && len(path) <= longest {
		if *p == nil {
			*p = paths{}
		}
		(*p)[string(path)] = found
	}
	return found
}
