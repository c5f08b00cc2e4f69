package event

import (
	"fmt"

	"github.com/valyala/fastjson"
)

// Document is the text of an event as a search returns it.
type Document struct {
	// Source is the event's `_source`.
	Source []byte
	// Fields and Ignored are the `fields` and the `ignored_field_values` of the hit: values that
	// `_source` need not have. They are nil where there are none.
	Fields, Ignored []byte
	// Matched are the `matched_queries` of the hit: what the index says of what it was asked about
	// the event, see [Event.Holds]. It is nil where it was asked nothing.
	Matched []byte
	// Begun says that [Event.Begin] has read Source.
	Begun bool
}

// Begin makes e the event whose `_source` a text begins with, and returns the length of that, or -1
// where it is not plain (see skim): then e is no event until [Event.Read]. What follows `_source`
// is not looked at. m is as Read has it.
func (e *Event) Begin(m *Mapping, text []byte) (length int) {
	e.reset(m, nil)
	length = e.skimmer.skim(text, e.skimmer.event, &e.skimmer.events)
	if length >= 0 {
		e.skimmed = text[:length]
	}
	return length
}

// Read makes e the event of a document. m is the mapping of its index, or nil where none is known
// (an exported event): then @timestamp is a date, and what any other value is compared with decides
// what it is. The document's texts must not change while the event is in use. All values that were
// returned before become invalid.
func (e *Event) Read(m *Mapping, d Document) error {
	if !d.Begun {
		if err := e.parse(m, d.Source); err != nil {
			return err
		}
	}
	var err error
	if e.extra, err = optional(&e.parsers.fields, d.Fields); err != nil {
		return fmt.Errorf("read the fields of the event: %w", err)
	}
	if e.ignored, err = optional(&e.parsers.ignored, d.Ignored); err != nil {
		return fmt.Errorf("read the ignored fields of the event: %w", err)
	}
	return e.readMatched(d.Matched)
}

// Answered is the name that is among an event's matched queries where its index was asked anything.
const Answered = "*"

// readMatched reads the names of the queries that the event satisfies.
func (e *Event) readMatched(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	v, err := e.parsers.matched.ParseBytes(text)
	if err != nil {
		return fmt.Errorf("read the matched queries of the event: %w", err)
	}
	if e.matched == nil {
		e.matched = map[string]bool{}
	}
	for _, name := range v.GetArray() {
		e.matched[string(name.GetStringBytes())] = true
	}
	return nil
}

// Answered reports whether the event came with what its index says of it.
func (e *Event) Answered() bool { return e.matched[Answered] }

// Holds reports whether the event satisfies, as its index says, what was asked under a name.
func (e *Event) Holds(name string) bool { return e.matched[name] }

// parsers are the memory of what is parsed of one event.
type parsers struct{ source, fields, ignored, matched fastjson.Parser }

// parse makes e the event of a `_source`, whatever is written in it.
func (e *Event) parse(m *Mapping, source []byte) error {
	v, err := e.parsers.source.ParseBytes(MendSurrogates(source))
	if err != nil {
		if v, err = e.parseDeep(m, source); err != nil {
			return err
		}
	}
	e.reset(m, v)
	return nil
}

// parseDeep parses what the parser refused for its depth, or because it is not JSON.
func (e *Event) parseDeep(m *Mapping, source []byte) (*fastjson.Value, error) {
	flat, err := shallow(source, e.fields, m)
	if err != nil {
		return nil, err
	}
	return e.parsers.source.ParseBytes(flat)
}

func optional(p *fastjson.Parser, text []byte) (*fastjson.Value, error) {
	if len(text) == 0 {
		return nil, nil
	}
	return p.ParseBytes(MendSurrogates(text))
}
