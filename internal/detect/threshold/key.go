package threshold

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"esrule/internal/event"
)

// texts returns the different values of a field as texts, in order. Values are the same where their
// texts are: a number is, whatever type it is mapped as.
func texts(values []event.Value) []string {
	var list []string
	for i := range values {
		if text, ok := textOf(&values[i]); ok {
			list = append(list, text)
		}
	}
	if len(list) > 1 {
		slices.Sort(list)
		list = slices.Compact(list)
	}
	return list
}

func textOf(v *event.Value) (text string, ok bool) {
	switch v.Kind {
	case event.KindNull:
		return "", false
	case event.KindText, event.KindUntyped, event.KindVersion:
		return string(v.Text), true
	case event.KindInteger:
		return strconv.FormatInt(v.Integer, 10), true
	case event.KindUnsigned:
		return strconv.FormatUint(v.Unsigned(), 10), true
	case event.KindFloat:
		if whole := int64(v.Float); float64(whole) == v.Float && math.Abs(v.Float) < 1<<63 {
			return strconv.FormatInt(whole, 10), true
		}
		return strconv.FormatFloat(v.Float, 'g', -1, 64), true
	case event.KindBoolean:
		return strconv.FormatBool(v.Boolean), true
	case event.KindDate:
		return time.UnixMilli(v.Integer).UTC().Format(time.RFC3339Nano), true
	case event.KindDateNanos:
		return time.Unix(0, v.Integer).UTC().Format(time.RFC3339Nano), true
	case event.KindAddress:
		return v.Address.String(), true
	}
	return "", false
}

// appendPart adds a value to a key: its length and itself, so that no two tuples have one key.
func appendPart(key, value string) string {
	return key + strconv.Itoa(len(value)) + ":" + value
}

// keyOf returns the key of a tuple of values.
func keyOf(values []string) (key string) {
	for _, value := range values {
		key = appendPart(key, value)
	}
	return key
}

// valuesOf returns the tuple that a key is of.
func valuesOf(key string) (values []string) {
	for key != "" {
		length, rest, _ := strings.Cut(key, ":")
		n, _ := strconv.Atoi(length)
		values, key = append(values, rest[:n]), rest[n:]
	}
	return values
}
