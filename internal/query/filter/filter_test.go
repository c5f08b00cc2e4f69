package filter_test

import (
	"encoding/json"
	"testing"

	"esrule/internal/query/filter"
	"esrule/internal/query/kql"
)

// TestParse reads filters as Kibana and Elastic's rules write them.
func TestParse(t *testing.T) {
	f := func(entry, want string) {
		t.Helper()
		var values map[string]any
		if err := json.Unmarshal([]byte(entry), &values); err != nil {
			t.Fatal(err)
		}
		got := "disabled"
		switch e, err := filter.Parse(values); {
		case err != nil:
			got = "error: " + err.Error()
		case e != nil:
			got = kql.Print(e)
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", entry, got, want)
		}
	}
	query := func(clause, want string) { t.Helper(); f(`{"query": `+clause+`}`, want) }

	// What is around a clause.
	f(`{"meta": {"negate": true, "disabled": false, "type": "exists"}, "$state": {"store": "x"},
		"query": {"exists": {"field": "a"}}}`, `not a: *`)
	f(`{"meta": {"negate": true}, "$state": {}, "exists": {"field": "a"}}`, `not a: *`)
	f(`{"meta": {"disabled": true}, "query": {"script": {}}}`, `disabled`)
	f(`{"meta": {"negate": false}, "match": {"a": {"query": "b c", "type": "phrase"}}}`, `a: "b c"`)
	f(`{"meta": {"type": "combined", "params": []}}`,
		`error: a filter without a clause is not supported`)

	// Each clause, with its short and its long form.
	query(`{"match_phrase": {"a": "b"}}`, `a: "b"`)
	query(`{"match_phrase": {"a.b": {"query": 5, "boost": 2}}}`, `a.b: "5"`)
	query(`{"match": {"a": "b c"}}`, `a: b c`)
	query(`{"match": {"a": {"query": true}}}`, `a: true`)
	query(`{"term": {"a": {"value": "b"}}}`, `a: "b"`)
	query(`{"term": {"a": {"value": "b?\\c", "case_insensitive": true}}}`,
		`wildcard~(a, "b\\?\\\\c")`)
	query(`{"terms": {"a": ["b", 1.5], "boost": 1}}`, `a: ("b" or "1.5")`)
	query(`{"wildcard": {"a": "b*?"}}`, `wildcard(a, "b*?")`)
	query(`{"wildcard": {"a": {"value": "b*", "case_insensitive": true}}}`, `wildcard~(a, "b*")`)
	query(`{"wildcard": {"a": {"wildcard": "b*", "rewrite": "constant_score"}}}`,
		`wildcard(a, "b*")`)
	query(`{"prefix": {"a": "b*"}}`, `wildcard(a, "b\\**")`)
	query(`{"range": {"a": {"gte": "now-1d", "lt": null}}}`, `a >= now-1d`)
	query(`{"range": {"a": {}}}`, `a: *`)
	query(`{"exists": {"field": "a", "_name": "x"}}`, `a: *`)
	query(`{"match_all": {}}`, `*: *`)

	// bool: should counts where it has to, and nothing else is there.
	query(`{"bool": {"filter": {"term": {"a": "b"}}, "must": [{"exists": {"field": "c"}}],
		"should": [{"term": {"d": "e"}}], "must_not": [{"term": {"f": "g"}}]}}`,
		`c: * and a: "b" and not f: "g"`)
	query(`{"bool": {"should": [{"term": {"d": "e"}}, {"term": {"f": "g"}}]}}`, `d: "e" or f: "g"`)
	query(`{"bool": {"must": [{"term": {"a": "b"}}], "minimum_should_match": "1",
		"should": [{"term": {"d": "e"}}]}}`, `a: "b" and d: "e"`)
	query(`{"bool": {"must_not": {"exists": {"field": "a"}}}}`, `not a: *`)
	query(`{"bool": {}}`, `*: *`)

	// Everything else is named.
	query(`{"script": {"script": "x"}}`, `error: the clause script is not supported`)
	query(`{"query_string": {"query": "x"}}`, `error: the clause query_string is not supported`)
	query(`{"nested": {"path": "a", "query": {}}}`, `error: the clause nested is not supported`)
	query(`{"match": {"a": {"query": "b c", "operator": "and"}}}`,
		`error: the option operator of the clause match is not supported`)
	query(`{"match_phrase": {"a": {"query": "b", "slop": 1}}}`,
		`error: the option slop of the clause match_phrase is not supported`)
	query(`{"range": {"a": {"gte": 1, "lt": 5}}}`,
		`error: a range with two bounds is not supported: {"a":{"gte":1,"lt":5}}`)
	query(`{"range": {"a": {"gte": 1, "format": "epoch_millis"}}}`,
		`error: the option format of the clause range is not supported`)
	query(`{"terms": {"a": {"index": "x", "id": "1", "path": "y"}}}`, `error: the clause terms is `+
		`not supported as it is written: {"a":{"id":"1","index":"x","path":"y"}}`)
	query(`{"term": {"a": null}}`,
		`error: the clause term is not supported as it is written: {"a":null}`)
	query(`{"term": {"a": "b", "c": "d"}}`,
		`error: the clause term is not supported as it is written: {"a":"b","c":"d"}`)
	query(`{"bool": {"should": [{"match_all": {}}, {"match_all": {}}, {"match_all": {}}],
		"minimum_should_match": 2}}`, `error: minimum_should_match 2 is not supported`)
	query(`{"bool": {"must": ["x"]}}`,
		`error: the clause must is not supported as it is written: "x"`)
	query(`{"bool": {"unless": {}}}`,
		`error: the option unless of the clause bool is not supported`)
	query(`{"term": {"a": "b"}, "exists": {"field": "c"}}`, `error: a clause has one key, found 2: `+
		`{"exists":{"field":"c"},"term":{"a":"b"}}`)
	query(`{"exists": "a"}`, `error: the clause exists is not supported as it is written: "a"`)
}
