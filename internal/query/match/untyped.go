package match

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"esrule/internal/date"
	"esrule/internal/event"
)

// typed reads a text without a mapping as an address or a date, where the constant is one.
func (c *constant) typed(v *event.Value) (event.Value, bool) {
	switch {
	case v.Kind != event.KindUntyped:
	case c.isNetwork:
		a, ok := event.ParseAddress(v.Text)
		return event.Value{Kind: event.KindAddress, Address: a}, ok
	case c.isDate:
		return v.AsDate()
	}
	return event.Value{}, false
}

// isDate reports whether a constant can hardly be anything but a date: ISO 8601 down to the day at
// least, or date math.
func isDate(text string) bool {
	anchor, _, _ := strings.Cut(text, "||")
	isISO := len(anchor) >= len("2026-01-02") && anchor[4] == '-' && anchor[7] == '-'
	if !isISO && !date.IsRelative(text) {
		return false
	}
	_, _, _, ok := date.New("").Range(text, time.UnixMilli(0))
	return ok
}

// placeUntyped compares a text whose field has no known mapping.
func (c *constant) placeUntyped(v *event.Value) (int, bool) {
	switch c.kind {
	case event.KindText:
		return bytes.Compare(v.Text, c.under(v.Normalizer()).text), true
	case event.KindInteger, event.KindUnsigned, event.KindFloat:
		number, ok := event.Decimal(v.Text)
		if !ok {
			return 0, false
		}
		return compareNumbers(&number, &c.number), true
	case event.KindBoolean:
		isTrue := string(v.Text) == "true"
		return compareBooleans(isTrue, c.boolean), isTrue || string(v.Text) == "false"
	case event.KindNull, event.KindUntyped, event.KindDate, event.KindDateNanos, event.KindAddress,
		event.KindVersion:
	}
	return 0, false
}

// textUse is a comparison of a field as it is, whose outcome may depend on the field's type.
type textUse struct {
	slot  event.Slot
	field string
	with  *constant
}

// noteUse keeps a comparison of a field with a text that orders them, or whose text is a date.
func (l *leaf) noteUse(slot event.Slot, with *constant, orders bool) {
	if l.folding || with.kind != event.KindText || !orders && !with.isDate {
		return
	}
	path := l.paths[slices.Index(l.slots, slot)]
	l.compiler.uses = append(l.compiler.uses, textUse{slot, path, with})
}

// ComparedAsText calls visit for each field of an event without a mapping that the condition
// compares as a text, where an index may have it as a date, an address or a number and decide
// otherwise.
func (m *Matcher) ComparedAsText(e *Evaluation, visit func(field string)) {
	for _, u := range m.uses {
		for _, v := range e.Values(u.slot) {
			if _, isTyped := u.with.typed(&v); v.Kind == event.KindUntyped && !isTyped {
				visit(u.field)
				break
			}
		}
	}
}
