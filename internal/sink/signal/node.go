package signal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// maxDepth bounds the nesting of an event. Elasticsearch stores no more than 1,000 levels; a
// scanned file may hold anything.
const maxDepth = 10_000

type kind uint8

const (
	null kind = iota
	boolean
	number // its text as written: 1.0 stays 1.0
	text
	array
	object
)

// node is a JSON value that keeps what a map would lose: the order of members, repeated keys, and
// numbers as written.
type node struct {
	kind    kind
	text    string // of a text, number or boolean
	elems   []*node
	members []member
	// written is the value as it is written; empty where that is not known, and where the value was
	// changed.
	written written
}

type member struct {
	key   string
	value *node
}

// parse reads one JSON value. Invalid UTF-8 becomes U+FFFD, as encoding/json reads it.
func parse(source []byte) (*node, error) {
	var p parser
	return p.parse(source)
}

// parse is the same, into memory that the next call uses again.
func (p *parser) parse(source []byte) (*node, error) {
	if n, ok := p.parseWellFormed(source); ok {
		return n, nil
	}
	return parseAny(source)
}

// parseAny reads every JSON value that encoding/json reads.
func parseAny(source []byte) (*node, error) {
	d := json.NewDecoder(bytes.NewReader(source))
	d.UseNumber()
	n, err := parseValue(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("text after the JSON value")
	}
	return n, nil
}

func parseValue(d *json.Decoder, depth int) (*node, error) {
	token, err := d.Token()
	if err == io.EOF {
		return nil, io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case json.Delim:
		if depth == maxDepth {
			return nil, fmt.Errorf("nested deeper than %d levels", maxDepth)
		}
		if t == '[' {
			return parseArray(d, depth)
		}
		return parseObject(d, depth)
	case string:
		return &node{kind: text, text: t}, nil
	case json.Number:
		return &node{kind: number, text: t.String()}, nil
	case bool:
		return &node{kind: boolean, text: fmt.Sprint(t)}, nil
	default:
		return &node{kind: null}, nil
	}
}

func parseArray(d *json.Decoder, depth int) (*node, error) {
	n := &node{kind: array}
	for d.More() {
		e, err := parseValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		n.elems = append(n.elems, e)
	}
	_, err := d.Token()
	return n, err
}

func parseObject(d *json.Decoder, depth int) (*node, error) {
	n := &node{kind: object}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		value, err := parseValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		n.members = append(n.members, member{key.(string), value})
	}
	_, err := d.Token()
	return n, err
}

// leavesUnder visits every scalar but null, with its path. Objects, dotted keys and arrays flatten
// to one path as they do in Elasticsearch. The path is valid only during the call.
func (n *node) leavesUnder(path []byte, visit func([]byte, *node)) {
	switch n.kind {
	case object:
		for _, m := range n.members {
			m.value.leavesUnder(join(path, m.key), visit)
		}
	case array:
		for _, e := range n.elems {
			e.leavesUnder(path, visit)
		}
	case text, number, boolean:
		visit(path, n)
	case null: // a null is no value
	}
}

// eachField visits the value of every field below a path as it was written: a scalar, or an array
// of nothing but scalars. The path is valid only during the call.
func (n *node) eachField(path []byte, visit func(path []byte, value *node)) {
	switch n.kind {
	case object:
		for _, m := range n.members {
			m.value.eachField(join(path, m.key), visit)
		}
	case array:
		if n.isList() {
			visit(path, n)
			return
		}
		for _, e := range n.elems {
			e.eachField(path, visit)
		}
	case text, number, boolean:
		visit(path, n)
	case null: // no value
	}
}

func join(path []byte, key string) []byte {
	if len(path) > 0 {
		path = append(path, '.')
	}
	return append(path, key...)
}

// isList reports whether a value is an array, not empty, of nothing but scalars.
func (n *node) isList() bool {
	for _, e := range n.elems {
		if e.kind == array || e.kind == object || e.kind == null {
			return false
		}
	}
	return n.kind == array && len(n.elems) > 0
}

// scalars returns the values of a field, however deep in arrays; those of objects below it are of
// other fields.
func (n *node) scalars() []*node { return n.appendScalars(nil) }

func (n *node) appendScalars(all []*node) []*node {
	switch n.kind {
	case text, number, boolean:
		all = append(all, n)
	case array:
		for _, e := range n.elems {
			all = e.appendScalars(all)
		}
	case null, object:
	}
	return all
}

// at returns the values at a path, however its segments are spread over objects and dotted
// keys. An array of objects is looked through; any other value is returned whole, null too.
func (n *node) at(path string) []*node { return n.appendAt(nil, path) }

func (n *node) appendAt(found []*node, path string) []*node {
	for i := range n.members {
		m := &n.members[i]
		if !beginAlike(path, m.key) {
			continue
		}
		if m.key == path {
			found = append(found, m.value)
		} else if rest, ok := under(path, m.key); ok {
			found = m.value.appendAt(found, rest)
		}
	}
	for _, e := range n.elems {
		found = e.appendAt(found, path)
	}
	return found
}

// equals reports whether two values are the same, however they were written; nil is no value.
func (n *node) equals(other *node) bool {
	if n == nil || other == nil {
		return n == other
	}
	return n.kind == other.kind && n.text == other.text &&
		slices.EqualFunc(n.elems, other.elems, (*node).equals) &&
		slices.EqualFunc(n.members, other.members, func(a, b member) bool {
			return a.key == b.key && a.value.equals(b.value)
		})
}

// without returns the value less what is at a path and below it, in every spelling of the path. It
// shares what does not change with the value, which stays as it is.
func (n *node) without(path string) *node {
	less := n
	changed := func() *node {
		if less == n {
			less = &node{kind: n.kind, text: n.text, elems: slices.Clone(n.elems),
				members: slices.Clone(n.members)}
		}
		return less
	}
	for i, e := range n.elems {
		if kept := e.without(path); kept != e {
			changed().elems[i] = kept
		}
	}
	for i, m := range n.members {
		if !beginAlike(m.key, path) {
			continue
		}
		if _, below := under(m.key, path); below || m.key == path {
			changed().members[i].value = nil
		} else if rest, ok := under(path, m.key); ok {
			if kept := m.value.without(rest); kept != m.value {
				changed().members[i].value = kept
			}
		}
	}
	if less != n {
		less.members = slices.DeleteFunc(less.members, func(m member) bool {
			return m.value == nil
		})
	}
	return less
}

// beginAlike reports whether one of two paths may be below the other. It says no to most, and is
// cheaper than to compare them.
func beginAlike(a, b string) bool { return a == "" || b == "" || a[0] == b[0] }

// under reports whether path is below parent, and returns the rest of it.
func under(path, parent string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(path, parent)
	if !ok {
		return "", false
	}
	return strings.CutPrefix(rest, ".")
}
