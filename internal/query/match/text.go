package match

import (
	"bytes"
	"math"
	"strconv"
	"time"

	"esrule/internal/ascii"
	"esrule/internal/event"
)

// textOf gives a value as a text, as a function or a pattern sees it. It may stand in the event's
// scratch.
func textOf(e *Evaluation, v *event.Value) []byte {
	switch v.Kind {
	case event.KindText, event.KindUntyped, event.KindVersion:
		return v.Text
	}
	start := len(e.scratch)
	e.scratch = appendText(e.scratch, v)
	return e.scratch[start:]
}

// appendText writes a value as Java's toString does, which is what Elasticsearch's functions see:
// not the way in which the document wrote it, but what the field's type made of it.
func appendText(into []byte, v *event.Value) []byte {
	switch v.Kind {
	case event.KindText, event.KindUntyped, event.KindVersion:
		return append(into, v.Text...)
	case event.KindInteger:
		return strconv.AppendInt(into, v.Integer, 10)
	case event.KindUnsigned:
		return strconv.AppendUint(into, v.Unsigned(), 10)
	case event.KindFloat:
		return appendDouble(into, v.Float)
	case event.KindBoolean:
		return strconv.AppendBool(into, v.Boolean)
	case event.KindDate:
		return appendTime(into, time.UnixMilli(v.Integer))
	case event.KindDateNanos:
		return appendTime(into, time.Unix(0, v.Integer))
	case event.KindAddress:
		return v.Address.AppendTo(into)
	case event.KindNull:
	}
	return into
}

// appendDouble writes a double as Java's Double.toString.
func appendDouble(into []byte, f float64) []byte {
	switch magnitude := math.Abs(f); {
	case math.IsNaN(f):
		return append(into, "NaN"...)
	case math.IsInf(f, 1):
		return append(into, "Infinity"...)
	case math.IsInf(f, -1):
		return append(into, "-Infinity"...)
	case f == 0 || magnitude >= 1e-3 && magnitude < 1e7:
		start := len(into)
		into = strconv.AppendFloat(into, f, 'f', -1, 64)
		if bytes.IndexByte(into[start:], '.') < 0 {
			into = append(into, ".0"...)
		}
		return into
	}
	start := len(into)
	into = strconv.AppendFloat(into, f, 'e', -1, 64)
	mantissa, exponent, _ := bytes.Cut(bytes.Clone(into[start:]), []byte("e"))
	into = append(into[:start], mantissa...)
	if bytes.IndexByte(mantissa, '.') < 0 {
		into = append(into, ".0"...)
	}
	n, _ := strconv.Atoi(string(exponent)) // strconv wrote it
	return strconv.AppendInt(append(into, 'E'), int64(n), 10)
}

// appendTime writes an instant as Java's ZonedDateTime.toString: what is zero at the end is left
// out.
func appendTime(into []byte, t time.Time) []byte {
	t = t.UTC()
	layout := "2006-01-02T15:04Z"
	switch nanos := t.Nanosecond(); {
	case nanos%1e3 != 0:
		layout = "2006-01-02T15:04:05.000000000Z"
	case nanos%1e6 != 0:
		layout = "2006-01-02T15:04:05.000000Z"
	case nanos != 0:
		layout = "2006-01-02T15:04:05.000Z"
	case t.Second() != 0:
		layout = "2006-01-02T15:04:05Z"
	}
	return t.AppendFormat(into, layout)
}

// foldASCII gives text in lower case, in the event's scratch where it must change.
func foldASCII(e *Evaluation, text []byte) []byte {
	start := len(e.scratch)
	e.scratch = ascii.AppendLower(e.scratch, text)
	return e.scratch[start:]
}
