package sink

import (
	"fmt"
	"time"

	"esrule/internal/query/rule"
)

// Match is one event that a rule accepted.
type Match struct {
	Rule *rule.Rule
	// Index and ID are where the event lies; empty where it was scanned from a file.
	Index, ID string
	// Source is the event's _source as JSON text. It must not change until its signal is written.
	Source []byte
	// Fields is the `fields` object of the hit, or nil: values that need not be in _source, such as
	// constant_keyword.
	Fields []byte
	// Time is the event's @timestamp as its index has it, zero where the index has none. It is nil
	// where Source says it: ISO 8601, or milliseconds since 1970.
	Time *time.Time
}

// Execution is the run that found a match.
type Execution struct {
	ID      string // unique to the run
	Type    ExecutionType
	Version string // of the program
	// Intended is the end of the window that was searched; the time of writing where it is zero.
	Intended time.Time
	Now      func() time.Time // time.Now where nil
}

// ExecutionType tells a backfill's signals from the others.
type ExecutionType uint8

// The ways a run comes about.
const (
	Scheduled ExecutionType = iota
	Manual
)

// String gives the word that Elastic's alerts have for it.
func (t ExecutionType) String() string {
	switch t {
	case Scheduled:
		return "scheduled"
	case Manual:
		return "manual"
	}
	return fmt.Sprintf("ExecutionType(%d)", uint8(t))
}

// Signal is what is written about one match.
type Signal struct {
	ID       SignalID
	Document []byte // JSON on one line

	// What the reduced form and the dead letter are made of, should they be needed.
	widerID        SignalID // its id where ID is another event's
	finerTime      int      // see finerTimeField
	rule           *rule.Rule
	index, eventID string
	execution      string
	written        time.Time
	source         []byte
	alert          []field
}

// NewSignal makes the signal of a match. The same match and clock give the same bytes.
func NewSignal(m Match, x Execution) (Signal, error) {
	event, err := parse(m.Source)
	if err == nil && event.kind != object {
		err = fmt.Errorf("not a JSON object")
	}
	if err != nil {
		return Signal{}, fmt.Errorf("read event %s of %s: %w", m.ID, m.Index, err)
	}
	now := time.Now
	if x.Now != nil {
		now = x.Now
	}
	s := Signal{
		// of the event as it was stored, before anything is added or taken away
		ID:   identify(m.Rule.ID, event),
		rule: m.Rule, index: m.Index, eventID: m.ID, execution: x.ID, written: now(),
		source: m.Source,
	}
	s.widerID = widen(s.ID, event)
	s.finerTime = belowMillisecond(event)
	if err := mergeMissing(event, m.Fields); err != nil {
		return Signal{}, fmt.Errorf("complete event %s of %s: %w", m.ID, m.Index, err)
	}
	// An event that sets these would set its own alert's status, or pass for another rule's alert.
	event.remove("kibana")
	event.remove("signal")
	s.alert = alertFields(m, x, s.ID, event, s.written)
	s.alert = append(s.alert, field{finerTimeField, s.finerTime})
	event.remove("event.kind")
	event.remove(timestampField)
	s.Document, err = compose(s.alert, event)
	return s, err
}

// compose writes the flat fields of the alert, then the event's own members as they stood.
func compose(alert []field, event *node) ([]byte, error) {
	j := newJSONText()
	j.WriteByte('{')
	for _, f := range alert {
		if err := j.member(f.key, f.value); err != nil {
			return nil, err
		}
	}
	if err := j.membersOf(event); err != nil {
		return nil, err
	}
	j.WriteByte('}')
	return j.Bytes(), nil
}
