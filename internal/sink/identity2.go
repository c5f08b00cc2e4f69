package sink

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
)

// widerFields tell apart events that subjectFields do not: requests of one connection, rules that one
// packet sets off, users that one action concerns. Fixed for good, as subjectFields.
var widerFields = [...]string{
	"url.original", "url.full", "url.domain", "url.path", "url.query", "http.request.method",
	"rule.id", "rule.uuid", "rule.name",
	"user.id", "user.name", "user.domain", "user.email", "user.target.id", "user.target.name",
}

// widen returns the second version of an identity: the id of an event's signal where the first is that
// of another event's. It is the first where the event has nothing more that tells it apart.
//
// So no id that was ever written changes, and an event that was alerted is not alerted again.
func widen(first SignalID, event *node) SignalID {
	known := fieldsOf(event)
	if !known.has("event.id") && known.has("winlog.computer_name") && known.has("winlog.channel") &&
		known.has("winlog.record_id") {
		return first // a record's number stands for one event
	}
	f, fraction := widerOf(event), belowMillisecond(event)
	if len(f) == 0 && fraction == "" {
		return first
	}
	d := digest{sha256.New()}
	d.text("identity 2")
	d.text(string(first))
	d.wider(f)
	d.text(fraction)
	return SignalID(hex.EncodeToString(d.Sum(nil)))
}

func (d digest) wider(f fields) {
	for _, name := range widerFields {
		d.values(name, f[name])
	}
}

// widerOf are the event's values of widerFields, those that are not empty.
func widerOf(event *node) fields {
	f := fields{}
	event.eachLeaf(func(path []byte, leaf *node) {
		if leaf.text != "" && leaf.kind != null && slices.Contains(widerFields[:], string(path)) {
			f[string(path)] = append(f[string(path)], leaf.text)
		}
	})
	return f
}

// sameWider reports whether two events do not differ in widerFields.
func sameWider(a, b *node) bool {
	one, other := digest{sha256.New()}, digest{sha256.New()}
	one.wider(widerOf(a))
	other.wider(widerOf(b))
	return slices.Equal(one.Sum(nil), other.Sum(nil))
}

// belowMillisecond is what an event's time says below a millisecond, in nanoseconds; empty where that
// is nothing.
func belowMillisecond(event *node) string {
	for _, n := range event.at(timestampField) {
		for _, leaf := range n.scalars() {
			text := strings.Replace(leaf.text, " ", "T", 1)
			for _, layout := range isoLayouts {
				t, err := time.Parse(layout, text)
				if ns := t.Nanosecond() % int(time.Millisecond); err == nil && ns != 0 {
					return strconv.Itoa(ns)
				}
			}
		}
	}
	return ""
}
