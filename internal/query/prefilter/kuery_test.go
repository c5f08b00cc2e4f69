package prefilter_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/kql"
	"esrule/internal/query/prefilter"
)

// phrases are texts of several words, and of none.
var phrases = []string{"a b", "ab abc", "A.B", "ab-cd", "the abc  of", "!!!", "abc_d", "b", "1,5",
	"x.abcd", "C:\\abc\\abcd.exe", "日本 abc", "Éab ab", "a®b"}

// worded is a value of a document that KQL is asked about.
func worded(t *rapid.T) string {
	if pick(t, []string{"value", "phrase"}) == "value" {
		return value(t)
	}
	text, _ := json.Marshal(pick(t, phrases))
	return string(text)
}

func kueryCondition(t *rapid.T, depth int) cond.Expr {
	below := func() cond.Expr { return kueryCondition(t, depth-1) }
	if depth > 0 {
		switch pick(t, []string{"leaf", "and", "and", "or", "not", "nested"}) {
		case "and":
			return &cond.And{Operands: []cond.Expr{below(), below()}}
		case "or":
			return &cond.Or{Operands: []cond.Expr{below(), below()}}
		case "not":
			return &cond.Not{Operand: below()}
		case "nested":
			if depth == 3 { // at the root: the grammar has no braces within these
				return &cond.Nested{Path: "f", Operand: below()}
			}
		}
	}
	return kueryLeaf(t)
}

func kueryLeaf(t *rapid.T) cond.Expr {
	path := pick(t, slices.Concat(fieldNames, fieldNames, []string{"f.a.text", "f.*", "f.*.text",
		"f.d"}))
	return kueryOf(path, pick(t, slices.Concat(texts, phrases, numbers)), pick(t, kueryForms))
}

// kueryForms are the ways in which KQL compares a field with a text.
var kueryForms = []string{"bare", "quoted", "begins", "quoted", "exists", "ends", "inner", "words",
	"<", "<=", ">", ">="}

func kueryOf(path, text, form string) cond.Expr {
	field := &cond.Field{Path: path, Wild: strings.Contains(path, "*")}
	constant := &cond.Literal{Kind: cond.String, Text: text}
	wildcard := func(pieces ...string) cond.Expr {
		return &cond.Wildcard{Field: field, Pieces: pieces}
	}
	if strings.TrimSpace(text) == "" && form != "exists" {
		form = "quoted"
	}
	switch form {
	case "bare":
		return &cond.Is{Field: field, Value: constant}
	case "begins":
		return wildcard(text, "")
	case "ends":
		return wildcard("", text)
	case "inner":
		return wildcard(text, text)
	case "words":
		return wildcard("abc ", " "+text+" x", "")
	case "exists":
		return &cond.Exists{Field: field}
	case "<":
		return &cond.Order{Field: field, Op: cond.Less, Value: constant}
	case "<=":
		return &cond.Order{Field: field, Op: cond.LessOrEqual, Value: constant}
	case ">":
		return &cond.Order{Field: field, Op: cond.Greater, Value: constant}
	case ">=":
		return &cond.Order{Field: field, Op: cond.GreaterOrEqual, Value: constant}
	}
	return &cond.Is{Field: field, Value: constant, Quoted: true}
}

// everyKuery is everyCondition in KQL.
func everyKuery(field string) []string {
	all := []string{kuery + field + ": *"}
	for _, text := range slices.Concat(texts, awkward, numbers, awkwardNumbers, blocks, phrases) {
		for _, form := range []string{"quoted", "bare", "begins", "<", ">="} {
			all = append(all, kuery+kql.Print(kueryOf(field, text, form)))
		}
	}
	return all
}

// TestKuery: what is asked of each type, and what is not.
func TestKuery(t *testing.T) {
	words := func(field string) *event.Words {
		return &event.Words{Field: field, Analyzer: "default", Standard: true}
	}
	m := &event.Mapping{Fields: map[string]event.FieldMapping{
		"k":     {Type: event.Keyword, Name: "keyword", Exact: "k", IgnoreAbove: 10},
		"lower": {Type: event.Keyword, Name: "keyword", Exact: "lower", Normalizer: lowercase},
		"wild":  {Type: event.Keyword, Name: "wildcard", Exact: "wild"},
		"flat":  {Type: event.Keyword, Name: "flattened", Exact: "flat"},
		"t":     {Type: event.Text, Name: "text", Words: words("t")},
		"k.text": {Type: event.Text, Name: "text", Words: words("k.text"),
			SourcePath: "k"},
		"mine": {Type: event.Text, Name: "text", Words: &event.Words{Field: "mine",
			Analyzer: "mine"}},
		"docs": {Type: event.Text, Name: "text", Words: &event.Words{Field: "docs",
			Analyzer: "default", Standard: true, NoPhrases: true}},
		"off":   {Type: event.Text, Name: "text", Words: words("")},
		"far":   {Type: event.Text, Name: "text"},
		"n":     {Type: event.Integer, Name: "long", Exact: "n"},
		"ratio": {Type: event.Float, Name: "double", Exact: "ratio"},
		"on":    {Type: event.Boolean, Name: "boolean", Exact: "on"},
		"d":     {Type: event.Date, Name: "date", Exact: "d"},
		"ip":    {Type: event.IP, Name: "ip", Exact: "ip"},
		"o":     {Type: event.Object, Name: "object"},
		"o.k":   {Type: event.Keyword, Name: "keyword", Exact: "o.k"},
		"in":    {Type: event.Object, Name: "nested"},
		"in.k":  {Type: event.Keyword, Name: "keyword", Exact: "in.k", Nested: "in"},
		"in.t":  {Type: event.Text, Name: "text", Words: words("in.t"), Nested: "in"},
	}}
	f := func(query, want string) {
		t.Helper()
		q, err := kql.Parse(query)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			return
		}
		got, err := json.Marshal(prefilter.Build(q.Condition(), m).Clause)
		if err != nil || string(got) != want {
			t.Errorf("%s:\n got %s, %v\nwant %s", query, got, err, want)
		}
	}
	const all, none = `{"match_all":{}}`, `{"match_none":{}}`
	term := func(field, text string) string {
		return `{"term":{"` + field + `":{"value":"` + text + `"}}}`
	}
	or := func(clauses ...string) string {
		return `{"bool":{"should":[` + strings.Join(clauses, ",") + `]}}`
	}
	f(`k: x`, term("k", "x"))
	f(`k: "x"`, term("k", "x"))
	f(`k: X`, term("k", "X"))
	f(`k: "*"`, term("k", "*"))
	f(`k: (x or y or 5)`, `{"terms":{"k":["x","y","5"]}}`)
	f(`k: (x or y) or k: x`, `{"terms":{"k":["x","y"]}}`)
	f(`k: true`, term("k", "true"))
	f(`k: longer_than_ten`, or(term("k", "longer_than_ten"), term("_ignored", "k")))
	f(`k: *`, or(`{"exists":{"field":"k"}}`, term("_ignored", "k")))
	f(`not k: x`, all)
	f(`not k: *`, all)
	f(`k: x and not k: y`, term("k", "x"))
	f(`nowhere: x`, none)
	f(`not nowhere: x`, all)
	f(`nowhere: * or k: x`, term("k", "x"))
	prefix := func(field, text string) string {
		return `{"prefix":{"` + field + `":{"case_insensitive":false,"value":"` + text + `"}}}`
	}
	f(`k: abc*`, or(prefix("k", "abc"), term("_ignored", "k")))
	f(`k: a?c*`, all) // two letters
	f(`k: a?cd*`, or(prefix("k", "a?cd"), term("_ignored", "k")))
	f(`k: (x or abc*)`, or(term("k", "x"), prefix("k", "abc"), term("_ignored", "k")))
	f(`k: *abc`, all)
	f(`k: **`, or(`{"exists":{"field":"k"}}`, term("_ignored", "k")))
	f(`k < b`, all)
	f(`lower: CMD.exe`, or(term("lower", "CMD.exe"), term("_ignored", "lower")))
	f(`lower: CMD/exe*`, or(prefix("lower", "CMD"), term("_ignored", "lower")))
	f(`wild: ""`, `{"exists":{"field":"wild"}}`)
	f(`flat: x`, all)
	// Words are looked up.
	f(`t: op-node`, `{"match":{"t":{"query":"op-node"}}}`)
	f(`t: "op node"`, `{"match_phrase":{"t":{"query":"op node"}}}`)
	f(`k.text: x`, `{"match":{"k.text":{"query":"x"}}}`)
	f(`t: *`, `{"exists":{"field":"t"}}`)
	f(`t: ABCd*`, prefix("t", "abcd"))
	f(`t: (*cd or x)`, all)
	f(`t: ABC* x`, or(prefix("t", "abc"), `{"match":{"t":{"query":"x"}}}`))
	f(`t: x *`, or(`{"match":{"t":{"query":"x"}}}`, `{"exists":{"field":"t"}}`))
	f(`t: x\*y`, `{"match":{"t":{"query":"x*y"}}}`)
	f(`t: "a®b"`, all)
	f(`t < b`, all)
	f(`docs: "op node"`, `{"match":{"docs":{"query":"op node"}}}`)
	f(`mine: x`, `{"match":{"mine":{"query":"x"}}}`) // as the index is asked about each hit
	f(`mine: "a®b"`, `{"match_phrase":{"mine":{"query":"a®b"}}}`)
	f(`mine: abcd*`, all)
	f(`mine: *`, `{"exists":{"field":"mine"}}`)
	f(`off: x`, all)
	f(`off: *`, all)
	f(`far: x`, all)
	// What a type cannot take is false, and never sent.
	f(`n: 22`, or(term("n", "22"), term("_ignored", "n")))
	f(`n: "22.0"`, or(term("n", "22"), term("_ignored", "n")))
	f(`n: abc`, none)
	f(`n: 2*`, none)
	f(`n > abc`, none)
	f(`n > "22.5"`, or(`{"range":{"n":{"gt":22}}}`, term("_ignored", "n")))
	f(`n: (22 or abc)`, or(term("n", "22"), term("_ignored", "n")))
	f(`n: *`, or(`{"exists":{"field":"n"}}`, term("_ignored", "n")))
	f(`ratio: 4`, or(`{"range":{"ratio":{"gte":3.999999999999999,"lte":4.000000000000002}}}`,
		term("_ignored", "ratio")))
	f(`on: true`, or(term("on", "true"), term("_ignored", "on")))
	f(`on: yes`, none)
	f(`on: t*`, none)
	f(`ip: 10.0.0.1/8`, or(term("ip", "10.0.0.1/8"), term("_ignored", "ip")))
	f(`ip: "10.0.0.1"`, or(term("ip", "10.0.0.1"), term("_ignored", "ip")))
	f(`ip: "::ffff:10.0.0.1"`, or(term("ip", "10.0.0.1"), term("_ignored", "ip")))
	f(`ip: 10.*`, none)
	f(`ip: host`, none)
	f(`ip >= 10.0.0.1`, or(`{"range":{"ip":{"gte":"10.0.0.1"}}}`, term("_ignored", "ip")))
	f(`d: 2024`, or(`{"range":{"d":{"format":"strict_date_optional_time",`+
		`"gte":"2024-01-01T00:00:00.000Z","lte":"2024-01-01T23:59:59.999Z"}}}`,
		term("_ignored", "d")))
	f(`d: 20*`, none)
	f(`d > now-1d`, all)
	f(`o: *`, all)
	// Objects that are not mapped as nested; of those that are, the root does not know.
	f(`o: { k: x and not k: y }`, term("o.k", "x"))
	f(`not o: { k: x }`, all)
	f(`in: { k: x and t: y }`, all)
	f(`in.k: x`, all)
	f(`o.*: x`, term("o.k", "x"))
	f(`*k: x`, all) // in.k is nested
	f(`*z: x`, none)
	f(`not *k: x`, all)
	f(`t*: x`, `{"match":{"t":{"query":"x"}}}`)
	f(`*.tex*: x`, `{"match":{"k.text":{"query":"x"}}}`)
}

var lowercase = &event.Normalizer{Name: "lowercase", Lowercase: true}
