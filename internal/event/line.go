package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/valyala/fastjson"
)

// Line is what a scanned line has: an event, perhaps in a hit.
type Line struct {
	Document
	// Index and ID say where a hit was found. They are empty for a bare event.
	Index, ID string
	IsHit     bool
}

var errNotObject = errors.New("not a JSON object")

// ReadLine makes e the event that one line of JSON has, and reports whether it is in a hit. No
// mapping is known of it. A line with a value of one of the fields own is a bare event, although it
// has an `_index`. text is as [Event.Read] has it.
func (e *Event) ReadLine(text []byte, own []Slot) (isHit bool, err error) {
	if isHit, ok := e.skimLine(text); ok && !e.mayHaveMore(isHit, text, own) {
		return isHit, nil
	}
	line, err := e.parsers.source.ParseBytes(MendSurrogates(text))
	if err != nil {
		return e.readDeepLine(text)
	}
	if line.Type() != fastjson.TypeObject {
		return false, errNotObject
	}
	if source := line.Get("_source"); source != nil && source.Type() == fastjson.TypeObject {
		e.reset(nil, source)
		e.extra = line.Get("fields")
		return true, nil
	}
	e.reset(nil, line)
	if !line.Exists("_index") || e.hasAny(own) {
		return false, nil
	}
	l, err := Unwrap(text) // as the signal will be made
	if err != nil || !l.IsHit {
		return false, err
	}
	return true, e.parse(nil, l.Source)
}

// skimLine makes e the event of a line; ok is false where it is not plain.
func (e *Event) skimLine(text []byte) (isHit, ok bool) {
	e.reset(nil, nil)
	s := e.skimmer
	end := s.skim(text, s.line, &s.lines)
	if end < 0 || space(text, end) != len(text) {
		return false, false
	}
	e.skimmed, e.isLine = text, true
	return s.hit, true
}

// mayHaveMore reports whether a line that was skimmed may have values that are not in an object
// `_source`: in the `fields` of a hit, or in a `_source` that is a text.
func (e *Event) mayHaveMore(isHit bool, text []byte, own []Slot) bool {
	if isHit {
		return bytes.Contains(text, []byte(`"fields"`))
	}
	return !e.hasAny(own) && bytes.Contains(text, []byte(`"_index"`))
}

func (e *Event) hasAny(slots []Slot) bool {
	for _, slot := range slots {
		if len(e.Values(slot)) > 0 {
			return true
		}
	}
	return false
}

// readDeepLine is for what the parser refuses: a line nested too deeply for it, or no JSON at all.
func (e *Event) readDeepLine(text []byte) (isHit bool, err error) {
	var line json.RawMessage
	if err := json.Unmarshal(text, &line); err != nil {
		return false, notJSON(err)
	}
	if text[0] != '{' {
		return false, errNotObject
	}
	l, err := Unwrap(text)
	if err != nil {
		return false, err
	}
	return l.IsHit, e.parse(nil, l.Source)
}

// Unwrap returns the parts of a line. It takes a line as [Event.ReadLine] does, or a signal would
// be made of another event than was judged: names by their letter case, which encoding/json would
// ignore, and of a name that is there twice the first.
func Unwrap(text []byte) (Line, error) {
	var source, index, id, fields json.RawMessage
	wanted := map[string]*json.RawMessage{"_source": &source, "_index": &index, "_id": &id,
		"fields": &fields}
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil { // the brace
		return Line{}, notJSON(err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return Line{}, notJSON(err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return Line{}, notJSON(err)
		}
		if into := wanted[key.(string)]; into != nil && *into == nil {
			*into = value
		}
	}
	if _, err := d.Token(); err != nil {
		return Line{}, notJSON(err)
	}
	inner := eventOf(index, source, fields)
	if inner == nil { // a bare event may hold any value under these names
		return Line{Document: Document{Source: text}}, nil
	}
	l := Line{Document: Document{Source: inner, Fields: fields}, IsHit: true}
	// An index or an id that is no text says nothing of where the event came from.
	_ = json.Unmarshal(index, &l.Index)
	_ = json.Unmarshal(id, &l.ID)
	return l, nil
}

// eventOf returns the event of a hit, nil where the line is none: `_source`, also one that is
// written as a text, or the `fields` that a search without `_source` gives.
func eventOf(index, source, fields json.RawMessage) []byte {
	isObject := func(raw []byte) bool { return len(raw) > 0 && raw[0] == '{' }
	if isObject(source) {
		return source
	}
	if index == nil {
		return nil
	}
	var text string
	if json.Unmarshal(source, &text) == nil && isObject([]byte(text)) && json.Valid([]byte(text)) {
		return []byte(text)
	}
	if isObject(fields) {
		return fields
	}
	return nil
}

// notJSON quotes a character of the text at most, and that escaped.
func notJSON(err error) error {
	return fmt.Errorf("not JSON: %w", err)
}
