package signal

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"esrule/internal/query/rule"
)

// Match is what a rule accepted: one event, or several that it wants together.
type Match struct {
	Rule   *rule.Rule
	Events []Event
	// Enrichments are the indicators that the event matches, of a rule of type threat_match.
	Enrichments []Enrichment
}

// Event is one event of a match.
type Event struct {
	// Index and ID are where the event is; empty where it was scanned from a file.
	Index, ID string
	// Source is the event's _source as JSON text. It must not change until the signal is written.
	Source []byte
	// Alert says that the event is a signal of this program, which a rule over alerts reads; of a
	// scan, that it is an alert where it says so.
	Alert bool
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
	// Final says that of a signal nothing but its document will be asked for: it keeps nothing of
	// its event, and has no smaller forms.
	Final bool
	// Seen, where it is set, has the signals that were written before: one of them has no document.
	Seen *Seen
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
	execution Execution
	written   time.Time
	common    *node // what the events of a shell, or of a threshold, have in common
}

// about is where a signal stands: what it was made of, and among the signals of which sequence.
type about struct {
	ancestors    []ancestor
	depth        int
	originalTime string
	rating       rating
	group        *group           // nil for the signal of one event
	threshold    *thresholdResult // nil but for that of a threshold
	newTerms     []string         // the values that are new; nil but for a rule that asks for them
}

// errSeveral is a match of several events. A signal of the first one alone would pass over the
// others, in its identity too.
var errSeveral = errors.New("New makes the signal of one event")

// New makes the signal of a match of one event. The same match and clock give the same bytes.
func New(m Match, x Execution) (Signal, error) {
	var r Reading
	if err := r.readOnly(m); err != nil {
		return Signal{}, err
	}
	if err := r.Enrich(m.Enrichments); err != nil {
		return Signal{}, err
	}
	return r.Signal(m.Rule, x)
}

// readOnly reads the only event of a match.
func (r *Reading) readOnly(m Match) error {
	if len(m.Events) != 1 {
		return fmt.Errorf("rule %s matched %d events together: %w", m.Rule.ID, len(m.Events),
			errSeveral)
	}
	return r.Read(m.Events[0])
}

func (x Execution) now() time.Time {
	if x.Now == nil {
		return time.Now()
	}
	return x.Now()
}

// finish writes the signal's document.
func (s *Signal) finish(r *Reading, texts *Texts) (err error) {
	if r.fields, err = s.fields(r.fields[:0], r, texts); err != nil {
		return err
	}
	if s.execution.Final {
		s.Document, err = r.room.compose(r.fields, r.rest.Bytes())
		return err
	}
	r.document.Reset()
	err = r.document.compose(r.fields, r.rest.Bytes())
	s.Document = bytes.Clone(r.document.Bytes())
	return err
}

// read reads what the signal is of once more.
func (s *Signal) read() (*Reading, error) {
	var r Reading
	if s.common != nil {
		r.keep(s.common)
		return &r, nil
	}
	if err := r.Read(s.Event()); err != nil {
		return &r, err
	}
	return &r, r.Enrich(s.Match.Enrichments)
}

// Event is what the signal is of; the zero value for the shell of a sequence and for a threshold.
func (s *Signal) Event() Event {
	if len(s.Match.Events) == 0 {
		return Event{}
	}
	return s.Match.Events[0]
}
