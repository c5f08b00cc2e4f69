package match_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fastjson"

	"esrule/internal/estest"
	"esrule/internal/estest/pushdown"
	"esrule/internal/event"
	"esrule/internal/query/eql"
	"esrule/internal/query/match"
)

// judgedType is a type with values that documents hold and constants that rules compare them with.
type judgedType struct {
	family    event.Type
	values    []string
	constants []string
}

// judgedTypes are the types of TestJudgeTypes, by their names.
var judgedTypes = map[string]judgedType{
	"long": {event.Integer,
		[]string{"5", `"5"`, "-5", "4.7", `"4.7"`, `"-4.7"`, "1e3", `"1e3"`, "9223372036854775807",
			`"9223372036854775808"`, `"x"`, "true", `""`, `" 5"`, `"007"`, "0", `"0x10"`},
		[]string{"5", "-5", "4", "4.0", "4.5", "-4.5", `"5"`, `"4.5"`, "9223372036854775807",
			"1000", "0", "-0.0", "1e3"}},
	"integer": {event.Integer,
		[]string{"5", "2147483647", "2147483648", `"-2147483648"`, "4.999", "0"},
		[]string{"5", "2147483647", "4.5", "4", "0"}},
	"byte": {event.Integer, []string{"5", "127", "128", "-128", `"12.5"`},
		[]string{"5", "127", "12", "-128", "12.5"}},
	"double": {event.Float,
		[]string{"0.1", `"0.1"`, "1e3", "-2.5", "5", `"1e400"`, `"NaN"`, `"x"`, "9007199254740993",
			"0.0", "-0.0", "1e-320", `" 7 "`},
		[]string{"-0.0", "0.1", "0.2", "5", "-2.5", `"0.1"`, "9007199254740993", "1000", "0", "0.0",
			"7"}},
	"float": {event.Float,
		[]string{"0.1", "0.2", "16777217", "1e39", "-2.5", "3.14159265358979"},
		[]string{"0.1", "0.2", "16777216", "16777217", "3.14159265358979", "3.14159", "-2.5"}},
	"half_float": {event.Float,
		[]string{"0.1", "2049", "2051", "65504", "65520", "1e-9", "-3.14159", "3.14"},
		[]string{"0.1", "2048", "2049", "2050", "2052", "65504", "-3.14159", "3.14", "3.1406"}},
	"boolean": {event.Boolean,
		[]string{"true", "false", `"true"`, `"false"`, `""`, `"yes"`, "1"},
		[]string{"true", "false", `"true"`}},
	"date": {event.Date,
		[]string{`"2026-01-02"`, `"2026-01-02T03:04:05Z"`, `"2026-01-02T03:04:05.678Z"`,
			`"2026-01-02T03:04:05.6789+01:00"`, `"2026"`, `"2026-01"`, "1767323045678",
			`"1767323045678"`,
			`"1969-12-31T23:59:59.999Z"`, "-1", `"2026-02-30"`, `"x"`, `"2026-01-02 03:04:05"`,
			`"2026-01-02T03:04:05,678Z"`, `"2026-01-02T03"`, `"2026-01-02T24:00:00Z"`,
			`"2026-01-02T03:04:05+0100"`, `"2026-01-02T"`, `"20260102"`, `"+2026-01-02"`},
		[]string{`"2026-01-02"`, `"2026"`, `"2026-01"`, `"2026-01-02T03:04:05Z"`,
			`"2026-01-02T03:04"`, `"2026-01-02T03:04:05.678Z"`, "1767323045678", `"2026-01-02||/M"`,
			`"2026-01-02||+1d"`, `"2026-01-31||-1M/d"`, `"2026-01-02||/w"`, "2026",
			`"1970-01-01"`}},
	"date_nanos": {event.DateNanos,
		[]string{`"2026-01-02T03:04:05.123456789Z"`, `"2026-01-02T03:04:05.123456788Z"`,
			`"2026-01-02T03:04:05.123Z"`, `"2026-01-02"`, "1767323045123", `"1960-01-01"`},
		[]string{`"2026-01-02T03:04:05.123456789Z"`, `"2026-01-02T03:04:05.123Z"`,
			`"2026-01-02T03:04:05Z"`, `"2026-01-02"`, "1767323045123"}},
	"ip": {event.IP,
		[]string{`"10.0.0.1"`, `"::ffff:10.0.0.1"`, `"10.0.0.20"`, `"fd00::1"`, `"FD00:0::1"`,
			`"::1"`, `"192.168.1.1"`, `"010.0.0.1"`, `"10.0.0"`, `"fe80::1%eth0"`, `"x"`, `""`,
			`"::"`, `"0.0.0.0"`},
		[]string{`"10.0.0.1"`, `"10.0.0.0/8"`, `"10.0.0.3"`, `"fd00::/8"`, `"fd00::1"`, `"::/0"`,
			`"0.0.0.0/0"`, `"::1"`, `"::ffff:10.0.0.1"`, `"192.168.1.1/32"`}},
	"keyword": {event.Keyword,
		[]string{`"a"`, `"A"`, `"b"`, `"é"`, `""`, "5", `"5"`, "10", "1.50", `"\ue000"`, `"😀"`,
			"true", `"aa"`, `"z"`},
		[]string{`"a"`, `"A"`, `"é"`, `""`, "5", "10", `"\u{e000}"`, `"😀"`, "true", `"z"`}},
}

// fullServerTypes are those that only the full server has, not its test distribution.
var fullServerTypes = map[string]judgedType{
	"unsigned_long": {event.Unsigned,
		[]string{"5", `"5"`, "0", "9223372036854775807", "9223372036854775808",
			"18446744073709551615", `"18446744073709551615"`, "18446744073709551616", "-5", "4.7",
			`"x"`, `""`},
		[]string{"5", `"5"`, "0", "9223372036854775807", "9223372036854775808",
			"18446744073709551615", "4.5"}},
	"scaled_float": {event.Float,
		[]string{"0.1", `"0.1"`, "0.05", "0.14", "0.15", "-2.5", "-2.55", "1e3", "5", `"x"`, "0.0"},
		[]string{"0.1", "0.2", "0.05", "0.15", "-2.5", "5", "1000", `"0.1"`, "0"}},
	"version": {event.Version,
		[]string{`"1.2.3"`, `"1.10.0"`, `"1.2.3-rc1"`, `"1.2.3-rc1.2"`, `"1.2.3-alpha"`,
			`"1.2.3+build"`, `"1.2"`, `"1"`, `"01.2.3"`, `"x"`, `"1.2.3."`, "1.2", "5"},
		[]string{`"1.2.3"`, `"1.9.0"`, `"1.10.0"`, `"1.2.3-rc1"`, `"1.2.3-beta"`, `"1.2.3+build"`,
			`"2"`, `"x"`, `"1.2"`}},
	"wildcard": {event.Keyword,
		// None beyond ASCII, which Elasticsearch orders by something else than bytes there.
		[]string{`"a"`, `"A"`, `"b"`, `""`, "5", `"5"`, "1.50", "true", `"aa"`},
		[]string{`"a"`, `"A"`, `""`, "5", "true", `"z"`}},
	"constant_keyword": {event.Keyword, []string{`"ab"`}, []string{`"ab"`, `"AB"`, `"a"`, `"b"`}},
}

// parameters are what a type's mapping has beside the type, as JSON behind a comma.
func (k judgedType) parameters(name string) string {
	switch {
	case name == "constant_keyword":
		return `,"value":"ab"`
	case name == "scaled_float":
		return `,"scaling_factor":10,"ignore_malformed":true`
	case k.family == event.Keyword, k.family == event.Version:
		return ""
	}
	return `,"ignore_malformed":true`
}

// field is how the mapping of a type reads to the matcher.
func (k judgedType) field(name string) event.FieldMapping {
	f := event.FieldMapping{Type: k.family, Name: name, Exact: "f"}
	switch name {
	case "constant_keyword":
		f.Constant = "ab"
	case "scaled_float":
		f.ScalingFactor = 10
	}
	return f
}

// onOpenSearch leaves out what OpenSearch 3.8 answers otherwise than Elasticsearch.
func (k judgedType) onOpenSearch(name string) judgedType {
	switch name {
	case "version": // it takes nothing but semantic versions, in documents and in queries
		k.values = []string{`"1.2.3"`, `"1.10.0"`, `"1.2.3-rc1"`, `"1.2.3-rc1.2"`, `"1.2.3-rc1.10"`,
			`"1.2.3-alpha"`, `"10.0.0"`}
		k.constants = []string{`"1.2.3"`, `"1.9.0"`, `"1.10.0"`, `"1.2.3-rc1"`, `"1.2.3-beta"`,
			`"2.0.0"`}
	// it takes 4.7, finds nothing below its greatest number and everything below 0
	case "unsigned_long":
		k.values = without(k.values, "4.7")
		k.constants = without(k.constants, "18446744073709551615", "-2147483649")
	case "scaled_float": // it rounds the constant of a comparison by order
		k.constants = without(k.constants, "0.05", "0.15")
	case "wildcard": // it finds no empty text and no U+0000, and does not compare by order
		k.constants = without(k.constants, `""`, `"\u{00}"`)
	}
	return k
}

func without(list []string, left ...string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(item string) bool {
		return slices.Contains(left, item)
	})
}

// typesOf returns the types that a server has, and prints which of the others are not run.
func typesOf(cluster *estest.Cluster) map[string]judgedType {
	there := maps.Clone(judgedTypes)
	if cluster.IsOpenSearch() { // the judge of what Elasticsearch's test distribution lacks
		there = map[string]judgedType{}
	}
	for _, name := range slices.Sorted(maps.Keys(fullServerTypes)) {
		kind := fullServerTypes[name]
		if cluster.IsOpenSearch() {
			kind = kind.onOpenSearch(name)
		}
		if cluster.Has(name, json.RawMessage(`{"properties":{"f":{"type":"`+name+`"`+
			kind.parameters(name)+`}}}`)) {
			there[name] = kind
		}
	}
	return there
}

// TestJudgeTypes lets a real server judge the leaves on every type that it knows: equality, order,
// lists, null, cidrMatch. What it refuses (a fraction for a whole number, a block in a range) is
// not compared.
func TestJudgeTypes(t *testing.T) {
	estest.EachJudge(t, func(t *testing.T, judge estest.Judge) { eachSeed(t, judge, judgeTypes) })
}

func judgeTypes(t *testing.T, cluster *estest.Cluster, random *rand.Rand) {
	pairs, matches, refused := 0, 0, 0
	types := typesOf(cluster)
	for _, name := range slices.Sorted(maps.Keys(types)) { // in one order, so that a seed repeats
		kind := types[name]
		mapping := &event.Mapping{Fields: map[string]event.FieldMapping{"f": kind.field(name)}}
		index := cluster.Index(strings.ReplaceAll("types-"+name, "_", "-"))
		cluster.Create(index,
			`{"settings":{"number_of_shards":1,"number_of_replicas":0},"mappings":{"dynamic":false,"properties":{"n":{"type":"long"},"f":{"type":"`+name+`"`+kind.parameters(name)+`}}}}`)
		documents := typedDocuments(random, name, kind.values)
		var batch []any
		for _, d := range documents {
			batch = append(batch, d)
		}
		cluster.Bulk(index, batch...)
		for range 60 {
			condition := typedCondition(random, name, kind.constants)
			matcher, e := compile(t, "any where "+condition, match.Options{})
			query, err := pushdown.Translate(matcher.Condition(), mapping)
			if err != nil {
				t.Fatalf("%s: %v", condition, err)
			}
			found, ok := searchTyped(t, cluster, index, query)
			if !ok {
				refused++
				continue
			}
			for n, d := range documents {
				read(t, e, mapping, d)
				got := matcher.Match(e)
				pairs++
				if got {
					matches++
				}
				if got != found[n] {
					text, _ := json.Marshal(query)
					t.Errorf("%s: %s\n  of %s: got %v, want %v, as Elasticsearch has it\n  for %s",
						name, condition, d, got, found[n], text)
				}
			}
		}
	}
	t.Logf("%d pairs of a condition and a document, %d of them a match; %d conditions refused by "+
		"the server", pairs, matches, refused)
	if matches < pairs/20 {
		t.Errorf("%d of %d pairs match: the conditions tell too little apart", matches, pairs)
	}
}

func typedDocuments(random *rand.Rand, name string, values []string) []string {
	var documents []string
	add := func(f string) {
		documents = append(documents, fmt.Sprintf(`{"n":%d%s}`, len(documents), f))
	}
	add("")
	if name != "constant_keyword" { // it refuses null
		add(`,"f":null`)
	}
	add(`,"f":[]`)
	for _, v := range values {
		add(`,"f":` + v)
	}
	for range 10 {
		add(`,"f":[` + pick(random, values) + "," + pick(random, values) + "]")
	}
	return documents
}

func typedCondition(random *rand.Rand, name string, constants []string) string {
	switch random.IntN(10) {
	case 0:
		return "f" + pick(random, []string{" == ", " != "}) + "null"
	case 1, 2:
		same := constants[:0:0]
		first := pick(random, constants)
		for _, c := range constants {
			if (c[0] == '"') == (first[0] == '"') &&
				(c == "true" || c == "false") == (first == "true" || first == "false") {
				same = append(same, c)
			}
		}
		return "f" + pick(random, []string{" in ", " not in "}) + "(" + pick(random, same) + ", " +
			pick(random, same) + ", null)"
	case 3:
		if name == "ip" {
			return "cidrMatch(f, " + pick(random, constants) + ", " + pick(random, constants) + ")"
		}
		return "not f" + pick(random, []string{" > ", " <= "}) + pick(random, constants)
	case 4, 5, 6:
		return "f == " + pick(random, constants)
	default:
		return "f" + pick(random, []string{" < ", " <= ", " > ", " >= "}) + pick(random, constants)
	}
}

// searchTyped is not ok where the server refuses the query.
func searchTyped(t *testing.T, cluster *estest.Cluster, index string,
	query pushdown.Query) (found map[int]bool, ok bool) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "size": 10_000, "_source": false,
		"docvalue_fields": []string{"n"}})
	if err != nil {
		t.Fatal(err)
	}
	response, err := cluster.Client.Search(cluster.Client.Search.WithIndex(index),
		cluster.Client.Search.WithBody(bytes.NewReader(body)))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode == 400 {
		return nil, false
	}
	answer, err := fastjson.ParseBytes(text)
	if err != nil || response.IsError() {
		t.Fatalf("search %s: %s %v", body, text, err)
	}
	found = map[int]bool{}
	for _, hit := range answer.GetArray("hits", "hits") {
		found[hit.GetInt("fields", "n", "0")] = true
	}
	return found, true
}

// TestJudgeRegex lets a real server judge regular expressions made at random: which of them are
// none, and what they fit.
func TestJudgeRegex(t *testing.T) { eachSeed(t, estest.For, judgeRegex) }

func judgeRegex(t *testing.T, cluster *estest.Cluster, random *rand.Rand) {
	index := cluster.Index("regex")
	mapping := &event.Mapping{Fields: map[string]event.FieldMapping{"f": {Type: event.Keyword,
		Name: "keyword", Exact: "f"}}}
	cluster.Create(index, `{"settings":{"number_of_shards":1,"number_of_replicas":0},"mappings":{"dynamic":false,"properties":{"n":{"type":"long"},"f":{"type":"keyword"}}}}`)
	var documents []string
	var batch []any
	for n := range 300 {
		var b strings.Builder
		for range random.IntN(6) {
			b.WriteString(pick(random, []string{"a", "A", "b", "c", "1", "7", "12", "-", " ", "\n",
				"é", "😀", "]", "|", "\\", "."}))
		}
		value, _ := json.Marshal(b.String())
		documents = append(documents, fmt.Sprintf(`{"n":%d,"f":%s}`, n, value))
		batch = append(batch, documents[n])
	}
	cluster.Bulk(index, batch...)
	pairs, matches, refused := 0, 0, 0
	for range 300 {
		expression := randomRegex(random, 3)
		op := pick(random, []string{" regex ", " regex~ "})
		condition := "f" + op + quoted(expression)
		query := pushdown.Query{"regexp": pushdown.Query{"f": pushdown.Query{"value": expression,
			"flags_value": 255, "case_insensitive": op == " regex~ "}}}
		found, ok := searchTyped(t, cluster, index, query)
		q, err := eql.Parse("any where " + condition)
		if err != nil {
			t.Fatalf("%s: %v", condition, err)
		}
		var fields event.Fields
		matcher, err := match.Compile(q, &fields, match.Options{})
		if ok != (err == nil) {
			t.Errorf("%s: got %v, Elasticsearch takes it: %v", condition, err, ok)
			continue
		}
		if !ok {
			refused++
			continue
		}
		e := match.NewEvaluation(&fields, time.Now())
		for n, d := range documents {
			read(t, e, mapping, d)
			got := matcher.Match(e)
			pairs++
			if got {
				matches++
			}
			if got != found[n] {
				t.Errorf("%s of %s: got %v, want %v, as Elasticsearch has it", condition, d, got,
					found[n])
			}
		}
	}
	t.Logf("%d pairs of an expression and a document, %d of them a match; both sides refuse %d "+
		"expressions", pairs, matches, refused)
}

func randomRegex(random *rand.Rand, depth int) string {
	if depth == 0 || random.IntN(5) == 0 {
		return pick(random, []string{"a", "A", "b", "c", "1", ".", "@", "#", `\d`, `\W`, `\s`, `\S`,
			`\.`, `\\`, `[a-c]`, `[^a]`, `[ab1]`, `[^\d]`, `[]a]`, `[a\-c]`, `[+-]`, `[a-]`,
			"<1-12>", "<01-12>", "<7-3>", "<x>", `"a.b"`, `"`, "é", "^", "$", "()", "(", ")", "|",
			"*", "-", "]", "}", "{", "&", "~", `\b`, `[\D-]`, ".*", "😀"})
	}
	x, y := randomRegex(random, depth-1), randomRegex(random, depth-1)
	switch random.IntN(12) {
	case 0:
		return x + "|" + y
	case 1:
		return "(" + x + "|" + y + ")"
	case 2:
		return x + "&" + y
	case 3:
		return "~" + x
	case 4:
		// Of a repeated intersection that fits nothing, Lucene says that it does not fit the empty
		// text either.
		x = strings.NewReplacer("&", "b", "~", "").Replace(x)
		return "(" + x + ")" +
			pick(random, []string{"*", "+", "?", "{2}", "{1,2}", "{0,}", "{2,1}", "{,2}"})
	case 5:
		return "~(" + x + ")"
	case 6:
		x = strings.NewReplacer("&", "b", "~", "").Replace(x)
		return x + pick(random, []string{"*", "+", "?", "*?", "{2}"})
	default:
		return x + y
	}
}
