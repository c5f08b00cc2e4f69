package threshold

import (
	"slices"
	"strconv"
	"strings"

	"esrule/internal/detect/terms"
	"esrule/internal/event"
)

// texts returns the different values of a field as texts, in order. Values are the same where their
// texts are: a number is, whatever type it is mapped as.
func texts(values []event.Value) []string {
	var list []string
	for i := range values {
		if text, ok := terms.Text(&values[i]); ok {
			list = append(list, text)
		}
	}
	if len(list) > 1 {
		slices.Sort(list)
		list = slices.Compact(list)
	}
	return list
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
