package prefilter_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/valyala/fastjson"
	"pgregory.net/rapid"

	"esrule/internal/estest"
	"esrule/internal/query/eql"
	"esrule/internal/query/event"
	"esrule/internal/query/match"
	"esrule/internal/query/prefilter"
	"esrule/internal/query/search"
)

// TestSuperset holds the promise of this package on a real server, with mappings, documents and
// conditions made at random: what the matcher accepts, the pre-filter accepts. A failure shrinks to one
// condition over one document, and is printed with the flag that repeats it.
func TestSuperset(t *testing.T) {
	limitChecks(t, "60")
	s := &server{t: t, cluster: estest.For(t)}
	accepted, pairs := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		mapping := schemas().Draw(t, "mapping")
		documents := many(documents(mapping)).Draw(t, "documents")
		conditions := many(conditions()).Draw(t, "conditions")
		n := compare(t, s.holding(mapping.json, slices.Concat(documents...)), slices.Concat(conditions...))
		accepted += n
		pairs += len(slices.Concat(documents...)) * len(slices.Concat(conditions...))
	})
	if accepted == 0 {
		t.Error("no condition accepted any document: the test shows nothing")
	}
	t.Logf("the matcher accepted %d of %d pairs, the pre-filter each of these", accepted, pairs)
}

// limitChecks lowers the number of checks, unless -rapid.checks or RAPID_CHECKS gives one: a check here is an
// index with some 1,000 pairs to judge, and rapid's default of 100 is for checks that take no time. rapid has
// no other way to say it than its flag.
func limitChecks(t *testing.T, checks string) {
	t.Helper()
	const name = "rapid.checks"
	_, given := os.LookupEnv("RAPID_CHECKS")
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	if given {
		return
	}
	value := flag.Lookup(name).Value // its own Set, since flag.Set would make it look given
	before := value.String()
	set := func(to string) {
		if err := value.Set(to); err != nil {
			t.Errorf("-%s: %v", name, err)
		}
	}
	set(checks)
	t.Cleanup(func() { set(before) })
}

// many makes some 36 of something, in groups: rapid makes a slice that may be short six long on average, and
// shrinks soonest what it can leave out in groups.
func many(of *rapid.Generator[string]) *rapid.Generator[[][]string] {
	return rapid.SliceOfN(rapid.SliceOfN(of, 1, 20), 1, 20)
}

// server keeps the index of the last check until another one is needed: while rapid shrinks conditions,
// mapping and documents stay, and making an index takes longer than all the rest.
type server struct {
	t       *testing.T
	cluster *estest.Cluster
	last    *held
	made    int
}

// held is an index with its documents, whose ids are their positions.
type held struct {
	cluster   *estest.Cluster
	index     string
	schema    string
	documents []string
	mapping   *event.Mapping
	// extras are each document's `fields`, by id.
	extras map[string]*fastjson.Value
}

func (s *server) holding(schema string, documents []string) *held {
	s.t.Helper()
	if s.last != nil && s.last.schema == schema && slices.Equal(s.last.documents, documents) {
		return s.last
	}
	if s.last != nil {
		s.cluster.Delete(s.last.index)
		s.last = nil
	}
	s.made++
	h := &held{cluster: s.cluster, index: s.cluster.Index(fmt.Sprint(s.made)), schema: schema, documents: documents}
	s.cluster.Create(h.index, `{"settings":{"number_of_shards":1,"number_of_replicas":0,
		"analysis":{"normalizer":{"folding":{"type":"custom","filter":["lowercase"]}}}},"mappings":`+schema+`}`)
	h.load(s.t)
	h.mapping = readMapping(s.t, s.cluster, h.index)
	h.extras = h.find(s.t, []prefilter.Clause{prefilter.Everything()})[0]
	s.last = h
	return h
}

func (h *held) load(t *testing.T) {
	t.Helper()
	var body strings.Builder
	for i, d := range h.documents {
		fmt.Fprintf(&body, "{\"create\":{\"_id\":\"%d\"}}\n%s\n", i, d)
	}
	answer := h.cluster.Do("POST", h.index+"/_bulk?refresh=true&filter_path=errors,items.*.error", body.String())
	if fastjson.GetBool(answer, "errors") {
		t.Fatalf("documents refused: %s\n  mapping %s", answer, h.schema)
	}
}

func readMapping(t *testing.T, cluster *estest.Cluster, index string) *event.Mapping {
	t.Helper()
	classes, err := search.NewCluster(cluster.Client, search.Options{}).Mappings(t.Context(), []string{index}, fieldNames)
	if err != nil || len(classes) != 1 {
		t.Fatalf("read the mapping of %s: %v, %d classes", index, err, len(classes))
	}
	return classes[0].Mapping
}

// compare fails the test at the first document that the matcher accepts and the pre-filter of the same condition
// does not, and gives the number that the matcher accepts.
func compare(t rapid.TB, h *held, conditions []string) int {
	t.Helper()
	matchers := make([]*compiled, len(conditions))
	clauses := make([]prefilter.Clause, len(conditions))
	for i, c := range conditions {
		matchers[i] = compile(t, c)
		clauses[i] = prefilter.Build(matchers[i].matcher.Condition(), h.mapping).Clause
	}
	accepted := 0
	for i, candidates := range h.find(t, clauses) {
		for _, id := range matchers[i].matching(h) {
			accepted++
			if _, found := candidates[fmt.Sprint(id)]; !found {
				dsl, _ := json.Marshal(clauses[i])
				t.Fatalf("lost: %s\n  document %s\n  mapping %s\n  pre-filter %s", conditions[i], h.documents[id], h.schema, dsl)
			}
		}
	}
	return accepted
}

type compiled struct {
	matcher *match.Matcher
	event   *event.Event
}

func compile(t rapid.TB, condition string) *compiled {
	t.Helper()
	q, err := eql.Parse("any where " + condition)
	if err != nil {
		t.Fatalf("%s: %v", condition, err)
	}
	var fields event.Fields
	matcher, err := match.Compile(q, &fields, match.Options{})
	if err != nil {
		t.Fatalf("%s: %v", condition, err)
	}
	return &compiled{matcher: matcher, event: event.New(&fields)}
}

// matching gives the ids of the documents that the matcher accepts.
func (c *compiled) matching(h *held) []int {
	var ids []int
	for id, d := range h.documents {
		c.event.Reset(h.mapping, fastjson.MustParse(d), h.extras[fmt.Sprint(id)])
		if c.matcher.Match(c.event) {
			ids = append(ids, id)
		}
	}
	return ids
}

// find gives the candidates of each clause by id, each with its `fields`, or nil where it has none.
func (h *held) find(t rapid.TB, clauses []prefilter.Clause) []map[string]*fastjson.Value {
	t.Helper()
	asked := []string{}
	for path, f := range h.mapping.Fields {
		if f.FromFields {
			asked = append(asked, path)
		}
	}
	var body strings.Builder
	lines := json.NewEncoder(&body)
	for _, c := range clauses {
		body.WriteString("{}\n")
		if err := lines.Encode(map[string]any{"query": c, "size": 1000, "_source": false, "fields": asked}); err != nil {
			t.Fatal(err)
		}
	}
	answer, err := fastjson.ParseBytes(h.cluster.Do("POST", h.index+"/_msearch", body.String()))
	if err != nil {
		t.Fatal(err)
	}
	found := make([]map[string]*fastjson.Value, len(clauses))
	for i, response := range answer.GetArray("responses") {
		if response.Exists("error") || response.Exists("_shards", "failures") {
			dsl, _ := json.Marshal(clauses[i])
			t.Fatalf("refused: %s\n  answer %s\n  mapping %s", dsl, response, h.schema)
		}
		found[i] = map[string]*fastjson.Value{}
		for _, hit := range response.GetArray("hits", "hits") {
			found[i][string(hit.GetStringBytes("_id"))] = hit.Get("fields")
		}
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
		h := &held{cluster: cluster, index: index, documents: []string{document}, mapping: readMapping(t, cluster, index)}
		for _, condition := range []string{`f.a == "%s"`, `f.a in~ ("%s")`, `f.a : "%s"`, `f.a : "%s*"`, `f.a like "%s"`, `f.a like "%s*"`} {
			if compare(t, h, []string{fmt.Sprintf(condition, text)}) != 1 {
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
		h := &held{cluster: cluster, index: index, schema: mapping(now), documents: []string{document}, mapping: readMapping(t, cluster, index)}
		for _, condition := range conditions {
			if compare(t, h, []string{strings.ReplaceAll(condition, "TEXT", text)}) != 1 {
				t.Errorf("%s: %s does not accept its own value", name, condition)
			}
		}
	}
	conditions := []string{`f.a == "TEXT"`, `f.a in ("TEXT", "b")`, `f.a in~ ("TEXT")`, `f.a : "TEXT"`, `f.a : "TEXT*"`, `f.a : "aaa*"`, `f.a : "*"`, `f.a != null`}
	f("raised", `,"ignore_above":256`, `,"ignore_above":1024`, conditions...)
	f("lifted", `,"ignore_above":256`, ``, conditions...)
	f("lowered", ``, `,"ignore_above":256`, conditions...)
}
