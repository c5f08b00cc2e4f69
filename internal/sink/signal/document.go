package signal

import (
	"errors"
	"fmt"
	"time"

	"esrule/internal/query/rule"
)

// Match is what a rule accepted: one event, or several that it wants together.
type Match struct {
	Rule   *rule.Rule
	Events []Event
}

// Event is one event of a match.
type Event struct {
	// Index and ID are where the event is; empty where it was scanned from a file.
	Index, ID string
	// Source is the event's _source as JSON text. It must not change until the signal is written.
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

// ExecutionType is how a run came about.
type ExecutionType uint8

// The ways a run comes about.
const (
	Scheduled ExecutionType = iota
	Manual                  // a backfill, a scan
)

// String returns the word that Elastic's alerts have for it.
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
	ID       ID
	Document []byte // JSON on one line
	Match    Match  // its only event is the one that Document is of

	widerID   ID  // its id where ID is another event's
	finerTime int // see finerTimeField

	// What the smaller forms are made of, should they be needed.
	execution string
	written   time.Time
	alert     []field
}

// errSeveral is a match of several events. A signal of the first one alone would pass over the
// others, in its identity too.
var errSeveral = errors.New("signals are made of one event each")

// New makes the signal of a match of one event. The same match and clock give the same bytes.
func New(m Match, x Execution) (Signal, error) {
	if len(m.Events) != 1 {
		return Signal{}, fmt.Errorf("rule %s matched %d events together: %w", m.Rule.ID,
			len(m.Events), errSeveral)
	}
	of := m.Events[0]
	event, err := parse(of.Source)
	if err == nil && event.kind != object {
		err = errors.New("not a JSON object")
	}
	if err != nil {
		return Signal{}, fmt.Errorf("read event %s of %s: %w", of.ID, of.Index, err)
	}
	now := time.Now
	if x.Now != nil {
		now = x.Now
	}
	s := Signal{
		// of the event as it was stored, before anything is added or taken away
		ID: identify(m.Rule.ID, event), Match: m, execution: x.ID, written: now(),
	}
	s.widerID = widen(s.ID, event)
	s.finerTime = belowMillisecond(event)
	if err := mergeMissing(event, of.Fields); err != nil {
		return Signal{}, fmt.Errorf("complete event %s of %s: %w", of.ID, of.Index, err)
	}
	// An event that sets these would set its own alert's status, or pass for another rule's alert.
	event.remove("kibana")
	event.remove("signal")
	s.alert = alertFields(&s, x, event)
	event.remove("event.kind")
	event.remove(timestampField)
	s.Document, err = compose(s.alert, event)
	return s, err
}

// event is what the signal is of.
func (s *Signal) event() *Event { return &s.Match.Events[0] }
