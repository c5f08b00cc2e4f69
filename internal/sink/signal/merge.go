package signal

import (
	"bytes"
	"fmt"
	"strings"
)

// mergeMissing adds to an event those values of the search's `fields` that its source lacks:
// constant_keyword, alias, runtime and copy_to fields. It does what Elastic's alerts do by default
// (their strategy "missingFields"): a single value is taken out of its array, and whatever would
// collide with the source stays out.
func mergeMissing(event *node, found []byte) error {
	if len(bytes.TrimSpace(found)) == 0 {
		return nil
	}
	f, err := parse(found)
	if err != nil {
		return fmt.Errorf("read the fields of the hit: %w", err)
	}
	for _, m := range f.members {
		value := m.value
		if !value.isList() || !validName(m.key) || isMultiField(event, f, m.key) {
			continue
		}
		if value.kind == array && len(value.elems) == 1 {
			value = value.elems[0]
		}
		event.add(m.key, value)
	}
	return nil
}

func validName(path string) bool {
	for segment := range strings.SplitSeq(path, ".") {
		if strings.TrimSpace(segment) == "" {
			return false
		}
	}
	return true
}

// isMultiField reports whether a field is another reading of its parent's values (x.text beside x).
func isMultiField(event, found *node, path string) bool {
	dot := strings.LastIndexByte(path, '.')
	if dot < 0 {
		return false
	}
	for _, m := range found.members {
		if m.key == path[:dot] {
			return true
		}
	}
	for _, n := range event.at(path[:dot]) {
		if n.kind != object && n.kind != null {
			return true
		}
	}
	return false
}

// add puts a value where the event has nothing, as deep in its objects as they go. A path that is
// there, has fields below it, or runs through a value is left alone.
func (n *node) add(path string, value *node) {
	if len(n.at(path)) > 0 || n.collides(path) {
		return
	}
	for {
		n.written = nil
		head, rest, nested := strings.Cut(path, ".")
		if !nested {
			n.members = append(n.members, member{path, value})
			return
		}
		next := n.object(head)
		if next == nil {
			next = &node{kind: object}
			n.members = append(n.members, member{head, next})
		}
		n, path = next, rest
	}
}

// object returns the member of that name where it is an object.
func (n *node) object(key string) *node {
	for _, m := range n.members {
		if m.key == key && m.value.kind == object {
			return m.value
		}
	}
	return nil
}

// collides reports whether the path has fields below it, or an ancestor of it is something else
// than one object.
func (n *node) collides(path string) bool {
	for _, m := range n.members {
		if _, below := under(m.key, path); below {
			return true
		}
		rest, ok := under(path, m.key)
		if ok && (m.value.kind != object || m.value.collides(rest)) {
			return true
		}
	}
	return false
}
