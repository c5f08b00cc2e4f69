package event

import (
	"bytes"
	"cmp"
	"strings"

	"github.com/valyala/fastjson"
)

// skim returns the values of a field that was passed.
func (e *Event) skim(s Slot, f *field, into []Value) []Value {
	for _, at := range e.skimmer.findings[s] {
		found := &e.skimmer.found[at]
		if e.skimmer.rounds[at] != e.skimmer.round {
			continue
		}
		for _, value := range found.values {
			switch {
			case value[0] == '{':
				into = e.skimObject(f, value, into)
			case value[0] != 'n':
				into = e.append(f, into, e.textIn(value), value[0] == '"')
			case f.HasNullValue:
				into = e.append(f, into, []byte(f.NullValue), false)
			}
		}
	}
	return into
}

// skimObject returns the values in an object of a field that has all of them.
func (e *Event) skimObject(f *field, object []byte, into []Value) []Value {
	if !f.Leaves {
		return into // another field under the same path has them
	}
	v, err := fastjson.ParseBytes(MendSurrogates(object)) // rare, so with memory of its own
	if err != nil {
		return into // cannot be: it was passed
	}
	return e.collect(v, nil, f, into)
}

// MayHave appends the fields that are not known to have no value, some of them twice: of many
// fields, an event has few. ok is false where it is not known which these are.
func (e *Event) MayHave(into []Slot) (_ []Slot, ok bool) {
	if e.skimmed == nil || e.extra != nil || e.ignored != nil {
		return into, false
	}
	into = append(into, e.skimmer.elsewhere...)
	for _, at := range e.skimmer.noted {
		into = append(into, e.skimmer.slots[at]...)
	}
	return into, true
}

// textIn gives the text of a scalar that is written as JSON.
func (e *Event) textIn(value []byte) []byte {
	if value[0] != '"' {
		return value
	}
	inner := value[1 : len(value)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	start := len(e.scratch)
	var ok bool
	if e.scratch, ok = appendUnescaped(e.scratch, inner); ok {
		return e.scratch[start:]
	}
	v, err := e.skimmer.parser.ParseBytes(MendSurrogates(value))
	if err != nil {
		return inner // cannot be: any text between two quotes is a string to this parser
	}
	e.scratch = append(e.scratch[:start], v.GetStringBytes()...)
	return e.scratch[start:]
}

// appendUnescaped appends what the inside of a JSON string stands for, where its only escapes are
// characters that stand for themselves, as in the paths of Windows; where there are others ok is
// false, and what was appended is worth nothing.
func appendUnescaped(into, inner []byte) (_ []byte, ok bool) {
	for {
		at := bytes.IndexByte(inner, '\\')
		if at < 0 {
			return append(into, inner...), true
		}
		if at+1 == len(inner) || inner[at+1] != '\\' && inner[at+1] != '"' && inner[at+1] != '/' {
			return into, false
		}
		into = append(append(into, inner[:at]...), inner[at+1])
		inner = inner[at+2:]
	}
}

// skim reads the object whose keys root has, which a text begins with, without building what no
// rule reads: one pass over the text notes where the values of the fields are. It returns the place
// after the object, or -1 where that is not plain: not JSON, nested deeply, or with a key that
// could lead to a field and is written twice, with an escape or with dots.
//
// What is plain would parse, and has the same values then; FuzzSkim holds both.
func (s *skimmer) skim(text []byte, root *key, known *shapes) int {
	s.text, s.hit = text, false
	s.begin()
	at := space(text, 0)
	if at == len(text) || text[at] != '{' || root == nil {
		return -1
	}
	s.learning = known.worthTrying()
	if s.learning {
		known.tries++
		if end := s.pass(known, at); end >= 0 {
			known.known++
			return end
		}
		s.marks = s.marks[:0]
		s.begin()
	}
	end := s.value(at, root, 0)
	if end >= 0 && s.learning {
		known.learn(s, at, end)
	}
	return end
}

// begin forgets what was noted of another text.
func (s *skimmer) begin() {
	s.round++
	s.noted = s.noted[:0]
}

// skimmer goes over texts for the fields of one [Fields], where one mapping has them.
type skimmer struct {
	event  *key // the keys of an event; nil where none is plain
	line   *key // those of a line: of an event, and `_source`; nil where none is plain
	source *key
	// findings are each slot's places in found: two slots can have one path, and copy_to gives a
	// field the values of several.
	findings [][]int

	text    []byte
	hit     bool
	objects uint64 // counts those that were looked into
	round   uint64 // counts events
	found   []finding
	rounds  []uint64 // of found: the event that it was last noted in
	noted   []int    // what of found was noted in the event at hand
	slots   [][]Slot // of found: the fields that have its values and no others
	// elsewhere are the fields that can have values that are not in `_source`.
	elsewhere []Slot

	lines, events shapes // how those that were walked from line and from event are written
	learning      bool   // marks are wanted, and all of them are there
	marks         []mark

	parser fastjson.Parser // of strings with escapes
}

// finding is where in the text the values of a path stand, as JSON.
type finding struct {
	values [][]byte
	leaves bool // objects are wanted too, for what is in them
}

// key is a key that leads to fields.
type key struct {
	name   string
	found  int      // the finding of the path that ends here, or nothing
	inside [][]*key // the keys of the object that stands here, by the length of their names
	object uint64   // the last object that had this key
}

const nothing = -1

// The parser that is the other way to read an event stops at 300.
const mostSkimmedDepth = 200

func newSkimmer(fields []*entry, bound []field) *skimmer {
	s := &skimmer{event: &key{found: nothing}, source: &key{name: "_source", found: nothing}}
	s.findings = make([][]int, len(bound))
	escaped := false
	for _, of := range fields {
		is := &bound[of.slot]
		if is.wild != nil {
			s.elsewhere = append(s.elsewhere, of.slot)
			continue
		}
		var findings []int
		for _, path := range append([]string{cmp.Or(is.SourcePath, of.path)}, is.Copied...) {
			escaped = escaped || strings.Contains(path, `\`)
			at := s.find(path)
			s.found[at].leaves = s.found[at].leaves || is.Leaves
			findings = append(findings, at)
		}
		s.findings[of.slot] = findings
		if is.Constant != "" || is.OnlyFields || is.ServerRead {
			s.elsewhere = append(s.elsewhere, of.slot)
			continue
		}
		for _, at := range findings {
			s.slots[at] = append(s.slots[at], of.slot)
		}
	}
	if escaped {
		s.event = nil // to a rule that reads a key that is always escaped
		return s
	}
	s.line = &key{found: nothing}
	for _, sameLength := range s.event.inside {
		for _, k := range sameLength {
			s.line.add(k)
		}
	}
	if s.line.add(s.source) != s.source {
		s.line = nil // to a rule that reads `_source` itself
	}
	return s
}

// find returns the place in found of a path, a new one where the path is new.
func (s *skimmer) find(path string) int {
	k := s.event
	for name := range strings.SplitSeq(path, ".") {
		k = k.add(&key{name: name, found: nothing})
	}
	if k.found == nothing {
		k.found = len(s.found)
		s.found, s.rounds = append(s.found, finding{}), append(s.rounds, 0)
		s.slots = append(s.slots, nil)
	}
	return k.found
}

// add gives the key of the same name that is there already, or adds k.
func (k *key) add(inner *key) *key {
	for len(k.inside) <= len(inner.name) {
		k.inside = append(k.inside, nil)
	}
	if there := k.get([]byte(inner.name)); there != nil {
		return there
	}
	k.inside[len(inner.name)] = append(k.inside[len(inner.name)], inner)
	return inner
}

func (k *key) get(name []byte) *key {
	if len(name) >= len(k.inside) {
		return nil
	}
	for _, inner := range k.inside[len(name)] {
		if inner.name == string(name) {
			return inner
		}
	}
	return nil
}

// enter gives the key inside that is written as name, nil where nothing is wanted of it. ok is
// false where the line is not plain.
func (k *key) enter(name []byte, object uint64) (inner *key, ok bool) {
	if inner = k.get(name); inner == nil {
		return nil, !k.mayMean(name)
	}
	if inner.object == object {
		return nil, false // written twice
	}
	inner.object = object
	return inner, true
}

// mayMean tells whether a key with dots or escapes could lead to where one of the keys inside
// leads.
func (k *key) mayMean(name []byte) bool {
	for end, c := range name {
		if c == '\\' || c == '.' && k.get(name[:end]) != nil {
			return true
		}
	}
	return false
}
