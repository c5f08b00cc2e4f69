package exception_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"esrule/internal/estest"
	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/exception"
	"esrule/internal/query/kql"
	"esrule/internal/query/match"
)

// TestJudge lets a real server judge the items of the corpus: what Kibana would search for finds
// exactly the events that an item accepts.
func TestJudge(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(estest.Corpus(t), "kql", "kuery-cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases struct {
		Exceptions struct {
			Items []map[string]json.RawMessage
		}
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	cluster := estest.For(t)
	index := cluster.Index("items")
	mapping := &event.Mapping{Fields: map[string]event.FieldMapping{}}
	for _, path := range []string{"host.name", "host.os.type", "f", "g", "p.c", "p.d"} {
		mapping.Fields[path] = event.FieldMapping{Type: event.Keyword, Name: "keyword", Exact: path}
	}
	cluster.Create(index, json.RawMessage(`{"mappings":{"dynamic":false,"properties":{
		"host":{"properties":{"name":{"type":"keyword"},"os":{"properties":{
			"type":{"type":"keyword"}}}}},
		"f":{"type":"keyword"},"g":{"type":"keyword"},
		"p":{"type":"nested","properties":{"c":{"type":"keyword"},"d":{"type":"keyword"}}}}}}`))
	events := []string{`{}`, `{"host":{"name":"a"}}`, `{"host":{"name":"A"}}`,
		`{"host.name":["b","a"]}`, `{"f":"a"}`, `{"f":"b"}`, `{"f":["c","b"]}`, `{"f":"ab"}`,
		`{"f":"abcd"}`, `{"f":"Ab"}`, `{"f":"a","g":"x"}`, `{"f":""}`, `{"f":[]}`,
		`{"p":[{"c":"x","d":"y"}]}`, `{"p":[{"c":"x"},{"d":"y"}]}`, `{"p":{"c":["x"],"d":"y"}}`,
		`{"f":"a","host":{"os":{"type":"windows"}}}`, `{"f":"a","host":{"os":{"type":"linux"}}}`,
		`{"host":{"os":{"type":"windows"}}}`}
	documents := make([]any, len(events))
	for i, e := range events {
		documents[i] = json.RawMessage(fmt.Sprintf(`{"n":%d,%s`, i, e[1:]))
		if e == `{}` {
			documents[i] = json.RawMessage(fmt.Sprintf(`{"n":%d}`, i))
		}
	}
	cluster.Bulk(index, documents...)
	cluster.Refresh(index)

	pairs, excepted := 0, 0
	for _, item := range cases.Exceptions.Items {
		values := map[string]any{}
		for key, raw := range item {
			var v any
			if err := json.Unmarshal(raw, &v); err != nil {
				t.Fatal(err)
			}
			values[key] = v
		}
		where, err := exception.Parse(values)
		if err != nil {
			t.Errorf("%s: %v", item["entries"], err)
			continue
		}
		fields := &event.Fields{}
		m, err := match.Compile(&cond.Query{Where: where, Print: kql.Print}, fields,
			match.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var answer struct {
			Hits struct {
				Hits []struct {
					Source struct{ N int } `json:"_source"`
				}
			}
		}
		text := cluster.Do("POST", "/"+index+"/_search", json.RawMessage(
			`{"size":100,"query":{"bool":{"should":`+string(item["dsl"])+`}}}`))
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatal(err)
		}
		found := map[int]bool{}
		for _, hit := range answer.Hits.Hits {
			found[hit.Source.N] = true
		}
		e := match.NewEvaluation(fields, time.Time{})
		for i, source := range events {
			if err := e.Read(mapping, event.Document{Source: []byte(source)}); err != nil {
				t.Fatal(err)
			}
			pairs++
			got := m.Match(e)
			if got {
				excepted++
			}
			if got != found[i] {
				t.Errorf("%s over %s: got %v, Elasticsearch says %v", item["entries"], source, got,
					found[i])
			}
		}
	}
	t.Logf("%d pairs of an item and an event, %d accepted", pairs, excepted)
}
