package prefilter_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/valyala/fastjson"

	"esrule/internal/estest"
	"esrule/internal/query/eql"
	"esrule/internal/query/event"
	"esrule/internal/query/match"
	"esrule/internal/query/prefilter"
	"esrule/internal/query/search"
)

var fieldNames = []string{"f.a", "f.b", "f.c"}

// TestSuperset holds the promise of this package on a real server, with documents, mappings and
// conditions made at random: what the matcher accepts, the pre-filter accepts.
func TestSuperset(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	cluster := estest.For(t)
	accepted := 0
	for round := range 12 {
		index := cluster.Index(fmt.Sprint("round-", round))
		chosen := createIndex(random, cluster, index)
		documents := loadDocuments(random, cluster, index)
		mapping := readMapping(t, cluster, index)
		extras := find(t, cluster, index, prefilter.Everything(), mapping)
		for range 60 {
			query := "any where " + condition(random, 3)
			accepted += compare(t, cluster, index, query, mapping, documents, extras, chosen)
		}
	}
	if accepted == 0 {
		t.Error("no condition accepted any document: the test shows nothing")
	}
	t.Logf("the matcher accepted %d times, the pre-filter each time", accepted)
}

func pick[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }

// createIndex makes an index in which each field has a kind of its own.
func createIndex(random *rand.Rand, cluster *estest.Cluster, index string) map[string]string {
	names := slices.Sorted(maps.Keys(kinds))
	chosen := map[string]string{}
	var properties []string
	for _, name := range fieldNames {
		kind := pick(random, names)
		if kind == "flattened" {
			kind = "keyword" // a flattened field has keys; see loadDocuments
		}
		chosen[name] = kind
		if kinds[kind] != "" {
			properties = append(properties, fmt.Sprintf("%q:%s", strings.TrimPrefix(name, "f."), kinds[kind]))
		}
	}
	parent := pick(random, []string{"object", "object", "object", "nested"})
	chosen["f"] = parent
	cluster.Create(index, `{"settings":{"number_of_shards":1,"analysis":{"normalizer":{"folding":{"type":"custom","filter":["lowercase"]}}}},
		"mappings":{"dynamic":false,"properties":{"f":{"type":"`+parent+`","properties":{`+strings.Join(properties, ",")+`}}}}}`)
	return chosen
}

func loadDocuments(random *rand.Rand, cluster *estest.Cluster, index string) []string {
	var documents []string
	for range 60 {
		parts := []string{}
		for _, name := range fieldNames {
			short := strings.TrimPrefix(name, "f.")
			switch random.IntN(8) {
			case 0: // missing
			case 1:
				parts = append(parts, fmt.Sprintf("%q:[%s,%s]", short, value(random), value(random)))
			case 2:
				parts = append(parts, fmt.Sprintf("%q:[]", short))
			default:
				parts = append(parts, fmt.Sprintf("%q:%s", short, value(random)))
			}
		}
		documents = append(documents, `{"f":{`+strings.Join(parts, ",")+`}}`)
	}
	for i, d := range documents {
		cluster.Do("PUT", fmt.Sprintf("%s/_doc/%d", index, i), d)
	}
	cluster.Refresh(index)
	return documents
}

func readMapping(t *testing.T, cluster *estest.Cluster, index string) *event.Mapping {
	t.Helper()
	classes, err := search.NewCluster(cluster.Client, search.Options{}).Mappings(t.Context(), []string{index}, fieldNames)
	if err != nil || len(classes) != 1 {
		t.Fatalf("read the mapping of %s: %v, %d classes", index, err, len(classes))
	}
	return classes[0].Mapping
}

// compare fails the test for each document that the matcher accepts and the pre-filter does not, and
// gives the number that the matcher accepts.
func compare(t *testing.T, cluster *estest.Cluster, index, query string, m *event.Mapping, documents []string,
	extras map[string]*fastjson.Value, chosen map[string]string) int {
	t.Helper()
	q, err := eql.Parse(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	var fields event.Fields
	matcher, err := match.Compile(q, &fields, match.Options{})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	filter := prefilter.Build(matcher.Condition(), m)
	candidates := find(t, cluster, index, filter.Clause, m)
	e := event.New(&fields)
	accepted := 0
	for i, d := range documents {
		id := fmt.Sprint(i)
		_, found := candidates[id]
		e.Reset(m, fastjson.MustParse(d), extras[id])
		if !matcher.Match(e) {
			continue
		}
		accepted++
		if !found {
			dsl, _ := json.Marshal(filter.Clause)
			t.Errorf("lost: %s\n  document %s\n  mapping %v\n  pre-filter %s", query, d, chosen, dsl)
		}
	}
	return accepted
}

// find gives the candidates by id, each with its `fields`, or nil where it has none.
func find(t *testing.T, cluster *estest.Cluster, index string, c prefilter.Clause, m *event.Mapping) map[string]*fastjson.Value {
	t.Helper()
	asked := []string{}
	for path, f := range m.Fields {
		if f.FromFields {
			asked = append(asked, path)
		}
	}
	body := map[string]any{"query": c, "size": 1000, "fields": asked}
	answer, err := fastjson.ParseBytes(cluster.Do("POST", index+"/_search", body))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*fastjson.Value{}
	for _, hit := range answer.GetArray("hits", "hits") {
		found[string(hit.GetStringBytes("_id"))] = hit.Get("fields")
	}
	return found
}

// TestLongConstants holds that the server takes whatever is pushed down of constants of any length.
func TestLongConstants(t *testing.T) {
	cluster := estest.For(t)
	index := cluster.Index("long")
	cluster.Create(index, `{"mappings":{"properties":{"f":{"properties":{"a":{"type":"keyword"}}}}}}`)
	for _, length := range []int{999, 1000, 1001, 8000} {
		text := strings.Repeat("a", length)
		document := fmt.Sprintf(`{"f":{"a":%q}}`, text)
		cluster.Do("PUT", index+"/_doc/0?refresh=true", document)
		mapping := readMapping(t, cluster, index)
		for _, condition := range []string{`f.a == "%s"`, `f.a in~ ("%s")`, `f.a : "%s"`, `f.a : "%s*"`, `f.a like "%s"`, `f.a like "%s*"`} {
			query := "any where " + fmt.Sprintf(condition, text)
			if compare(t, cluster, index, query, mapping, []string{document}, nil, nil) != 1 {
				t.Errorf("%d characters in %s: not accepted", length, condition)
			}
		}
	}
}

// TestIgnoreAboveThatChanged holds the promise for documents that were indexed under another limit than
// the mapping's present one, which may be changed at any time.
func TestIgnoreAboveThatChanged(t *testing.T) {
	cluster := estest.For(t)
	text := strings.Repeat("a", 300)
	f := func(name, before, now string, conditions ...string) {
		t.Helper()
		index := cluster.Index(name)
		mapping := func(limit string) string {
			return `{"properties":{"f":{"properties":{"a":{"type":"keyword"` + limit + `}}}}}`
		}
		cluster.Create(index, `{"mappings":`+mapping(before)+`}`)
		document := fmt.Sprintf(`{"f":{"a":%q}}`, text)
		cluster.Do("PUT", index+"/_doc/0?refresh=true", document)
		cluster.Do("PUT", index+"/_mapping", mapping(now))
		for _, condition := range conditions {
			query := "any where " + strings.ReplaceAll(condition, "TEXT", text)
			if compare(t, cluster, index, query, readMapping(t, cluster, index), []string{document}, nil, map[string]string{"before": before, "now": now}) != 1 {
				t.Errorf("%s: %s does not accept its own value", name, condition)
			}
		}
	}
	conditions := []string{`f.a == "TEXT"`, `f.a in ("TEXT", "b")`, `f.a in~ ("TEXT")`, `f.a : "TEXT"`, `f.a : "TEXT*"`, `f.a : "aaa*"`, `f.a : "*"`, `f.a != null`}
	f("raised", `,"ignore_above":256`, `,"ignore_above":1024`, conditions...)
	f("lifted", `,"ignore_above":256`, ``, conditions...)
	f("lowered", ``, `,"ignore_above":256`, conditions...)
}
