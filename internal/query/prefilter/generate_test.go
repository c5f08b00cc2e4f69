package prefilter_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pgregory.net/rapid"

	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
	"esrule/internal/query/kql"
)

// Where a generator chooses among alternatives, the plainest comes first: rapid shrinks towards it.

var fieldNames = []string{"f.a", "f.b", "f.c"}

// kind is a mapping that a field of these tests may have.
type kind struct{ name, mapping string }

// kinds keep values that a type would refuse out of the index by ignore_malformed, as careful
// templates do.
var kinds = []kind{
	{"keyword", `{"type":"keyword"}`},
	{"short keyword", `{"type":"keyword","ignore_above":4}`},
	{"text", `{"type":"text"}`},
	{"text+keyword", `{"type":"text","fields":{"keyword":{"type":"keyword","ignore_above":4}}}`},
	{"keyword+text", `{"type":"keyword","fields":{"text":{"type":"text"}}}`},
	{normalized, `{"type":"keyword","normalizer":"folding"}`},
	{"null value", `{"type":"keyword","null_value":"ab"}`},
	{"doc values", `{"type":"keyword","index":false}`},
	{"no doc values", `{"type":"keyword","doc_values":false}`},
	{"stored only", `{"type":"keyword","index":false,"doc_values":false,"store":true}`},
	{"long", `{"type":"long","ignore_malformed":true}`},
	{"integer", `{"type":"integer","ignore_malformed":true,"null_value":4}`},
	{"byte", `{"type":"byte","ignore_malformed":true}`},
	{"no coercion", `{"type":"long","ignore_malformed":true,"coerce":false}`},
	{"long values", `{"type":"long","ignore_malformed":true,"index":false}`},
	{"double", `{"type":"double","ignore_malformed":true}`},
	{"float", `{"type":"float","ignore_malformed":true}`},
	{"half_float", `{"type":"half_float","ignore_malformed":true}`},
	{"double values", `{"type":"double","ignore_malformed":true,"index":false}`},
	{"float without coercion", `{"type":"float","ignore_malformed":true,"coerce":false}`},
	{"half_float with a null value",
		`{"type":"half_float","ignore_malformed":true,"null_value":0.1}`},
	{"boolean", `{"type":"boolean","ignore_malformed":true}`},
	{"date", `{"type":"date","ignore_malformed":true}`},
	{"date_nanos", `{"type":"date_nanos","ignore_malformed":true}`},
	{"day", `{"type":"date","format":"dd.MM.yyyy||epoch_second","ignore_malformed":true}`},
	{"zoned", `{"type":"date","format":"yyyy-MM-dd HH:mm VV||yyyy-'Q'Q||G yyyy","ignore_malformed":true}`},
	{"day without doc values",
		`{"type":"date","format":"dd.MM.yyyy||strict_year","ignore_malformed":true,"doc_values":false}`},
	{"day with a null value",
		`{"type":"date","format":"dd.MM.yyyy||strict_year","ignore_malformed":true,"null_value":"01.02.2026"}`},
	{"nanos of a day", `{"type":"date_nanos","format":"dd.MM.yyyy||date_optional_time","ignore_malformed":true}`},
	{"weeks", `{"type":"date","format":"yyyy-MM-dd||YYYY-'W'ww||epoch_millis","ignore_malformed":true}`},
	{"ip", `{"type":"ip","ignore_malformed":true}`},
	{flattened, `{"type":"flattened"}`},
	{"alias", ""},
	{"unmapped", ""},
	{"runtime", `{"type":"keyword"}`},
	{"runtime", `{"type":"long"}`},
	{"runtime", `{"type":"double"}`},
	{"runtime", `{"type":"boolean"}`},
	{"runtime", `{"type":"date"}`},
	{"runtime", `{"type":"date","format":"dd.MM.yyyy||epoch_second"}`},
	{"runtime", `{"type":"ip"}`},
}

// onlyFullServer are of types, and of scripts, that only the full server has; its test distribution
// refuses them.
var onlyFullServer = []kind{
	{"wildcard", `{"type":"wildcard"}`},
	{"short wildcard", `{"type":"wildcard","ignore_above":4}`},
	{"match_only_text", `{"type":"match_only_text","fields":{"keyword":{"type":"keyword"}}}`},
	{"text+wildcard", `{"type":"text","fields":{"whole":{"type":"wildcard","ignore_above":4}}}`},
	{constantKeyword, `{"type":"constant_keyword","value":"ab"}`},
	{"version", `{"type":"version"}`},
	{"unsigned_long", `{"type":"unsigned_long","ignore_malformed":true}`},
	{"unsigned_long with a null value",
		`{"type":"unsigned_long","ignore_malformed":true,"null_value":4}`},
	{"scaled_float", `{"type":"scaled_float","scaling_factor":10,"ignore_malformed":true}`},
	{"finely scaled_float", `{"type":"scaled_float","scaling_factor":1234.5,"ignore_malformed":true}`},
	{runtime, `{"type":"keyword","script":{"source":"emit('ab')"}}`},
	{runtime, `{"type":"long","script":{"source":"emit(4)"}}`},
}

const (
	constantKeyword = "constant_keyword"
	flattened       = "flattened"
	normalized      = "normalized"
	runtime         = "runtime"
	semanticVersion = "semantic version" // what OpenSearch calls version; it takes nothing else
)

// texts are values and constants that meet in all interesting ways.
var texts = []string{"a", "A", "ab", "AB", "aB", "abc", "abcd", "abcde", "ABCDE", "abc*", "ab?",
	`ab\`, `a\b`, "é", "É", "", " ab", "1", "1.0", "true", "10.0.0.1", "2026-01-01", "a\nb",
	"4.7", "-5", "1e3", "1500000000000", "2026-01-01T10:00:00.123Z",
	"2026-01-01T10:00:00.123456789+01:00", "2026", "01.02.2026",
	"fd00::1", "::ffff:10.0.0.1", "10.0.0.0/8", "192.168.1.2", "9223372036854775807",
	"18446744073709551615", "0.1", " 7 ", "16777217",
	"2026-10-25 02:30 Europe/Paris", "2026-Q1", "2026-Q3", "AD 2026", "2026-W05", "1.2.3", "1.10.0",
	"1.2.3-rc1", "1.2"}

// versions are semantic ones.
var versions = []string{"1.2.3", "1.10.0", "1.2.3-rc1", "10.0.0", "0.0.1"}

// scalars are what documents hold beside texts.
var scalars = []string{"1", "1.0", "1e0", "true", "false", "null", "12345678901", "-5", "4.7",
	"127", "128", "0.1", "1500000000000", "-0.0", "9223372036854775807", "18446744073709551615",
	"0.25", "0.049999999", "2049", "2051", "16777217", "16777219", "9007199254740993", "65504",
	"65520", "1e-9", "3.4028236e38", "1e300", "4.9e-324"}

// numbers are constants.
var numbers = []string{"1", "1.0", "4", "4.5", "-5", "0", "0.1", "127", "128", "12345678901",
	"1500000000000", "9223372036854775807", "18446744073709551615", "1e300",
	"0.0", "-0.0", "4.7", "0.25", "0.05", "2048", "2049", "2050", "2052", "16777216", "16777217",
	"16777218", "9007199254740993", "65504", "65520", "1e-9", "3.4028235e38", "4.9e-324"}

// topic is what a check is about: a third of them is about numbers, which among all types would
// meet too seldom.
type topic struct {
	name  string
	kinds []kind
	// parents are the types of the object that holds the fields.
	parents []string
	value   func(*rapid.T) string // of a document
	leaf    func(*rapid.T) string // of a condition in EQL; nil for conditions in KQL
}

// GoString shows a topic in rapid's report.
func (s topic) GoString() string { return s.name }

func topics(kinds []kind) *rapid.Generator[topic] {
	var numeric []kind
	for _, k := range kinds {
		var mapping struct{ Type string }
		if k.mapping != "" && k.name != runtime &&
			json.Unmarshal([]byte(k.mapping), &mapping) == nil && isNumeric(mapping.Type) {
			numeric = append(numeric, k)
		}
	}
	parents := []string{"object", "object", "object", "nested"}
	if slices.ContainsFunc(kinds, func(k kind) bool { return k.name == flattened }) {
		parents = append(parents, flattened)
	}
	all := topic{"everything", kinds, parents, value, leaf}
	numbers := topic{"numbers", numeric, parents, func(t *rapid.T) string {
		return pick(t, scalars)
	}, numberLeaf}
	words := topic{"KQL", kinds, parents, worded, nil}
	return rapid.Custom(func(t *rapid.T) topic {
		return pick(t, []topic{all, all, numbers, words, words})
	})
}

func isNumeric(name string) bool {
	switch event.TypeOf(name) {
	case event.Integer, event.Unsigned, event.Float:
		return true
	}
	return false
}

// pick chooses with nearly the same chance for each but the first two, which it favours;
// rapid.SampledFrom favours the ends of a long list so much that most kinds of field would hardly
// be seen.
func pick[T any](t *rapid.T, from []T) T {
	return from[int(rapid.Uint16().Draw(t, "choice"))%len(from)]
}

// either chooses a generator and draws from it alone, so that a failure shrinks towards the first.
func either(t *rapid.T, from ...func(*rapid.T) string) string { return pick(t, from)(t) }

// schema is a mapping made at random: fieldNames under a parent, each of a kind of its own.
type schema struct {
	topic
	parent string
	fields map[string]kind
	json   string
}

// GoString shows a schema in rapid's report.
func (s schema) GoString() string { return s.json }

// held is the path below f under which documents hold a field's values: an alias has none of its
// own.
func (s schema) held(field string) string {
	short := strings.TrimPrefix(field, "f.")
	if s.fields[field].name == "alias" {
		return short + "_target"
	}
	return short
}

// schemas makes mappings of fields of a topic's kinds: a flattened parent has keys in place of
// fields.
func schemas(about topic) *rapid.Generator[schema] {
	return rapid.Custom(func(t *rapid.T) schema {
		s := schema{topic: about, fields: map[string]kind{}}
		s.parent = pick(t, s.parents)
		var properties, runtimes []string
		for _, field := range fieldNames {
			k := pick(t, s.kinds)
			if s.parent == flattened {
				k = kind{name: "key"}
			}
			s.fields[field] = k
			short := strings.TrimPrefix(field, "f.")
			switch {
			case k.name == "alias":
				target := pick(t, s.kinds)
				if target.mapping == "" || target.name == flattened || target.name == runtime ||
					target.name == constantKeyword {
					target = s.kinds[0]
				}
				properties = append(properties,
					fmt.Sprintf(`%q:%s,%q:{"type":"alias","path":"f.%s"}`, s.held(field),
						target.mapping, short, s.held(field)))
			case k.name == runtime: // without a script: read from _source
				runtimes = append(runtimes, fmt.Sprintf("%q:%s", field, k.mapping))
			case k.mapping != "":
				properties = append(properties, fmt.Sprintf("%q:%s", short, k.mapping))
			}
		}
		parent := `{"type":"` + s.parent + `","properties":{` + strings.Join(properties, ",") + `}}`
		if s.parent == flattened {
			parent = pick(t,
				[]string{`{"type":"flattened"}`, `{"type":"flattened","ignore_above":4}`,
					`{"type":"flattened","null_value":"ab"}`})
		}
		s.json = `{"dynamic":false,"properties":{"f":` + parent + `}`
		if len(runtimes) > 0 {
			s.json += `,"runtime":{` + strings.Join(runtimes, ",") + `}`
		}
		s.json += "}"
		return s
	})
}

// documents makes events for a schema. Several objects under f are one event with arrays, nested or
// not.
func documents(s schema) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		first := object(t, s)
		if pick(t, []int{1, 1, 1, 1, 1, 2}) == 1 {
			return `{"f":` + first + `}`
		}
		return `{"f":[` + first + "," + object(t, s) + `]}`
	})
}

func object(t *rapid.T, s schema) string {
	var parts []string
	for _, field := range fieldNames {
		draw := s.value
		switch s.fields[field].name {
		case flattened:
			draw = func(t *rapid.T) string { return `{"k":` + value(t) + `}` }
		case semanticVersion:
			draw = func(t *rapid.T) string { return strconv.Quote(pick(t, versions)) }
		case constantKeyword: // refuses a document with another value
			draw = func(*rapid.T) string { return `"ab"` }
		}
		name := s.held(field)
		switch pick(t, []string{"one", "one", "one", "one", "one", "two", "empty", "missing"}) {
		case "one":
			parts = append(parts, fmt.Sprintf("%q:%s", name, draw(t)))
		case "two":
			parts = append(parts, fmt.Sprintf("%q:[%s,%s]", name, draw(t), draw(t)))
		case "empty":
			parts = append(parts, fmt.Sprintf("%q:[]", name))
		}
	}
	return `{` + strings.Join(parts, ",") + `}`
}

func value(t *rapid.T) string {
	if pick(t, []string{"text", "text", "text", "scalar"}) == "scalar" {
		return pick(t, scalars)
	}
	text, _ := json.Marshal(pick(t, texts))
	return string(text)
}

// conditions makes conditions of every kind that there is, of a topic's leaves.
func conditions(about topic) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		if about.leaf == nil {
			return kuery + kql.Print(kueryCondition(t, 3))
		}
		return condition(t, about.leaf, 3)
	})
}

func condition(t *rapid.T, leaf func(*rapid.T) string, depth int) string {
	if depth == 0 {
		return leaf(t)
	}
	below := func() string { return condition(t, leaf, depth-1) }
	switch pick(t, []string{"leaf", "and", "and", "or", "not"}) {
	case "and":
		return "(" + below() + " and " + below() + ")"
	case "or":
		return "(" + below() + " or " + below() + ")"
	case "not":
		return "not (" + below() + ")"
	}
	return leaf(t)
}

// leaf makes a condition without connectives.
func leaf(t *rapid.T) string {
	field := pick(t, fieldNames)
	equality := func(t *rapid.T) string { return field + pick(t, []string{" == ", " != "}) }
	like := func(t *rapid.T) string {
		return field + pick(t, []string{" : ", " like ", " like~ "}) + list(t, pattern)
	}
	compared := func(t *rapid.T) string { return field + order(t) + either(t, constant, number) }
	return either(t,
		func(t *rapid.T) string { return equality(t) + constant(t) },
		func(t *rapid.T) string {
			return equality(t) + pick(t, append([]string{"true", "false", "null"}, numbers...))
		},
		func(t *rapid.T) string { return equality(t) + "null" },
		func(t *rapid.T) string {
			return field + pick(t, []string{" in ", " not in ", " in~ ", " not in~ "}) + list(t,
				constant)
		},
		func(t *rapid.T) string {
			return field + pick(t, []string{" in ", " not in "}) + "(" + number(t) + ", " +
				number(t) + ", null)"
		},
		like, like, like, like,
		compared, compared,
		func(t *rapid.T) string { return function(t, field) },
		func(t *rapid.T) string { return arithmetic(t, field) },
		func(t *rapid.T) string {
			return field + pick(t, []string{" regex ", " regex~ "}) + pick(t,
				[]string{`"a.*"`, `"[a-c]+|1"`, `"~(ab)"`, `".*&@b@"`, `"<1-20>"`})
		},
	)
}

// numberLeaf compares a field with a number.
func numberLeaf(t *rapid.T) string {
	field := pick(t, fieldNames)
	return either(t,
		func(t *rapid.T) string {
			return field + pick(t, []string{" == ", " == ", " != "}) + number(t)
		},
		func(t *rapid.T) string { return field + order(t) + number(t) },
		func(t *rapid.T) string { return field + " in " + list(t, number) },
		func(t *rapid.T) string { return field + " in (" + number(t) + ", " + number(t) + " + 1)" },
		func(t *rapid.T) string { return field + " == \"" + number(t) + "\"" },
		func(t *rapid.T) string { return field + " != null" },
	)
}

func constant(t *rapid.T) string {
	return eql.Print(&cond.Literal{Kind: cond.String, Text: pick(t, texts)})
}

func number(t *rapid.T) string { return pick(t, numbers) }

func pattern(t *rapid.T) string {
	text := pick(t, texts)
	return eql.Print(&cond.Literal{Kind: cond.String,
		Text: pick(t, []string{text, text + "*", "*" + text, "*", text + "?", "?" + text, text +
			"*" + text})})
}

// list makes one to three items in parentheses.
func list(t *rapid.T, item func(*rapid.T) string) string {
	return "(" + strings.Join(rapid.SliceOfN(rapid.Custom(item), 1, 3).Draw(t, "list"), ", ") + ")"
}

func order(t *rapid.T) string { return pick(t, []string{" < ", " <= ", " > ", " >= "}) }

// function makes a condition over a function of a field.
func function(t *rapid.T, field string) string {
	begins := func(t *rapid.T) string {
		return pick(t, []string{"startsWith", "endsWith~", "stringContains"}) + "(" + field + ", " +
			constant(t) + ")"
	}
	cidr := func(t *rapid.T) string {
		return "cidrMatch(" + field + ", " +
			pick(t, []string{`"10.0.0.0/8"`, `"fd00::/8", "192.168.0.0/16"`, `"10.0.0.1"`, `"::/0"`,
				`"::ffff:10.0.0.0/104"`, `"10.1.2.3/8"`}) + ")"
	}
	return either(t, cidr, cidr, begins,
		func(t *rapid.T) string { return begins(t) + " == " + pick(t, []string{"true", "false"}) },
		func(t *rapid.T) string {
			return "length(" + field + ")" + order(t) + pick(t, []string{"1", "2", "3"})
		},
		func(t *rapid.T) string { return "string(" + field + ") : " + list(t, constant) },
		func(t *rapid.T) string {
			return "concat(" + field + ", " + pick(t, fieldNames) + ")" +
				pick(t, []string{" == ", " != "}) + "null"
		},
	)
}

func arithmetic(t *rapid.T, field string) string {
	return field + pick(t, []string{" + ", " - ", " * ", " / ", " % "}) + pick(t,
		[]string{"0", "1", "2.5"}) + order(t) + number(t)
}
