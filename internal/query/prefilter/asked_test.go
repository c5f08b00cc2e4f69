package prefilter_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fastjson"

	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/estest/kuerydsl"
	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/kql"
	"esrule/internal/query/match"
	"esrule/internal/query/prefilter"
)

// analysis defines analyzers of which a server may lack a part.
var analysis = []struct{ name, definition string }{
	{"simple", ""}, {"whitespace", ""}, {"keyword", ""}, {"stop", ""}, {"standard", ""},
	{"short", `{"type":"standard","max_token_length":3}`},
	{"stopping", `{"type":"standard","stopwords":["foo","the"]}`},
	{"english", ""},
	{"folding", `{"type":"custom","tokenizer":"standard","filter":["lowercase","asciifolding"]}`},
	{"paths", `{"type":"custom","tokenizer":"path_hierarchy"}`},
	{"grams", `{"type":"custom","tokenizer":"ngram"}`},
	{"pattern", ""},
}

// askedTexts are the texts of documents and of conditions.
var askedTexts = []string{"foo", "Foo", "foo bar", "Bar Foo", "the running foxes", "run fox",
	"a.b.C", "a/b/c", "/a/b", "foo-bar", "FOO_bar", "Ünïcode foo", "unicode", "", "!!!", "x y z",
	"foo bar baz", "bar baz", "abcdefgh", "abc", "22", "true", `C:\win\x.exe`, "*", "a*b", "the"}

// TestAsked holds that a matcher which is told what the index says of each hit accepts what
// Elasticsearch finds for Kibana's query, whatever makes the words of a text, and that the
// pre-filter loses none of it. The analyzers and the types that the server lacks are listed.
func TestAsked(t *testing.T) {
	estest.EachJudge(t, func(t *testing.T, judge estest.Judge) {
		for seed := range estest.Seeds(t) {
			j := &askedJudge{t: t, c: judge(t), random: rand.New(rand.NewPCG(seed, 3))}
			j.find()
			for n := range 6 {
				j.index(n)
			}
			t.Logf("%d pairs of a condition and a document, %d of them a match, %d asked of the "+
				"index", j.pairs, j.matches, j.asked)
			if j.matches < j.pairs/20 || j.matches > j.pairs*19/20 || j.asked < j.pairs/3 {
				t.Error("the conditions tell too little apart")
			}
		}
	})
}

type askedJudge struct {
	t      *testing.T
	c      *estest.Cluster
	random *rand.Rand

	defined string   // the analyzers, as settings
	fields  []string // parameters of text fields

	name    string
	mapping *event.Mapping

	pairs, matches, asked int
}

// find asks which analyzers and types the server has.
func (j *askedJudge) find() {
	var defined []string
	for _, a := range analysis {
		settings := `{"number_of_shards":1}`
		if a.definition != "" {
			settings = fmt.Sprintf(`{"analysis":{"analyzer":{%q:%s}}}`, a.name, a.definition)
		}
		body := fmt.Sprintf(`{"settings":%s,"mappings":{"properties":{"f":{"type":"text",`+
			`"analyzer":%q}}}}`, settings, a.name)
		if !j.c.Takes(a.name, body) {
			continue
		}
		if a.definition != "" {
			defined = append(defined, fmt.Sprintf("%q:%s", a.name, a.definition))
		}
		j.fields = append(j.fields, fmt.Sprintf(`"type":"text","analyzer":%q`, a.name))
	}
	j.defined = strings.Join(defined, ",")
	for _, parameters := range []string{`"type":"text","search_analyzer":"simple"`,
		`"type":"text","analyzer":"simple","norms":false`,
		`"type":"text","analyzer":"simple","index_options":"docs"`,
		`"type":"text","analyzer":"whitespace","position_increment_gap":0`,
		`"type":"text","analyzer":"keyword","search_quote_analyzer":"simple"`,
		`"type":"text","analyzer":"simple","index_prefixes":{}`,
		`"type":"match_only_text"`, `"type":"search_as_you_type"`, `"type":"annotated_text"`} {
		mapping := fmt.Sprintf(`{"properties":{"f":{%s}}}`, parameters)
		if j.c.Has(parameters, json.RawMessage(mapping)) {
			j.fields = append(j.fields, parameters)
		}
	}
}

// index makes an index of texts with analyzers chosen at random, and compares conditions on it.
func (j *askedJudge) index(n int) {
	const documents, conditions = 60, 34
	j.t.Helper()
	text := func() string { return one(j.random, j.fields) }
	j.name = j.c.Index(fmt.Sprint("asked-", n))
	j.c.Create(j.name, fmt.Sprintf(`{"settings":{"number_of_shards":1,"number_of_replicas":0,`+
		`"analysis":{"analyzer":{%s}}},"mappings":{"dynamic":false,"properties":{"id":{"type":`+
		`"long"},"ta":{%s},"tb":{%s},"k":{"type":"keyword","fields":{"words":{%s}}},`+
		`"also":{"type":"alias","path":"ta"},"ne":{"type":"nested","properties":{"t":{%s}}}}}}`,
		j.defined, text(), text(), text(), text()))
	docs := make([]any, documents)
	for i := range docs {
		docs[i] = fmt.Sprintf(`{"id":%d,"ta":%s,"tb":%s,"k":%s,"ne":[{"t":%s},{"t":%s}]}`, i,
			j.value(), j.value(), j.value(), j.value(), j.value())
	}
	j.c.Bulk(j.name, docs...)
	cluster := search.NewCluster(j.c.Client, search.Options{})
	paths := []string{"ta", "tb", "also", "k", "k.words", "ne.t"}
	classes, err := cluster.Mappings(j.t.Context(), []string{j.name}, paths)
	if err != nil || len(classes) != 1 {
		j.t.Fatal(classes, err)
	}
	j.mapping = classes[0].Mapping
	for range conditions {
		j.compare(j.condition(2))
	}
}

// value is one of the texts, or several, as JSON.
func (j *askedJudge) value() string {
	list := []string{one(j.random, askedTexts), one(j.random, askedTexts)}
	text, err := json.Marshal(list[:1+j.random.IntN(2)])
	if err != nil {
		j.t.Fatal(err)
	}
	return string(text)
}

func one[T any](random *rand.Rand, list []T) T { return list[random.IntN(len(list))] }

// condition makes a condition of KQL, or of a rule's filter, on texts.
func (j *askedJudge) condition(depth int) cond.Expr {
	if depth > 0 && j.random.IntN(3) > 0 {
		operands := []cond.Expr{j.condition(depth - 1), j.condition(depth - 1)}
		switch j.random.IntN(3) {
		case 0:
			return &cond.Not{Operand: operands[0]}
		case 1:
			return &cond.Or{Operands: operands}
		}
		return &cond.And{Operands: operands}
	}
	f := &cond.Field{Path: one(j.random, []string{"ta", "tb", "also", "k.words", "k", "ne.t"})}
	if j.random.IntN(8) == 0 {
		f = &cond.Field{Path: one(j.random, []string{"t*", "*t", "*.words"}), Wild: true}
	}
	text := one(j.random, askedTexts)
	value := &cond.Literal{Kind: cond.String, Text: text}
	switch j.random.IntN(8) {
	case 0:
		return &cond.Order{Field: f, Value: value, Op: cond.CompareOp(2 + j.random.IntN(4))}
	case 1, 2:
		if !f.Wild && f.Path != "k" { // of which Kibana makes a wildcard clause
			at := j.random.IntN(len(text) + 1)
			pieces := []string{strings.ToValidUTF8(text[:at], ""),
				strings.ToValidUTF8(text[at:], "")}
			if text == "" {
				pieces = []string{"b", ""}
			}
			return &cond.Wildcard{Field: f, Pieces: pieces}
		}
	case 3:
		return &cond.Exists{Field: f}
	}
	return &cond.Is{Field: f, Value: value, Quoted: j.random.IntN(2) == 0}
}

// compare lets the server and the matcher judge a condition.
func (j *askedJudge) compare(x cond.Expr) {
	j.t.Helper()
	var fields event.Fields
	q := &cond.Query{Text: kql.Print(x), Where: x, Print: kql.Print}
	m, err := match.Compile(q, &fields, match.Options{})
	if err != nil {
		j.t.Fatalf("%s: %v", q.Text, err)
	}
	if len(m.Unknown(j.mapping)) > 0 {
		return // its index stays open
	}
	kibana, err := kuerydsl.Translate(x, j.mapping, func(cond.Expr, string) bool { return false })
	if err != nil {
		j.t.Fatal(err)
	}
	named := prefilter.Asked(x, j.mapping)
	asking := dsl.Asking(dsl.Everything(), prefilter.Question(named))
	hits := j.search(kibana, prefilter.Build(x, j.mapping).Clause, asking)
	wanted, filtered := idsOf(hits[0]), idsOf(hits[1])
	e := match.NewEvaluation(&fields, time.Now())
	set := match.NewSet(&fields, []*match.Matcher{m, m})
	for _, hit := range hits[2] {
		document := event.Document{Source: hit.Get("_source").MarshalTo(nil),
			Matched: hit.Get("matched_queries").MarshalTo(nil)}
		if err := e.Read(j.mapping, document); err != nil {
			j.t.Fatal(err)
		}
		id, got, isCandidate := hit.GetInt("_source", "id"), m.Match(e), false
		set.Candidates(e, func(int) { isCandidate = true })
		j.pairs++
		if got {
			j.matches++
		}
		if len(named) > 0 {
			j.asked++
		}
		if want := slices.Contains(wanted, id); got != want {
			j.t.Errorf("%s\n  of %s\n  asked %v: got %v, want %v, as Elasticsearch has it", q.Text,
				document.Source, m.Asked(j.mapping), got, want)
		}
		if got && !(isCandidate && slices.Contains(filtered, id)) {
			j.t.Errorf("%s\n  of %s: the pre-filter or the set loses it", q.Text, document.Source)
		}
		if j.t.Failed() {
			return
		}
	}
}

func idsOf(hits []*fastjson.Value) (ids []int) {
	for _, hit := range hits {
		ids = append(ids, hit.GetInt("_source", "id"))
	}
	return ids
}

// search returns the hits of each query.
func (j *askedJudge) search(queries ...any) (hits [][]*fastjson.Value) {
	j.t.Helper()
	var body bytes.Buffer
	encode := json.NewEncoder(&body)
	for _, query := range queries {
		err := encode.Encode(map[string]string{"index": j.name})
		if err == nil {
			err = encode.Encode(map[string]any{"query": query, "size": 1000,
				"sort": []string{"_doc"}})
		}
		if err != nil {
			j.t.Fatal(err)
		}
	}
	answer, err := fastjson.ParseBytes(j.c.Do(http.MethodPost, "_msearch", body.Bytes()))
	if err != nil {
		j.t.Fatal(err)
	}
	for i, response := range answer.GetArray("responses") {
		if response.GetInt("status") != http.StatusOK || response.GetInt("_shards", "failed") > 0 {
			text, _ := json.Marshal(queries[i])
			j.t.Fatalf("the server refuses %s: %s", text, response)
		}
		hits = append(hits, response.GetArray("hits", "hits"))
	}
	return hits
}
