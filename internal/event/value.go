package event

import (
	"bytes"
	"math"
	"net/netip"
	"time"

	"github.com/valyala/fastjson"

	"esrule/internal/date"
)

// Kind tells how a [Value] compares.
type Kind uint8

// The kinds of values.
const (
	KindNull Kind = iota // no value; fields never give it
	KindText
	// KindUntyped is a text of an event without a mapping: what it is compared with decides what it
	// is.
	KindUntyped
	KindInteger
	KindUnsigned // an integer beyond int64
	KindFloat
	KindBoolean
	KindDate      // to the millisecond
	KindDateNanos // to the nanosecond
	KindAddress
	KindVersion
)

// Value is one value of a field, read as its mapping's type, or the result of a function over such
// values.
type Value struct {
	Kind    Kind
	Boolean bool // KindBoolean
	Bare    bool // KindUntyped: written as a number or a boolean, not in quotes
	// Text is the value as Elasticsearch indexes it in a keyword; for every other kind, as it was
	// written, and empty where it was computed. It is valid until the event is reset.
	Text []byte
	// Integer is a KindInteger's value, the bits of a KindUnsigned's, and the milliseconds or
	// nanoseconds since 1970 of a date's.
	Integer int64
	Float   float64    // KindFloat
	Address netip.Addr // KindAddress, never of the v4-mapped form

	field *field // nil where the value was computed
	lower []byte // see Event.Lower
}

// Unsigned is the value of a KindUnsigned.
func (v *Value) Unsigned() uint64 { return uint64(v.Integer) }

// Dates is the format in which constants are compared with a date.
func (v *Value) Dates() *date.Format {
	if v.field == nil || v.field.dates == nil {
		return nil
	}
	return v.field.dates
}

// DateKey stands for what [Value.Dates] reads: two values with equal keys read a constant alike.
type DateKey struct {
	formats   string
	constants *date.Constants
}

// DateKey returns the key of the format.
func (v *Value) DateKey() DateKey {
	if v.field == nil {
		return DateKey{}
	}
	return DateKey{v.field.Formats, v.field.Constants}
}

// RoundEqual gives a number as the field's type would hold it, for comparisons by equality: a float
// that holds 0.1 equals the constant 0.1.
func (v *Value) RoundEqual(f float64) float64 {
	if v.field == nil {
		return f
	}
	return v.field.precision.round(f)
}

// RoundOrder is [Value.RoundEqual] for comparisons by order. In those Elasticsearch does not round
// the constant for a scaled_float, and for a half_float only to 32 bits.
func (v *Value) RoundOrder(f float64) float64 {
	switch {
	case v.field == nil:
	case v.field.precision.bits != 0:
		return float64(float32(f))
	case v.field.precision.scale != 0 && f == 0:
		return 0 // kept as a long, which has no -0.0
	}
	return f
}

// field is what an event knows of a field through one mapping.
type field struct {
	FieldMapping
	path      *lookup      // in `_source`
	copied    []*lookup    // there too, of Copied
	asked     *lookup      // in the hit's `fields`
	scripted  *field       // the same without the normalizer; nil where there is none
	dates     *date.Format // of a date
	precision precision    // of a float
	integers  integers     // of an integer
	wild      *wild        // of a pattern of paths; nil for a field
}

// newField binds a field to a mapping. path finds it in `_source` under its own name.
func newField(m FieldMapping, path *lookup) field {
	f := field{FieldMapping: m, path: path}
	if m.SourcePath != "" {
		f.path = newLookup(m.SourcePath)
	}
	for _, from := range m.Copied {
		f.copied = append(f.copied, newLookup(from))
	}
	f.asked = path
	if m.Normalizer != nil {
		if m.Exact != "" {
			f.asked = newLookup(m.Exact)
		}
		m.Normalizer = nil
		scripted := newField(m, path)
		f.scripted = &scripted
	}
	switch m.Type {
	case Date, DateNanos:
		f.dates = m.Dates()
	case Float:
		f.precision = precisionOf(m)
	case Integer:
		f.integers = integersOf(m.Name)
	case Untyped:
		f.dates = date.New(date.Default)
	case Unmapped, Keyword, Text, Unsigned, Boolean, IP, Version, Object, Other:
	}
	return f
}

// read gives a scalar's text as a value of the field's type. ok is false for what that type cannot
// take: such a value was not indexed and counts as missing.
func (f *field) read(text []byte) (value Value, ok bool) {
	switch f.Type {
	case Integer:
		if f.integers == integersOf("long") {
			value, ok = readLong(text)
		} else {
			value, ok = f.integers.readNarrow(text)
		}
	case Unsigned:
		value, ok = readUnsigned(text)
	case Float:
		value, ok = f.precision.read(text)
	case Boolean:
		value, ok = readBoolean(text)
	case Date, DateNanos:
		value, ok = f.readDate(text)
	case IP:
		value, ok = readAddress(text)
	case Version:
		value, ok = Value{Kind: KindVersion}, true
	// texts are appended as they are; see textKind
	case Keyword, Text, Other, Untyped, Object, Unmapped:
	}
	value.Text, value.field = text, f
	return value, ok
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

// readBoolean takes what a boolean mapping takes; the empty string is false there.
func readBoolean(text []byte) (Value, bool) {
	switch string(text) {
	case "true":
		return Value{Kind: KindBoolean, Boolean: true}, true
	case "false", "":
		return Value{Kind: KindBoolean, Boolean: false}, true
	}
	return Value{}, false
}

func (f *field) readDate(text []byte) (Value, bool) {
	i, ok := f.dates.Parse(text)
	if !ok {
		return Value{}, false
	}
	if f.Type == Date {
		return Value{Kind: KindDate, Integer: i.Millis()}, true
	}
	n := i.UnixNano()
	// date_nanos begins in 1970 and ends in 2262, where 64 bits end
	held := n >= 0 && n < math.MaxInt64
	return Value{Kind: KindDateNanos, Integer: n}, held
}

// Time returns the time that a date stands for, or a text that is written as a date field whose
// mapping names no format would take it.
func (v *Value) Time() (at time.Time, ok bool) {
	switch v.Kind {
	case KindDate:
		return time.UnixMilli(v.Integer).UTC(), true
	case KindDateNanos:
		return time.Unix(0, v.Integer).UTC(), true
	case KindText, KindUntyped:
		i, ok := date.New(date.Default).Parse(v.Text)
		return i.Time(), ok
	}
	return time.Time{}, false
}

// AsDate reads a text without a mapping as a date field whose mapping names no format would.
func (v *Value) AsDate() (Value, bool) {
	if v.Kind != KindUntyped || v.Dates() == nil {
		return Value{}, false
	}
	i, ok := v.Dates().Parse(v.Text)
	return Value{Kind: KindDate, Text: v.Text, Integer: i.Millis(), field: v.field}, ok
}

func readAddress(text []byte) (Value, bool) {
	a, ok := ParseAddress(text)
	return Value{Kind: KindAddress, Address: a}, ok
}

// ParseAddress reads an address as an ip field does: a zone (fe80::1%eth0) is passed over, and v4
// in v6 is v4.
func ParseAddress(text []byte) (netip.Addr, bool) {
	if zone := bytes.IndexByte(text, '%'); zone > 0 && bytes.IndexByte(text[:zone], ':') >= 0 {
		text = text[:zone]
	}
	if len(text) < 2 || len(text) > 45 || !mayBeAddress(text) {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(string(text))
	if err != nil {
		return netip.Addr{}, false
	}
	return a.Unmap(), true
}

// mayBeAddress passes over most texts that are none: an error of netip would cost memory.
func mayBeAddress(text []byte) bool {
	separated := false
	for _, c := range text {
		switch {
		case c == '.' || c == ':':
			separated = true
		case (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F'):
			return false
		}
	}
	return separated
}

// Normalizer is what the constants have to pass that are compared with the value; nil where none
// has.
func (v *Value) Normalizer() *Normalizer {
	if v.field == nil {
		return nil
	}
	return v.field.Normalizer
}

// Scripted returns a field's value as a function sees it. Elasticsearch computes functions in a
// script: it reads normalized values there, and takes constants as they are.
func (v *Value) Scripted() Value {
	scripted := *v
	if v.field != nil && v.field.scripted != nil {
		scripted.field = v.field.scripted
	}
	return scripted
}

// IsComputed tells a value that a function made from one that a field holds.
func (v *Value) IsComputed() bool { return v.field == nil }

// IsPlainText reports whether the value is compared by its Text as it is with constants as they
// are, and whether [Event.Lower] may be called.
func (v *Value) IsPlainText() bool {
	return v.field != nil && v.field.Normalizer == nil && v.isText()
}

// HasWords reports whether the value is a text whose words KQL compares, not the whole.
func (v *Value) HasWords() bool {
	return v.field != nil && (v.field.Type == Text || v.field.Type == Untyped &&
		v.field.Name == "text")
}

// IndexHasWords reports whether only the value's index knows its words.
func (v *Value) IndexHasWords() bool { return v.field != nil && v.field.IndexHasWords() }

// HoldsText reports whether the field holds texts: no numbers, dates, addresses or booleans.
func (v *Value) HoldsText() bool { return v.isText() || v.Kind == KindVersion }

// IsLowercase reports whether the value's Text is in lower case, and it is compared by that with
// constants in lower case (see [Lowercase]).
func (v *Value) IsLowercase() bool {
	return v.field != nil && v.field.Normalizer != nil && v.field.Normalizer.Lowercase && v.isText()
}

func (v *Value) isText() bool { return v.Kind == KindText || v.Kind == KindUntyped }
