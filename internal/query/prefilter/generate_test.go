package prefilter_test

import (
	"encoding/json"
	"math/rand/v2"

	"esrule/internal/query/eql"
)

// kinds are the mappings that a field of these tests may have. Values that a type would refuse are
// kept out of the index by ignore_malformed, as careful templates do.
var kinds = map[string]string{
	"keyword":       `{"type":"keyword"}`,
	"short keyword": `{"type":"keyword","ignore_above":4}`,
	"text":          `{"type":"text"}`,
	"text+keyword":  `{"type":"text","fields":{"keyword":{"type":"keyword","ignore_above":4}}}`,
	"keyword+text":  `{"type":"keyword","fields":{"text":{"type":"text"}}}`,
	"normalized":    `{"type":"keyword","normalizer":"folding"}`,
	"null value":    `{"type":"keyword","null_value":"ab"}`,
	"doc values":    `{"type":"keyword","index":false}`,
	"no doc values": `{"type":"keyword","doc_values":false}`,
	"stored only":   `{"type":"keyword","index":false,"doc_values":false,"store":true}`,
	"long":          `{"type":"long","ignore_malformed":true}`,
	"integer":       `{"type":"integer","ignore_malformed":true,"null_value":4}`,
	"byte":          `{"type":"byte","ignore_malformed":true}`,
	"no coercion":   `{"type":"long","ignore_malformed":true,"coerce":false}`,
	"long values":   `{"type":"long","ignore_malformed":true,"index":false}`,
	"double":        `{"type":"double","ignore_malformed":true}`,
	"float":         `{"type":"float","ignore_malformed":true}`,
	"half_float":    `{"type":"half_float","ignore_malformed":true}`,
	"boolean":       `{"type":"boolean","ignore_malformed":true}`,
	"date":          `{"type":"date","ignore_malformed":true}`,
	"date_nanos":    `{"type":"date_nanos","ignore_malformed":true}`,
	"day":           `{"type":"date","format":"dd.MM.yyyy||epoch_second","ignore_malformed":true}`,
	"ip":            `{"type":"ip","ignore_malformed":true}`,
	"flattened":     `{"type":"flattened"}`,
	"unmapped":      "",
}

// texts are values and constants that meet in all interesting ways.
var texts = []string{"a", "A", "ab", "AB", "aB", "abc", "abcd", "abcde", "ABCDE", "abc*", "ab?", `ab\`, `a\b`, "é", "É", "", " ab", "1", "1.0", "true", "10.0.0.1", "2026-01-01", "a\nb",
	"4.7", "-5", "1e3", "1500000000000", "2026-01-01T10:00:00.123Z", "2026-01-01T10:00:00.123456789+01:00", "2026", "01.02.2026",
	"fd00::1", "::ffff:10.0.0.1", "10.0.0.0/8", "192.168.1.2", "9223372036854775807"}

// scalars are what documents hold beside texts.
var scalars = []string{"1", "1.0", "1e0", "true", "false", "null", "12345678901", "-5", "4.7", "127", "128", "0.1", "1500000000000", "-0.0", "9223372036854775807"}

// numbers are constants.
var numbers = []string{"1", "1.0", "4", "4.5", "-5", "0", "0.1", "127", "128", "12345678901", "1500000000000", "9223372036854775807", "18446744073709551615", "1e300"}

func value(random *rand.Rand) string {
	if random.IntN(4) == 0 {
		return pick(random, scalars)
	}
	text, _ := json.Marshal(pick(random, texts))
	return string(text)
}

// condition makes a condition of every kind that there is.
func condition(random *rand.Rand, depth int) string {
	if depth > 0 {
		switch random.IntN(5) {
		case 0:
			return "not (" + condition(random, depth-1) + ")"
		case 1, 2:
			return "(" + condition(random, depth-1) + " and " + condition(random, depth-1) + ")"
		case 3:
			return "(" + condition(random, depth-1) + " or " + condition(random, depth-1) + ")"
		}
	}
	field := pick(random, fieldNames)
	constant := func() string {
		return eql.Print(&eql.Literal{Kind: eql.String, Text: pick(random, texts)})
	}
	pattern := func() string {
		text := pick(random, texts)
		return eql.Print(&eql.Literal{Kind: eql.String, Text: pick(random, []string{text, text + "*", "*" + text, "*", text + "?", "?" + text, text + "*" + text})})
	}
	switch random.IntN(14) {
	case 9, 10:
		return field + order(random) + pick(random, []string{constant(), pick(random, numbers)})
	case 11:
		return function(random, field, constant)
	case 12:
		return arithmetic(random, field)
	case 13:
		return field + pick(random, []string{" regex ", " regex~ "}) + pick(random, []string{`"a.*"`, `"[a-c]+|1"`, `"~(ab)"`, `".*&@b@"`, `"<1-20>"`})
	case 0:
		return field + pick(random, []string{" == ", " != "}) + constant()
	case 1:
		return field + pick(random, []string{" == ", " != "}) + pick(random, append([]string{"true", "false", "null"}, numbers...))
	case 2:
		return field + pick(random, []string{" in ", " not in ", " in~ ", " not in~ "}) + "(" + constant() + ", " + constant() + ")"
	case 3:
		return field + pick(random, []string{" in ", " not in "}) + "(" + pick(random, numbers) + ", " + pick(random, numbers) + ", null)"
	case 4:
		return field + pick(random, []string{" == ", " != "}) + "null"
	default:
		return field + pick(random, []string{" : ", " like ", " like~ "}) + "(" + pattern() + ", " + pattern() + ")"
	}
}

func order(random *rand.Rand) string { return pick(random, []string{" < ", " <= ", " > ", " >= "}) }

// function makes a condition over a function of a field.
func function(random *rand.Rand, field string, constant func() string) string {
	switch random.IntN(7) {
	case 0, 1:
		return "cidrMatch(" + field + ", " + pick(random, []string{`"10.0.0.0/8"`, `"fd00::/8", "192.168.0.0/16"`, `"10.0.0.1"`, `"::/0"`, `"::ffff:10.0.0.0/104"`, `"10.1.2.3/8"`}) + ")"
	case 2:
		return "length(" + field + ")" + order(random) + pick(random, []string{"1", "2", "3"})
	case 3:
		return pick(random, []string{"startsWith", "endsWith~", "stringContains"}) + "(" + field + ", " + constant() + ")"
	case 4:
		return "string(" + field + ") : (" + constant() + ", " + constant() + ")"
	case 5:
		return "concat(" + field + ", " + pick(random, fieldNames) + ")" + pick(random, []string{" == ", " != "}) + "null"
	}
	return "startsWith(" + field + ", " + constant() + ") == " + pick(random, []string{"true", "false"})
}

func arithmetic(random *rand.Rand, field string) string {
	return field + pick(random, []string{" + ", " - ", " * ", " / ", " % "}) + pick(random, []string{"0", "1", "2.5"}) + order(random) + pick(random, numbers)
}
