// Package terms reads the terms of an event: the combinations of the values that some of its fields
// have in the index. The kinds of rules that compare values across events are built on it.
//
// A term is what an aggregation over the field would see; of a text field, where there is none, it
// is the whole text. A value that the index leaves out (ignore_above, a malformed number) is none.
// Terms are compared as texts, so 5 in a long is 5 in a keyword.
package terms

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/match"
)

// Fields are those whose values make a tuple.
type Fields struct {
	paths []string
	slots []event.Slot
}

// New returns the fields at paths, and adds them to those that events read.
func New(fields *event.Fields, paths []string) Fields {
	f := Fields{paths: paths}
	for _, path := range paths {
		f.slots = append(f.slots, fields.Add(path))
	}
	return f
}

// Tuple is a value of each of the fields, in their order.
type Tuple struct {
	Values []string
	// exact says of each value whether a query for its text finds it, whatever the field's type.
	exact []bool
}

// Key returns a text that is equal for equal tuples only.
func (t Tuple) Key() string {
	var key []byte
	for _, v := range t.Values {
		key = append(binary.AppendUvarint(key, uint64(len(v))), v...)
	}
	return string(key)
}

// String returns the values for a person to read.
func (t Tuple) String() string { return strings.Join(t.Values, ", ") }

// mostTuples bounds the combinations of one event, which multiply.
const mostTuples = 10_000

// Tuples returns the tuples of the event, each once; none where it lacks a value of some field.
func (f Fields) Tuples(e *match.Evaluation) ([]Tuple, error) {
	all := []Tuple{{}}
	for i, slot := range f.slots {
		values, exact := distinct(e.Values(slot))
		if len(values) == 0 {
			return nil, nil
		}
		if len(all)*len(values) > mostTuples {
			return nil, fmt.Errorf("the values of %s make more than %d combinations in one event",
				strings.Join(f.paths[:i+1], ", "), mostTuples)
		}
		more := make([]Tuple, 0, len(all)*len(values))
		for _, before := range all {
			for j, v := range values {
				more = append(more, Tuple{append(slices.Clip(before.Values), v),
					append(slices.Clip(before.exact), exact[j])})
			}
		}
		all = more
	}
	return all, nil
}

func distinct(values []event.Value) (texts []string, exact []bool) {
	for i := range values {
		text, isExact, ok := termOf(&values[i])
		if ok && !slices.Contains(texts, text) {
			texts, exact = append(texts, text), append(exact, isExact)
		}
	}
	return texts, exact
}

// termOf returns a value as its term is written; ok is false where it has none.
func termOf(v *event.Value) (text string, exact, ok bool) {
	text, ok = Text(v)
	switch v.Kind {
	case event.KindText, event.KindUntyped, event.KindVersion:
		if v.HasWords() { // a query for a text without words finds nothing
			return text, strings.ContainsFunc(text, isWordy), true
		}
		return text, v.IsPlainText() || v.IsLowercase(), true
	case event.KindFloat, event.KindDate, event.KindDateNanos:
		return text, false, ok
	case event.KindNull, event.KindInteger, event.KindUnsigned, event.KindBoolean,
		event.KindAddress:
	}
	return text, true, ok
}

func isWordy(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) }

// Text returns a value as a text, of a text field the whole of it; ok is false where it has none.
func Text(v *event.Value) (text string, ok bool) {
	switch v.Kind {
	case event.KindNull:
		return "", false
	case event.KindInteger:
		return strconv.FormatInt(v.Integer, 10), true
	case event.KindUnsigned:
		return strconv.FormatUint(v.Unsigned(), 10), true
	case event.KindFloat:
		return strconv.FormatFloat(v.Float, 'f', -1, 64), true
	case event.KindBoolean:
		return strconv.FormatBool(v.Boolean), true
	case event.KindDate, event.KindDateNanos:
		at, _ := v.Time()
		return at.Format(time.RFC3339Nano), true
	case event.KindAddress:
		return v.Address.String(), true
	case event.KindText, event.KindUntyped, event.KindVersion:
	}
	return string(v.Text), true
}

// Condition returns what every event with the tuple satisfies, and maybe some others.
func (f Fields) Condition(t Tuple) cond.Expr {
	all := &cond.And{}
	for i, path := range f.paths {
		if t.exact[i] {
			all.Operands = append(all.Operands, &cond.Is{Field: &cond.Field{Path: path},
				Value: &cond.Literal{Kind: cond.String, Text: t.Values[i]}, Quoted: true})
		}
	}
	return all
}

// Paths returns the paths of the fields.
func (f Fields) Paths() []string { return f.paths }
