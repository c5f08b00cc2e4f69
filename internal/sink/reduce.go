package sink

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxReason bounds what a document tells of its refusal, in bytes; Elasticsearch's reason can quote
// the whole event.
const maxReason = 2000

// reduced is the form of a signal that any event fits: what the program itself says of it, and the
// event as one text that is stored and not indexed.
func reduced(p pending) ([]byte, error) {
	j := newJSONText()
	j.WriteByte('{')
	for _, f := range p.signal.alert {
		if !safe(f) {
			continue
		}
		if err := j.member(f.key, f.value); err != nil {
			return nil, err
		}
	}
	if err := j.member("kibana.alert.esrule.reduced", p.refusal.full()); err != nil {
		return nil, err
	}
	if err := j.member("event.original", string(p.signal.source)); err != nil {
		return nil, err
	}
	j.WriteByte('}')
	return j.Bytes(), nil
}

// safeOriginals are the fields of the original event that help to triage without the rest. Only
// their texts are kept.
var safeOriginals = []string{
	"action", "category", "code", "dataset", "id", "kind", "module", "outcome", "provider", "type",
}

// safe says whether a field cannot be the one that was refused: ours, or a text or texts of the
// event, of ordinary length.
func safe(f field) bool {
	name, fromEvent := strings.CutPrefix(f.key, originalEvent)
	if !fromEvent {
		return true
	}
	n, ok := f.value.(*node)
	return ok && slices.Contains(safeOriginals, name) && shortTexts(n)
}

func shortTexts(n *node) bool {
	const long = 1024 // of all texts together, so that an array cannot make it large
	size := 0
	for _, value := range n.scalars() {
		if value.kind != text {
			return false
		}
		size += len(value.text)
	}
	return size <= long
}

// largestField bounds a field of a signal without its event, in bytes of JSON.
const largestField = 2048

// withoutEvent is a form of a few KB that holds nothing of the event but where it is. Any way
// carries it, and an index that refuses it refuses any signal.
func withoutEvent(p pending) ([]byte, error) {
	s := p.signal
	j := newJSONText()
	j.WriteByte('{')
	for _, f := range s.alert {
		if strings.HasPrefix(f.key, originalEvent) || f.key == reasonField {
			continue
		}
		one := newJSONText()
		if err := one.value(f.value); err != nil {
			return nil, err
		}
		if one.Len() > largestField {
			continue
		}
		if err := j.member(f.key, f.value); err != nil {
			return nil, err
		}
	}
	for _, f := range []field{
		{reasonField, fmt.Sprintf(
			"event created %s alert %s. The event is not in this signal, since "+
				"%d bytes of it were refused (%s): it is document %s of index %s.",
			s.rule.Severity, s.rule.Name, len(s.source), p.refusal, s.eventID, s.index)},
		{reducedField, "without the event: " + p.refusal.Error()},
		{eventBytesField, len(s.source)},
	} {
		if err := j.member(f.key, f.value); err != nil {
			return nil, err
		}
	}
	j.WriteByte('}')
	return j.Bytes(), nil
}

// deadLetter is the last form: nothing in it depends on what the alerts index takes.
func deadLetter(p pending) ([]byte, error) {
	return letter(p, field{"source", string(p.signal.source)})
}

// deadLetterWithoutEvent is for an event that is too large for a dead letter as well.
func deadLetterWithoutEvent(p pending) ([]byte, error) {
	return letter(p, field{"event.bytes", len(p.signal.source)})
}

func letter(p pending, event field) ([]byte, error) {
	s := p.signal
	j := newJSONText()
	j.WriteByte('{')
	for _, f := range []field{
		{timestampField, iso(s.written)},
		{"rule.id", string(s.rule.ID)},
		{"rule.name", s.rule.Name},
		{"signal.id", string(s.ID)},
		{"event.index", s.index},
		{"event.id", s.eventID},
		{"execution.uuid", s.execution},
		{"reason", p.refusal.full()},
		event,
	} {
		if err := j.member(f.key, f.value); err != nil {
			return nil, err
		}
	}
	j.WriteByte('}')
	return j.Bytes(), nil
}

// full is everything that Elasticsearch said, for the document that the refusal is about, and for
// nothing else.
func (e *serverError) full() string {
	s := fmt.Sprintf("%d %s", e.status, cmp.Or(e.typ, http.StatusText(e.status)))
	if e.status == 0 {
		s = e.typ
	}
	for _, more := range []string{e.reason, e.details} {
		if more != "" {
			s += ": " + more
		}
	}
	return cut(strings.ToValidUTF8(s, string(utf8.RuneError)), maxReason)
}
