package signal

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"
)

// widerFields tell apart events that subjectFields do not: requests of one connection, rules that
// one packet sets off, users that one action concerns. Fixed for good, as subjectFields.
var widerFields = [...]string{
	"url.original", "url.full", "url.domain", "url.path", "url.query", "http.request.method",
	"rule.id", "rule.uuid", "rule.name",
	"user.id", "user.name", "user.domain", "user.email", "user.target.id", "user.target.name",
}

// widen writes what the second version of an identity is made of beside the first: the id of an
// event's signal where the first is that of another event's. A Windows record has none, since its
// number stands for one event.
//
// So no id that was ever written changes, and an event that was alerted is not alerted again.
func (d *digest) widen(f *fields, belowMillisecond int) {
	if f.isWindowsRecord() {
		return
	}
	d.wider(f)
	if belowMillisecond != 0 {
		d.text(strconv.Itoa(belowMillisecond))
	} else {
		d.text("")
	}
}

// second returns the second version of an identity whose first is given.
func (i *identity) second(first ID) ID {
	if len(i.wider.parts) == 0 {
		return first
	}
	d := digest{i.whole[:0]}
	d.text("identity 2")
	d.text(string(first))
	i.whole = append(d.parts, i.wider.parts...)
	return (&digest{i.whole}).id()
}

// Seen remembers which events have a signal, for whoever writes no index. The zero value is empty.
// It may be used from many goroutines.
type Seen struct {
	mu sync.RWMutex
	of map[ID]ID // the wider id of the event that an id is of
}

// has reports whether a signal is no longer new. What was seen once stays that.
func (r *Seen) has(s *Signal) bool {
	if r == nil {
		return false
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	wider, taken := r.of[s.ID]
	if taken && wider != s.widerID {
		_, taken = r.of[s.widerID]
	}
	return taken
}

// Add returns the signal under the id that an index would have it by, and whether it is new.
func (r *Seen) Add(s Signal) (Signal, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if wider, taken := r.of[s.ID]; taken && wider != s.widerID {
		s = s.Widened()
	}
	if _, taken := r.of[s.ID]; taken {
		return s, false
	}
	if r.of == nil {
		r.of = map[ID]ID{}
	}
	r.of[s.ID] = s.widerID
	return s, true
}

// Widens reports whether the signal has an id of its own where its ID is another event's.
func (s *Signal) Widens() bool { return s.widerID != s.ID }

// Widened returns the signal under the second version of its identity.
func (s *Signal) Widened() Signal {
	other := *s
	other.ID = s.widerID
	uuid := func(id ID) []byte { return []byte(`"` + uuidField + `":"` + string(id) + `"`) }
	other.Document = bytes.Replace(s.Document, uuid(s.ID), uuid(other.ID), 1)
	return other
}

// FieldsOfIsIn returns the fields of a document that IsIn reads.
func FieldsOfIsIn() []string {
	return append(widerFields[:], "kibana.alert.ancestors", reducedField, finerTimeField,
		"event.original")
}

// IsIn reports whether a document is the signal of the same event. One that cannot be read counts
// as that, so that nothing is alerted twice.
func (s *Signal) IsIn(document []byte) bool {
	var signal struct {
		Reduced   any  `json:"kibana.alert.esrule.reduced"`
		FinerTime *int `json:"kibana.alert.esrule.original_time_nanos"`
	}
	text, err := EventOf(document)
	if err != nil || json.Unmarshal(document, &signal) != nil {
		return true
	}
	if signal.FinerTime != nil && *signal.FinerTime != s.finerTime {
		return false
	}
	ours := s.Event().Source
	if signal.Reduced == nil { // both with the values that the search's fields added
		if ours, err = EventOf(s.Document); err != nil {
			return true
		}
	}
	theirs, errTheirs := parse(text)
	mine, errMine := parse(ours)
	if errors.Join(errTheirs, errMine) != nil {
		return true
	}
	return sameWider(theirs, mine)
}

func (d *digest) wider(f *fields) {
	for n, name := range widerFields {
		d.values(name, f[firstWider+n])
	}
}

// sameWider reports whether two events do not differ in widerFields.
func sameWider(a, b *node) bool {
	var one, other identity
	one.readFields(a)
	other.readFields(b)
	one.wider.wider(&one.fields)
	other.wider.wider(&other.fields)
	return bytes.Equal(one.wider.parts, other.wider.parts)
}

// finerTimeField is in every signal: what its event's time says below a millisecond, in
// nanoseconds. Signals of older releases do not have it, and of their events nothing finer is
// known.
const finerTimeField = "kibana.alert.esrule.original_time_nanos"

// belowMillisecond is what an event's time says below a millisecond, in nanoseconds.
func belowMillisecond(event *node) int {
	var found, scalars [2]*node
	for _, n := range event.appendAt(found[:0], timestampField) {
		for _, leaf := range n.appendScalars(scalars[:0]) {
			if isMillisecond(leaf.text) {
				continue
			}
			text := strings.Replace(leaf.text, " ", "T", 1)
			for _, layout := range isoLayouts {
				t, err := time.Parse(layout, text)
				if err != nil {
					continue
				}
				if ns := t.Nanosecond() % int(time.Millisecond); ns != 0 {
					return ns
				}
				break // no other form fits the same text
			}
		}
	}
	return 0
}

// isMillisecond reports whether a text is no time with more than three digits after the seconds.
func isMillisecond(text string) bool {
	at := strings.LastIndexAny(text, ".,")
	if at < 0 {
		return true
	}
	rest := strings.TrimLeft(text[at+1:], "0123456789")
	return len(text[at+1:])-len(rest) <= 3
}
