package sink

import (
	"errors"
	"fmt"
	"strings"
)

const (
	originalTimeField = "kibana.alert.original_time"
	reducedField      = "kibana.alert.esrule.reduced"
)

// Event gives the event of a signal's document: the inverse of NewSignal, for whoever reads signals back. What it gives
// matches a rule as the event did, with three exceptions: what NewSignal takes away (kibana.*, signal.*) stays away,
// @timestamp is the instant in milliseconds that the signal kept, however it was written, and of a @timestamp that is no
// date nothing was kept. Of a reduced signal it is the _source as it was, without the values that the search's `fields` added.
func Event(document []byte) ([]byte, error) {
	signal, err := parse(document)
	if err == nil && signal.kind != object {
		err = errors.New("not a JSON object")
	}
	if err != nil {
		return nil, fmt.Errorf("read signal: %w", err)
	}
	if signal.member(reducedField) != nil { // no event can forge it: its own kibana.* were stripped
		original := signal.member("event.original")
		if original == nil || original.kind != text {
			return nil, errors.New("read signal: it is reduced and has no event.original")
		}
		return []byte(original.text), nil
	}
	return composeEvent(signal)
}

// composeEvent takes away what NewSignal added, and puts back what it had moved.
func composeEvent(signal *node) ([]byte, error) {
	var moved []member
	for _, m := range signal.members {
		name, ok := strings.CutPrefix(m.key, originalEvent)
		if _, below := under(name, "kind"); ok && (below || name == "kind") {
			moved = append(moved, member{name, m.value})
		}
	}
	at := signal.member(originalTimeField)
	signal.remove("kibana")
	signal.remove("event.kind")
	signal.remove(timestampField)
	event := &node{kind: object}
	if at != nil {
		event.members = append(event.members, member{timestampField, at})
	}
	event.members = append(event.members, signal.members...)
	event.restoreKind(moved)
	j := newJSONText()
	j.WriteByte('{')
	if err := j.membersOf(event); err != nil {
		return nil, err
	}
	j.WriteByte('}')
	return j.Bytes(), nil
}

// restoreKind puts event.kind, and what was below it, into the event's own object where there is one.
func (n *node) restoreKind(moved []member) {
	if inner := n.object("event"); inner != nil {
		inner.members = append(inner.members, moved...)
		return
	}
	for _, m := range moved {
		n.members = append(n.members, member{"event." + m.key, m.value})
	}
}

// member gives the value of a key as it is spelled.
func (n *node) member(key string) *node {
	for _, m := range n.members {
		if m.key == key {
			return m.value
		}
	}
	return nil
}
