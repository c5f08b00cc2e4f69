package signal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	originalTimeField = "kibana.alert.original_time"
	reasonField       = "kibana.alert.reason"
	// reducedField says why a signal is reduced. One that has it and no event.original is without
	// its event, whose size eventBytesField holds.
	reducedField    = "kibana.alert.esrule.reduced"
	eventBytesField = "kibana.alert.esrule.event_bytes"
)

// ErrWithoutEvent is a signal that does not hold its event, which was refused for its size.
var ErrWithoutEvent = errors.New("the signal is without its event: it has no event.original")

// EventOf returns the event of a signal's document: the inverse of New, for whoever reads signals
// back. It matches a rule as the event did, with three exceptions: what New takes away (kibana.*,
// signal.*) stays away, @timestamp is the instant in milliseconds that the signal kept, however it
// was written, and of a @timestamp that is no date nothing was kept. Of a reduced signal it is the
// _source as it was, without the values that the search's `fields` added.
func EventOf(document []byte) ([]byte, error) {
	signal, err := parseSignal(document)
	if err != nil {
		return nil, fmt.Errorf("read signal: %w", err)
	}
	if signal.member(reducedField) != nil { // no event can forge it: its own kibana.* were stripped
		original := signal.member("event.original")
		switch {
		case original == nil:
			return nil, fmt.Errorf("read signal: %w", ErrWithoutEvent)
		case original.kind != text:
			return nil, errors.New(
				"read signal: it is reduced and has no event.original that is a text")
		}
		return []byte(original.text), nil
	}
	return composeEvent(signal)
}

// parseSignal reads what an event is made of, and skips the rest: most of a signal's document is
// about its rule.
func parseSignal(document []byte) (*node, error) {
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	if open, err := d.Token(); err != nil {
		return nil, cutOff(err)
	} else if open != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	signal := &node{kind: object}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		if m := (member{key: key.(string)}); !carries(m.key) {
			err = d.Decode(&json.RawMessage{})
		} else if m.value, err = parseValue(d, 1); err == nil {
			signal.members = append(signal.members, m)
		}
		if err != nil {
			return nil, err
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, cutOff(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("text after the JSON value")
	}
	return signal, nil
}

// carries reports whether a field of a signal is the event's, or holds what was moved out of the
// event.
func carries(key string) bool {
	return !strings.HasPrefix(key, "kibana.") || key == originalTimeField || key == reducedField ||
		strings.HasPrefix(key, originalEvent)
}

func cutOff(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// composeEvent takes away what New added, and puts back what it had moved.
func composeEvent(signal *node) ([]byte, error) {
	var moved []member
	for _, m := range signal.members {
		name, ok := strings.CutPrefix(m.key, originalEvent)
		if _, below := under(name, "kind"); ok && (below || name == "kind") {
			moved = append(moved, member{name, m.value})
		}
	}
	at := signal.member(originalTimeField)
	signal = signal.without("kibana").without("event.kind").without(timestampField)
	event := &node{kind: object}
	if at != nil {
		event.members = append(event.members, member{timestampField, at})
	}
	event.members = append(event.members, signal.members...)
	event.restoreKind(moved)
	var text jsonText
	if err := text.membersOf(event, nil); err != nil {
		return nil, err
	}
	return compose(nil, text.Bytes())
}

// restoreKind puts event.kind, and what was below it, into the event's own object where there is
// one.
func (n *node) restoreKind(moved []member) {
	if inner := n.object("event"); inner != nil {
		inner.members = append(inner.members, moved...)
		return
	}
	for _, m := range moved {
		n.members = append(n.members, member{"event." + m.key, m.value})
	}
}

// member returns the value of a key as it is spelled.
func (n *node) member(key string) *node {
	for _, m := range n.members {
		if m.key == key {
			return m.value
		}
	}
	return nil
}
