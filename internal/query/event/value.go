package event

import (
	"math"
	"strconv"

	"github.com/valyala/fastjson"
)

// Kind tells how a [Value] compares.
type Kind uint8

// The kinds of values.
const (
	KindText Kind = iota
	KindInteger
	KindFloat
	KindBoolean
)

// Value is one value of a field, read as its mapping's type.
type Value struct {
	Kind Kind
	// Text is the value as Elasticsearch indexes it in a keyword; for every other kind, as it was written.
	// It is valid until the event is reset.
	Text []byte

	Integer int64   // KindInteger
	Float   float64 // KindFloat
	Boolean bool    // KindBoolean

	lower []byte // see Event.Lower
}

// read gives a scalar's text as a value of the field's type. ok is false for what that type cannot take:
// such a value was not indexed and counts as missing.
func read(text []byte, t Type) (value Value, ok bool) {
	switch t {
	case Integer:
		return readInteger(text)
	case Float, Unsigned:
		return readFloat(text)
	case Boolean:
		return readBoolean(text)
	case Object, Unmapped:
		return Value{}, false
	case Keyword, Text, Date, DateNanos, IP, Version, Other:
		return Value{Kind: KindText, Text: text}, true
	}
	return Value{}, false
}

// textOf gives a scalar's text: a string unescaped, a number and a boolean as written. Null and
// composite values have none.
func textOf(v *fastjson.Value, scratch *[]byte) ([]byte, bool) {
	switch v.Type() {
	case fastjson.TypeString:
		b, err := v.StringBytes()
		return b, err == nil
	case fastjson.TypeNumber:
		start := len(*scratch)
		*scratch = v.MarshalTo(*scratch)
		return (*scratch)[start:], true
	case fastjson.TypeTrue:
		return []byte("true"), true
	case fastjson.TypeFalse:
		return []byte("false"), true
	case fastjson.TypeNull, fastjson.TypeObject, fastjson.TypeArray:
		return nil, false
	}
	return nil, false
}

// readInteger coerces as an integer mapping does: text counts as its number, a fraction is cut off.
func readInteger(text []byte) (Value, bool) {
	if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		return Value{Kind: KindInteger, Text: text, Integer: n}, true
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || math.IsNaN(f) || f < -(1<<63) || f >= 1<<63 {
		return Value{}, false
	}
	return Value{Kind: KindInteger, Text: text, Integer: int64(f)}, true
}

func readFloat(text []byte) (Value, bool) {
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return Value{}, false
	}
	return Value{Kind: KindFloat, Text: text, Float: f}, true
}

// readBoolean takes what a boolean mapping takes; the empty string is false there.
func readBoolean(text []byte) (Value, bool) {
	switch string(text) {
	case "true":
		return Value{Kind: KindBoolean, Text: text, Boolean: true}, true
	case "false", "":
		return Value{Kind: KindBoolean, Text: text, Boolean: false}, true
	}
	return Value{}, false
}
