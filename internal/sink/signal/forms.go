package signal

import (
	"fmt"
	"slices"
	"strings"
)

// Reduced is a form that any event fits: what the program itself says of the signal, and the event
// as one text that is stored and not indexed. why is what the cluster said of the whole document.
func (s *Signal) Reduced(why string) ([]byte, error) {
	alert, err := s.flatFields()
	if err != nil {
		return nil, err
	}
	var fields []field
	for _, f := range alert {
		if safe(f) {
			fields = append(fields, f)
		}
	}
	fields = append(fields, field{reducedField, why})
	if len(s.Match.Events) > 0 {
		fields = append(fields, field{"event.original", string(s.Event().Source)})
	}
	return compose(fields, nil)
}

// flatFields returns the fields of the signal that are not the event's, each for itself.
func (s *Signal) flatFields() ([]field, error) {
	r, err := s.read()
	if err != nil {
		return nil, err
	}
	fields, err := s.fields(nil, r, nil)
	return flat(fields), err
}

// safeOriginals are the fields of the original event that help to triage without the rest. Only
// their texts are kept.
var safeOriginals = []string{
	"action", "category", "code", "dataset", "id", "kind", "module", "outcome", "provider", "type",
}

// safe reports whether a field cannot be the one that was refused: ours, or a text or texts of the
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

// WithoutEvent is a form of a few KB that has nothing of the event but where it is. Any way to the
// cluster carries it, and an index that refuses it refuses any signal. why must not quote the
// event.
func (s *Signal) WithoutEvent(why string) ([]byte, error) {
	alert, err := s.flatFields()
	if err != nil {
		return nil, err
	}
	var fields []field
	for _, f := range alert {
		switch {
		case strings.HasPrefix(f.key, originalEvent), f.key == reasonField:
			continue
		case f.key == ruleNameField:
			f.value = s.Match.Rule.Name // the event may have given another
		}
		var one jsonText
		if err := one.value(f.value); err != nil {
			return nil, err
		}
		if one.Len() <= largestField {
			fields = append(fields, f)
		}
	}
	return compose(append(fields,
		field{reasonField, s.reasonWithoutEvent(why)},
		field{reducedField, "without the event: " + why},
		field{eventBytesField, len(s.Event().Source)},
	), nil)
}

func (s *Signal) reasonWithoutEvent(why string) string {
	r, e := s.Match.Rule, s.Event()
	created := fmt.Sprintf("event created %s alert %s. ", s.about.rating.severity, r.Name)
	if s.about.threshold != nil {
		return created + fmt.Sprintf("The values that its events have in common are not in this "+
			"signal (%s).", why)
	}
	if len(s.Match.Events) == 0 {
		return created + fmt.Sprintf("What its events have in common is not in this signal (%s): "+
			"see the signals with the same kibana.alert.group.id.", why)
	}
	return created + fmt.Sprintf("The event is not in this signal, since %d bytes of it were "+
		"refused (%s): it is document %s of index %s.", len(e.Source), why, e.ID, e.Index)
}

// DeadLetter is the last form: nothing in it depends on what the signals index takes.
func (s *Signal) DeadLetter(why string) ([]byte, error) {
	return s.letter(why, field{"source", string(s.Event().Source)})
}

// DeadLetterWithoutEvent is for an event that is too large for a dead letter as well.
func (s *Signal) DeadLetterWithoutEvent(why string) ([]byte, error) {
	return s.letter(why, field{"event.bytes", len(s.Event().Source)})
}

func (s *Signal) letter(why string, event field) ([]byte, error) {
	r, e := s.Match.Rule, s.Event()
	return compose([]field{
		{timestampField, iso(s.written)},
		{"rule.id", string(r.ID)},
		{"rule.name", r.Name},
		{"signal.id", string(s.ID)},
		{"event.index", e.Index},
		{"event.id", e.ID},
		{"execution.uuid", s.execution.ID},
		{"reason", why},
		event,
	}, nil)
}
