package match_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fastjson"

	"esrule/internal/estest"
	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/match"
)

// TestJudgeGlob lets a real server judge the wildcard clause of filters on each type.
func TestJudgeGlob(t *testing.T) {
	cluster := estest.For(t)
	lower := &event.Normalizer{Name: "lower", Lowercase: true}
	mapping := &event.Mapping{Fields: map[string]event.FieldMapping{
		"k": {Type: event.Keyword, Name: "keyword"},
		"l": {Type: event.Keyword, Name: "keyword", Normalizer: lower},
		"t": {Type: event.Text, Name: "text"},
		"w": {Type: event.Keyword, Name: "wildcard"},
	}}
	types := []string{"k", "l", "t", "w"}
	properties := `"n":{"type":"long"},"k":{"type":"keyword"},"t":{"type":"text"},
		"l":{"type":"keyword","normalizer":"lower"}`
	const wildcard = `"w":{"type":"wildcard"}`
	if cluster.Has("wildcard", json.RawMessage(`{"properties":{`+wildcard+`}}`)) {
		properties += "," + wildcard
	} else {
		types = types[:3]
	}
	for seed := range estest.Seeds(t) {
		random := rand.New(rand.NewPCG(seed, 1))
		letters := []string{"a", "B", "b", "A", "é", "É", "1", "_", ".", `\`, "*", "?", " ", "-",
			`"`, "\n"}
		text := func() string {
			var b strings.Builder
			for range random.IntN(6) {
				b.WriteString(pick(random, letters))
			}
			return b.String()
		}
		var documents []string
		var batch []any
		for n := range 300 {
			value, _ := json.Marshal([]string{text(), text()}[:1+random.IntN(2)])
			d := fmt.Sprintf(`{"n":%d,"k":%s,"l":%s,"t":%s,"w":%s}`, n, value, value, value, value)
			documents = append(documents, d)
			batch = append(batch, d)
		}
		index := cluster.Index(fmt.Sprint("glob-", seed))
		cluster.Create(index, `{"settings":{"number_of_shards":1,"number_of_replicas":0,"analysis":{
			"normalizer":{"lower":{"type":"custom","filter":["lowercase"]}}}},
			"mappings":{"dynamic":false,"properties":{`+properties+`}}}`)
		cluster.Bulk(index, batch...)
		pairs, matches := 0, 0
		for range 120 {
			var pattern strings.Builder
			for range 1 + random.IntN(5) {
				pattern.WriteString(pick(random, append(letters, "*", "*", "?", `\*`, `\?`, `\\`,
					`\a`, `\B`)))
			}
			field := pick(random, types)
			if field == "w" && strings.Trim(pattern.String(), "*?") == "" {
				field = "k" // see judge.pattern
			}
			glob := &cond.Glob{Field: &cond.Field{Path: field}, Pattern: pattern.String(),
				Fold: random.IntN(2) == 0}
			found := globbed(t, cluster, index, glob)
			var fields event.Fields
			m, err := match.Compile(&cond.Query{Where: glob}, &fields, match.Options{})
			if err != nil {
				t.Fatal(err)
			}
			e := match.NewEvaluation(&fields, time.Now())
			for i, d := range documents {
				read(t, e, mapping, d)
				got := m.Match(e)
				pairs++
				if got {
					matches++
				}
				if got != found[i] {
					t.Errorf("%s: %q (fold %v) of %s: got %v, want %v, as Elasticsearch has it",
						field, glob.Pattern, glob.Fold, d, got, found[i])
				}
			}
		}
		t.Logf("seed %d: %d pairs of a pattern and a document, %d of them a match", seed, pairs,
			matches)
	}
}

// globbed returns the documents that the server finds, by their numbers.
func globbed(t *testing.T, cluster *estest.Cluster, index string, g *cond.Glob) map[int]bool {
	t.Helper()
	body := map[string]any{"size": 10_000, "_source": false, "docvalue_fields": []string{"n"},
		"query": map[string]any{"wildcard": map[string]any{g.Field.Path: map[string]any{
			"value": g.Pattern, "case_insensitive": g.Fold}}}}
	answer, err := fastjson.ParseBytes(cluster.Do("POST", index+"/_search", body))
	if err != nil {
		t.Fatal(err)
	}
	if failed := answer.GetInt("_shards", "failed"); failed > 0 {
		t.Fatalf("%d shards failed: %s", failed, answer)
	}
	found := map[int]bool{}
	for _, hit := range answer.GetArray("hits", "hits") {
		found[hit.GetInt("fields", "n", "0")] = true
	}
	return found
}
