package match_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/valyala/fastjson"

	"esrule/internal/estest"
	"esrule/internal/estest/pushdown"
	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
	"esrule/internal/query/match"
)

// judgedText is a type of the field a of TestJudge; b.c is always a keyword. None has ignore_above:
// beyond it, the matcher sees on purpose what Elasticsearch does not (see TestMatch).
type judgedText struct{ name, parameters string }

func (k judgedText) mapping() *event.Mapping {
	return &event.Mapping{Fields: map[string]event.FieldMapping{
		"a":   {Type: event.TypeOf(k.name), Name: k.name, Exact: k.exact()},
		"b.c": {Type: event.Keyword, Name: "keyword", Exact: "b.c"},
	}}
}

func (k judgedText) exact() string {
	if event.TypeOf(k.name) == event.Text {
		return "a.keyword"
	}
	return "a"
}

func (k judgedText) json() string {
	return `{"dynamic":"strict","properties":{"n":{"type":"long"},"a":{"type":"` + k.name + `"` +
		k.parameters + `},"b":{"properties":{"c":{"type":"keyword"}}}}}`
}

// TestJudge lets a real server judge the matcher: for conditions and documents made at random, what
// Elasticsearch's EQL would search for finds exactly the documents that the matcher accepts.
func TestJudge(t *testing.T) {
	estest.EachJudge(t, func(t *testing.T, judge estest.Judge) { eachSeed(t, judge, judgeTexts) })
}

// eachSeed runs a test with each seed, on indices of its own.
func eachSeed(t *testing.T, judge estest.Judge,
	test func(*testing.T, *estest.Cluster, *rand.Rand)) {
	for seed := range estest.Seeds(t) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			test(t, judge(t), rand.New(rand.NewPCG(seed, 0)))
		})
	}
}

func judgeTexts(t *testing.T, cluster *estest.Cluster, random *rand.Rand) {
	const whole = `,"fields":{"keyword":{"type":"keyword"}}`
	for _, kind := range []judgedText{{"keyword", ""}, {"text", whole}, {"wildcard", ""},
		{"match_only_text", whole}} {
		if cluster.Has(kind.name, json.RawMessage(kind.json())) {
			judgeText(t, cluster, random, kind)
		}
	}
}

func judgeText(t *testing.T, cluster *estest.Cluster, random *rand.Rand, kind judgedText) {
	j := &judge{t: t, cluster: cluster, random: random, kind: kind, mapping: kind.mapping(),
		letters: letters}
	if kind.name == "wildcard" {
		j.letters = lettersOfWildcard(cluster)
	}
	const documents, conditions = 400, 100
	j.load(documents)
	for range conditions {
		j.compare(j.condition(2))
	}
	t.Logf("%s: %d pairs of a condition and a document, %d of them a match", kind.name, j.pairs,
		j.matches)
	if j.matches < j.pairs/20 || j.matches > j.pairs*19/20 {
		t.Errorf("%d of %d pairs match: the conditions tell too little apart", j.matches, j.pairs)
	}
}

type judge struct {
	t       *testing.T
	cluster *estest.Cluster
	random  *rand.Rand
	kind    judgedText
	mapping *event.Mapping
	letters []string

	texts     []string // values that documents have
	documents []string

	pairs, matches int
}

// letters are what texts are made of: letters in both cases within and outside ASCII, letters that
// only Unicode folds to ASCII (the Kelvin sign, the long s), what patterns and escapes are made of,
// line ends, composed and astral characters.
var letters = []string{
	"a", "A", "b", "B", "k", "K", "\u212a", "s", "ſ", "é", "É", "e\u0301", "ß", "İ", "ı", "Σ", "ς",
	"*", "?", `\`, `\\`, "/", ".", "[", "^", `"`, " ", "\n", "\r", "\t", "\u2028", "\x00", "\x7f",
	"\U0001f600", "0",
}

// lettersOfWildcard are those that a wildcard field finds as a keyword does. Elasticsearch misses a
// piece of a pattern that is shorter than three characters where one is beyond the BMP. OpenSearch
// 3.8 does not find a constant in any letter case that has characters beyond ASCII, and takes
// U+0000 for the end of a value.
func lettersOfWildcard(cluster *estest.Cluster) []string {
	var found []string
	for _, letter := range letters {
		r, _ := utf8.DecodeRuneInString(letter)
		if r > 0xffff || cluster.IsOpenSearch() && (r >= utf8.RuneSelf || r == 0) {
			continue
		}
		found = append(found, letter)
	}
	return found
}

func (j *judge) text() string {
	var b strings.Builder
	for range j.random.IntN(5) {
		b.WriteString(pick(j.random, j.letters))
	}
	return b.String()
}

func (j *judge) load(documents int) {
	for range 60 {
		j.texts = append(j.texts, j.text())
	}
	index := j.index()
	j.cluster.Create(index, `{"settings":{"number_of_shards":1,"number_of_replicas":0},"mappings":`+
		j.kind.json()+`}`)
	var batch []any
	for n := range documents {
		document := fmt.Sprintf(`{"n":%d%s}`, n,
			j.member(`"a":%s`)+j.member(pick(j.random,
				[]string{`"b":{"c":%s}`, `"b.c":%s`, `"b":[{"c":%s},{}]`})))
		j.documents = append(j.documents, document)
		batch = append(batch, document)
	}
	j.cluster.Bulk(index, batch...)
}

func (j *judge) index() string {
	return j.cluster.Index("judge-" + strings.ReplaceAll(j.kind.name, "_", "-"))
}

// member gives a field with its comma, or nothing.
func (j *judge) member(format string) string {
	var value string
	switch j.random.IntN(10) {
	case 0:
		return ""
	case 1:
		value = pick(j.random, []string{"null", "[]", "[null]", "[[]]"})
	case 2, 3:
		value = "[" + j.scalar() + "," + j.scalar() + "]"
	case 4:
		value = "[null,[" + j.scalar() + ",[" + j.scalar() + "]]]"
	default:
		value = j.scalar()
	}
	return "," + fmt.Sprintf(format, value)
}

func (j *judge) scalar() string {
	if j.random.IntN(10) == 0 {
		return pick(j.random, []string{"0", "-5", "1.50", "true", "false", "12345678901234567890"})
	}
	text, _ := json.Marshal(pick(j.random, j.texts))
	return string(text)
}

func pick[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }

// condition makes a condition of every operator that the matcher evaluates.
func (j *judge) condition(depth int) string {
	if depth > 0 {
		switch j.random.IntN(6) {
		case 0:
			return "not (" + j.condition(depth-1) + ")"
		case 1:
			return "(" + j.condition(depth-1) + " and " + j.condition(depth-1) + ")"
		case 2:
			return "(" + j.condition(depth-1) + " or " + j.condition(depth-1) + ")"
		}
	}
	field := pick(j.random, []string{"a", "?a", "b.c"})
	switch j.random.IntN(8) {
	case 0:
		return field + pick(j.random, []string{" == ", " != "}) + pick(j.random,
			[]string{"null", "0", "-5", "true", "false", "12345678901234567890"})
	case 1:
		return field + pick(j.random, []string{" == ", " != "}) + quoted(j.present(j.constant))
	case 2, 3:
		return field + pick(j.random,
			[]string{" in ", " not in ", " in~ ", " not in~ "}) + j.list(j.constant)
	default:
		return field + pick(j.random,
			[]string{" : ", " : ", " like ", " like~ "}) + j.list(j.pattern)
	}
}

func (j *judge) list(item func() string) string {
	items := make([]string, 1+j.random.IntN(4))
	for i := range items {
		items[i] = quoted(j.present(item))
	}
	return "(" + strings.Join(items, ", ") + ")"
}

// present makes texts until the server can look one up. OpenSearch 3.8 does not find the empty text
// by a term in any letter case (as Elasticsearch before 8.16), nor by any term in a wildcard field
// (as Elasticsearch before 8.19).
func (j *judge) present(item func() string) string {
	text := item()
	for text == "" && j.cluster.IsOpenSearch() {
		text = item()
	}
	return text
}

func quoted(text string) string { return eql.Print(&cond.Literal{Kind: cond.String, Text: text}) }

// constant is mostly a text that a document has, or that differs from one by letter case.
func (j *judge) constant() string {
	switch text := pick(j.random, j.texts); j.random.IntN(6) {
	case 0:
		return strings.ToUpper(text)
	case 1:
		return strings.ToLower(text)
	case 2:
		return j.text()
	default:
		return text
	}
}

// pattern is a constant of which some characters became wildcards. Elasticsearch's wildcard field
// takes one that holds nothing but `*` and `?` for exists, so that `?*` finds the empty text:
// esrule does not (docs/eql.md).
func (j *judge) pattern() string {
	for {
		text := j.anyPattern()
		onlyWildcards := strings.Trim(text, "*?") == "" && strings.Contains(text, "?")
		if j.kind.name != "wildcard" || !onlyWildcards {
			return text
		}
	}
}

func (j *judge) anyPattern() string {
	text := []rune(j.constant())
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch j.random.IntN(6) {
		case 0:
			b.WriteByte('?')
		case 1:
			b.WriteByte('*')
			i += j.random.IntN(3)
		default:
			b.WriteRune(text[i])
		}
	}
	if j.random.IntN(3) == 0 {
		b.WriteString(pick(j.random, []string{"*", "?", "**"}))
	}
	return b.String()
}

// compare asks the server and the matcher about every document.
func (j *judge) compare(condition string) {
	j.t.Helper()
	q, err := eql.Parse("any where " + condition)
	if err != nil {
		j.t.Fatalf("%s: %v", condition, err)
	}
	var fields event.Fields
	matcher, err := match.Compile(q, &fields, match.Options{})
	if err != nil {
		j.t.Fatalf("%s: %v", condition, err)
	}
	query, err := pushdown.Translate(matcher.Condition(), j.mapping)
	if err != nil {
		j.t.Fatalf("%s: %v", condition, err)
	}
	found := j.search(query)
	e := match.NewEvaluation(&fields, time.Now())
	for i, document := range j.documents {
		read(j.t, e, j.mapping, document)
		got := matcher.Match(e)
		j.pairs++
		if got {
			j.matches++
		}
		if got != found[i] {
			text, _ := json.Marshal(query)
			j.t.Errorf("%s\n  of %s: got %v, want %v, as Elasticsearch has it\n  for %s", condition,
				j.documents[i], got, found[i], text)
		}
	}
}

// search gives the documents that the server finds, by their numbers.
func (j *judge) search(query pushdown.Query) map[int]bool {
	j.t.Helper()
	body := map[string]any{"query": query, "size": 10_000, "_source": false,
		"docvalue_fields": []string{"n"}, "sort": []string{"_doc"}}
	answer, err := fastjson.ParseBytes(j.cluster.Do("POST", j.index()+"/_search", body))
	if err != nil {
		j.t.Fatal(err)
	}
	if failed := answer.GetInt("_shards", "failed"); failed > 0 {
		j.t.Fatalf("%d shards failed: %s", failed, answer)
	}
	found := map[int]bool{}
	for _, hit := range answer.GetArray("hits", "hits") {
		found[hit.GetInt("fields", "n", "0")] = true
	}
	return found
}
