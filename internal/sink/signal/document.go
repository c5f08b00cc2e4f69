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
	// Texts, where it is set, keeps what signals say of their rules: it is written once a rule.
	Texts *Texts
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

// Signal is what is written about one match, or about one event of a sequence.
type Signal struct {
	ID       ID
	Document []byte // JSON on one line
	// its only event is the one that Document is of; the shell of a sequence has none
	Match Match

	widerID   ID  // its id where ID is another event's
	finerTime int // see finerTimeField
	about     about

	// What the smaller forms are made of, should they be needed.
	execution string
	written   time.Time
	alert     []field
}

// about is where a signal stands: what it was made of, and among the signals of which sequence.
type about struct {
	ancestors    []ancestor
	depth        int
	originalTime string
	rating       rating
	group        *group // nil for the signal of one event
}

// errSeveral is a match of several events. A signal of the first one alone would pass over the
// others, in its identity too.
var errSeveral = errors.New("New makes the signal of one event")

// New makes the signal of a match of one event. The same match and clock give the same bytes.
func New(m Match, x Execution) (Signal, error) {
	if len(m.Events) != 1 {
		return Signal{}, fmt.Errorf("rule %s matched %d events together: %w", m.Rule.ID,
			len(m.Events), errSeveral)
	}
	s, event, err := read(m, x)
	if err != nil {
		return Signal{}, err
	}
	return s, s.finish(x, event)
}

// read reads the event of a match and identifies it. The event is what is written of it.
func read(m Match, x Execution) (s Signal, event *node, err error) {
	of := m.Events[0]
	event, err = parse(of.Source)
	if err == nil && event.kind != object {
		err = errors.New("not a JSON object")
	}
	if err != nil {
		return Signal{}, nil, fmt.Errorf("read event %s of %s: %w", of.ID, of.Index, err)
	}
	// of the event as it was stored, before anything is added or taken away
	known := fieldsOf(event)
	s = Signal{
		ID: identifyBy(m.Rule.ID, event, known), finerTime: belowMillisecond(event),
		Match: m, execution: x.ID, written: x.now(),
	}
	s.widerID = widen(s.ID, event, known, s.finerTime)
	if err := mergeMissing(event, of.Fields); err != nil {
		return Signal{}, nil, fmt.Errorf("complete event %s of %s: %w", of.ID, of.Index, err)
	}
	// of a rule over alerts, by the alert's fields
	rated := ratingOf(m.Rule).override(m.Rule, event)
	// An event that sets these would set its own alert's status, or pass for another rule's alert.
	event.remove("kibana")
	event.remove("signal")
	s.about = about{
		ancestors: []ancestor{{ID: of.ID, Type: "event", Index: of.Index}},
		depth:     1, originalTime: originalTime(&of, event), rating: rated,
	}
	return s, event, nil
}

func (x Execution) now() time.Time {
	if x.Now == nil {
		return time.Now()
	}
	return x.Now()
}

// finish writes the signal's document, with what is written of its event.
func (s *Signal) finish(x Execution, event *node) (err error) {
	s.alert = alertFields(s, x, event)
	event.remove("event.kind")
	event.remove(timestampField)
	s.Document, err = compose(s.alert, event)
	return err
}

// Event is what the signal is of; the zero value for the shell of a sequence.
func (s *Signal) Event() Event {
	if len(s.Match.Events) == 0 {
		return Event{}
	}
	return s.Match.Events[0]
}
