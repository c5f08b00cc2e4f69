package prefilter_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"iter"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fastjson"
	"pgregory.net/rapid"

	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
	"esrule/internal/query/kql"
	"esrule/internal/query/match"
	"esrule/internal/query/prefilter"
)

// TestSuperset holds the promise of this package on a real server, with mappings, documents and
// conditions made at random: what the matcher accepts, the pre-filter accepts. A failure shrinks to
// one condition over one document, and is printed with the flag that repeats it.
func TestSuperset(t *testing.T) {
	estest.EachJudge(t, func(t *testing.T, judge estest.Judge) {
		checks := "40"
		if judge(t).IsOpenSearch() {
			checks = "20" // of the few kinds that it judges
		}
		there := kindsOf(t, judge(t))
		for seed := range estest.Seeds(t) {
			t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
				setFlag(t, "rapid.checks", checks, "RAPID_CHECKS")
				setFlag(t, "rapid.seed", strconv.FormatUint(seed, 10), "RAPID_SEED")
				superset(t, &server{t: t, cluster: judge(t)}, there)
			})
		}
	})
}

func superset(t *testing.T, s *server, kinds []kind) {
	accepted, pairs := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		topic := topics(kinds).Draw(t, "topic")
		mapping := schemas(topic).Draw(t, "mapping")
		documents := slices.Concat(many(documents(mapping)).Draw(t, "documents")...)
		conditions := slices.Concat(many(conditions(topic)).Draw(t, "conditions")...)
		accepted += compare(t, s.holding(mapping.json, documents), documents, conditions)
		pairs += len(documents) * len(conditions)
	})
	if accepted == 0 {
		t.Error("no condition accepted any document: the test shows nothing")
	}
	t.Logf("the matcher accepted %d of %d pairs, the pre-filter each of these", accepted, pairs)
}

// kindsOf returns the kinds that a server judges, and lists as not run what it lacks of
// onlyFullServer. OpenSearch judges only those and a few to stand beside them: of the rest
// Elasticsearch itself is the judge.
func kindsOf(t *testing.T, cluster *estest.Cluster) []kind {
	t.Helper()
	there := slices.Clone(kinds)
	if cluster.IsOpenSearch() {
		there = slices.DeleteFunc(there, func(k kind) bool {
			return k.mapping != "" && k.name != "keyword"
		})
	}
	for _, k := range onlyFullServer {
		if cluster.IsOpenSearch() && strings.Contains(k.mapping, "ignore_above") {
			t.Log("not run here, since OpenSearch does not name in _ignored what ignore_above left out:", k.mapping)
			continue
		}
		if cluster.IsOpenSearch() && k.name == "version" {
			k.name = semanticVersion
		}
		format := `{"properties":{"f":%s}}`
		if k.name == runtime {
			format = `{"runtime":{"f":%s}}`
		}
		if cluster.Has(k.name+" "+k.mapping, fmt.Appendf(nil, format, k.mapping)) {
			there = append(there, k)
		}
	}
	return there
}

// setFlag sets one of rapid's flags, unless the command line or a variable gives it: rapid has no
// other way to say it. A check here is an index with some 1,000 pairs to judge, and rapid's default
// of 100 is for checks that take no time.
func setFlag(t *testing.T, name, to, variable string) {
	t.Helper()
	_, given := os.LookupEnv(variable)
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
	set(to)
	t.Cleanup(func() { set(before) })
}

// many makes some 36 of something, in groups: rapid makes a slice that may be short six long on
// average, and shrinks soonest what it can leave out in groups.
func many(of *rapid.Generator[string]) *rapid.Generator[[][]string] {
	return rapid.SliceOfN(rapid.SliceOfN(of, 1, 20), 1, 20)
}

// server keeps the index of the last check until another mapping is needed, and loads only
// documents that are not there yet: rapid shrinks by trying hundreds of variants, and making an
// index takes longer than all the rest.
type server struct {
	t       *testing.T
	cluster *estest.Cluster
	last    *held
	made    int
}

// held is an index of one mapping with documents, of which a check judges those that it names by
// their ids.
type held struct {
	cluster *estest.Cluster
	index   string
	schema  string
	mapping *event.Mapping
	// documents has positions for ids, which ids gives back.
	documents []string
	ids       map[string]int
	refused   map[int]bool // by id: documents that the server did not take
	// extras are each document's `fields`, by id.
	extras map[int]*fastjson.Value
}

// holding gives an index of a mapping that has the documents.
func (s *server) holding(schema string, documents []string) *held {
	s.t.Helper()
	if s.last == nil || s.last.schema != schema {
		s.renew(schema)
	}
	s.last.load(s.t, documents)
	return s.last
}

func (s *server) renew(schema string) {
	s.t.Helper()
	if s.last != nil {
		s.cluster.Delete(s.last.index)
	}
	s.made++
	index := s.cluster.Index(fmt.Sprint(s.made))
	s.cluster.Create(index, `{"settings":{"number_of_shards":1,"number_of_replicas":0,
		"analysis":{"normalizer":{"folding":{"type":"custom","filter":["lowercase"]}}}},"mappings":`+schema+`}`)
	s.last = hold(s.t, s.cluster, index, schema)
}

// hold describes an index that has no documents yet.
func hold(t *testing.T, cluster *estest.Cluster, index, schema string) *held {
	t.Helper()
	classes, err := search.NewCluster(cluster.Client, search.Options{}).Mappings(t.Context(),
		[]string{index}, fieldNames)
	if err != nil || len(classes) != 1 {
		t.Fatalf("read the mapping of %s: %v, %d classes", index, err, len(classes))
	}
	return &held{cluster: cluster, index: index, schema: schema, mapping: classes[0].Mapping,
		ids: map[string]int{}, refused: map[int]bool{}, extras: map[int]*fastjson.Value{}}
}

// readDates makes the mapping say what the server makes of the constants of conditions, and asks
// about each constant once.
func (h *held) readDates(t rapid.TB, conditions ...cond.Expr) {
	t.Helper()
	constants := map[string][]string{}
	for _, c := range conditions {
		for path, texts := range cond.Constants(c) {
			constants[path] = append(constants[path], texts...)
		}
	}
	for path, texts := range constants {
		slices.Sort(texts)
		constants[path] = slices.Compact(texts)
	}
	classes := []search.Class{{Indices: []string{h.index}, Mapping: h.mapping}}
	read, err := search.NewCluster(h.cluster.Client,
		search.Options{}).ReadDates(context.Background(), classes, constants)
	if err != nil || len(read) != 1 {
		t.Fatalf("read the dates of %s: %v, %d classes", h.index, err, len(read))
	}
	h.mapping = read[0].Mapping
}

// load adds the documents that the index has not.
func (h *held) load(t *testing.T, documents []string) {
	t.Helper()
	var body strings.Builder
	var tried []int
	for _, d := range documents {
		if _, found := h.ids[d]; found {
			continue
		}
		id := len(h.documents)
		h.ids[d], h.documents, tried = id, append(h.documents, d), append(tried, id)
		fmt.Fprintf(&body, "{\"create\":{\"_id\":\"%d\"}}\n%s\n", id, d)
	}
	if len(tried) == 0 {
		return
	}
	answer := fastjson.MustParseBytes(h.cluster.Do("POST", h.index+
		"/_bulk?refresh=true&filter_path=items.*.status,items.*.error", body.String()))
	added := []int{}
	for i, item := range answer.GetArray("items") {
		reason := string(item.GetStringBytes("create", "error", "reason"))
		switch {
		case item.GetInt("create", "status") < 300:
			added = append(added, tried[i])
		// the one type here that cannot ignore what is malformed
		case strings.Contains(reason, "of type [version]"):
			h.refused[tried[i]] = true
		default:
			t.Fatalf("%s is refused: %s\n  mapping %s", h.documents[tried[i]], item, h.schema)
		}
	}
	maps.Copy(h.extras, h.find(t, added, []dsl.Clause{dsl.Everything()}, fieldNames)[0])
}

// compare fails the test at the first document that the matcher accepts and the pre-filter of the
// same condition does not, and gives the number that the matcher accepts.
func compare(t rapid.TB, h *held, documents, conditions []string) int {
	t.Helper()
	accepted := 0
	for lost := range judged(t, h, documents, conditions, &accepted) {
		t.Fatal(lost)
	}
	return accepted
}

// judged yields each document that the matcher accepts and the pre-filter of the same condition
// does not, and counts those that the matcher accepts.
func judged(t rapid.TB, h *held, documents, conditions []string, accepted *int) iter.Seq[string] {
	t.Helper()
	ids := []int{}
	for _, d := range documents {
		if id := h.ids[d]; !h.refused[id] {
			ids = append(ids, id)
		}
	}
	matchers := make([]*compiled, len(conditions))
	compared := make([]cond.Expr, len(conditions))
	for i, c := range conditions {
		matchers[i] = compile(t, c)
		compared[i] = matchers[i].matcher.Condition()
	}
	h.readDates(t, compared...)
	clauses := make([]dsl.Clause, len(conditions))
	for i, c := range compared {
		clauses[i] = prefilter.Build(c, h.mapping).Clause
	}
	found := h.find(t, ids, clauses, nil)
	return func(yield func(string) bool) {
		for i, candidates := range found {
			for _, id := range ids {
				if !matchers[i].accepts(t, h, id) {
					continue
				}
				*accepted++
				if _, found := candidates[id]; found {
					continue
				}
				dsl, _ := json.Marshal(clauses[i])
				if !yield(fmt.Sprintf("lost: %s\n  document %s\n  mapping %s\n  pre-filter %s",
					conditions[i], h.documents[id], h.schema, dsl)) {
					return
				}
			}
		}
	}
}

// kuery stands before the conditions that are KQL.
const kuery = "KQL: "

type compiled struct {
	matcher *match.Matcher
	event   *match.Evaluation
}

func compile(t rapid.TB, condition string) *compiled {
	t.Helper()
	q, err := eql.Parse("any where " + condition)
	if text, isKuery := strings.CutPrefix(condition, kuery); isKuery {
		q, err = kql.Parse(text)
	}
	if err != nil {
		t.Fatalf("%s: %v", condition, err)
	}
	var fields event.Fields
	matcher, err := match.Compile(q, &fields, match.Options{})
	if err != nil {
		t.Fatalf("%s: %v", condition, err)
	}
	return &compiled{matcher: matcher, event: match.NewEvaluation(&fields, time.Now())}
}

func (c *compiled) accepts(t rapid.TB, h *held, id int) bool {
	t.Helper()
	document := event.Document{Source: []byte(h.documents[id])}
	if extra := h.extras[id]; extra != nil {
		document.Fields = extra.MarshalTo(nil)
	}
	if err := c.event.Read(h.mapping, document); err != nil {
		t.Fatalf("%s: %v", h.documents[id], err)
	}
	return c.matcher.Match(c.event)
}

// find returns each clause's candidates among the documents of the given ids, each with those of
// the fields that it has, or nil.
func (h *held) find(t rapid.TB, ids []int, clauses []dsl.Clause,
	fields []string) []map[int]*fastjson.Value {
	t.Helper()
	responses := h.search(t, ids, clauses, fields)
	found := make([]map[int]*fastjson.Value, len(clauses))
	for i, response := range responses {
		if response.Exists("error") || response.Exists("_shards", "failures") {
			dsl, _ := json.Marshal(clauses[i])
			t.Fatalf("refused: %s\n  answer %s\n  mapping %s", dsl, response, h.schema)
		}
		found[i] = map[int]*fastjson.Value{}
		for _, hit := range response.GetArray("hits", "hits") {
			id, err := strconv.Atoi(string(hit.GetStringBytes("_id")))
			if err != nil {
				t.Fatal(err)
			}
			found[i][id] = hit.Get("fields")
		}
	}
	return found
}

// search sends all clauses in one request, the same clause once.
func (h *held) search(t rapid.TB, ids []int, clauses []dsl.Clause,
	fields []string) []*fastjson.Value {
	t.Helper()
	fromSource, fromIndex := []search.Wanted{}, []search.Wanted{}
	for _, w := range search.Want(h.mapping, fields) {
		if w.DocValues {
			fromIndex = append(fromIndex, w)
		} else {
			fromSource = append(fromSource, w)
		}
	}
	among := map[string]any{"ids": map[string]any{"values": ids}}
	var body strings.Builder
	sent := map[string]int{}
	place := make([]int, len(clauses))
	for i, c := range clauses {
		query := map[string]any{"bool": map[string]any{"filter": []any{c, among}}}
		line, err := json.Marshal(map[string]any{
			"query": query, "size": 1000, "_source": false, "fields": fromSource,
			"docvalue_fields": fromIndex,
		})
		if err != nil {
			t.Fatal(err)
		}
		at, found := sent[string(line)]
		if !found {
			at = len(sent)
			sent[string(line)] = at
			fmt.Fprintf(&body, "{}\n%s\n", line)
		}
		place[i] = at
	}
	answer, err := fastjson.ParseBytes(h.cluster.Do("POST", h.index+"/_msearch", body.String()))
	if err != nil {
		t.Fatal(err)
	}
	answers := answer.GetArray("responses")
	if len(answers) != len(sent) {
		t.Fatalf("%d answers to %d searches: %s", len(answers), len(sent), answer)
	}
	responses := make([]*fastjson.Value, len(clauses))
	for i, at := range place {
		responses[i] = answers[at]
	}
	return responses
}

// TestLongConstants holds that the server takes whatever is pushed down of constants of any length.
func TestLongConstants(t *testing.T) {
	cluster := estest.For(t)
	index := cluster.Index("long")
	cluster.Create(index, `{"mappings":{"properties":{"f":{"properties":{"a":{"type":"keyword"}}}}}}`)
	h := hold(t, cluster, index, "keyword")
	for _, length := range []int{999, 1000, 1001, 8000} {
		text := strings.Repeat("a", length)
		document := fmt.Sprintf(`{"f":{"a":%q}}`, text)
		h.load(t, []string{document})
		for _, condition := range []string{`f.a == "%s"`, `f.a in~ ("%s")`, `f.a : "%s"`,
			`f.a : "%s*"`, `f.a like "%s"`, `f.a like "%s*"`} {
			if compare(t, h, []string{document}, []string{fmt.Sprintf(condition, text)}) != 1 {
				t.Errorf("%d characters in %s: not accepted", length, condition)
			}
		}
	}
}

// TestIgnoreAboveThatChanged holds the promise for documents that were indexed under another limit
// than the mapping's present one, which may be changed at any time.
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
		h := hold(t, cluster, index, before+", now "+now)
		h.load(t, []string{document})
		cluster.Do("PUT", index+"/_mapping", mapping(now))
		h.mapping = hold(t, cluster, index, now).mapping
		for _, condition := range conditions {
			if compare(t, h, []string{document},
				[]string{strings.ReplaceAll(condition, "TEXT", text)}) != 1 {
				t.Errorf("%s: %s does not accept its own value", name, condition)
			}
		}
	}
	conditions := []string{`f.a == "TEXT"`, `f.a in ("TEXT", "b")`, `f.a in~ ("TEXT")`,
		`f.a : "TEXT"`, `f.a : "TEXT*"`, `f.a : "aaa*"`, `f.a : "*"`, `f.a != null`}
	f("raised", `,"ignore_above":256`, `,"ignore_above":1024`, conditions...)
	f("lifted", `,"ignore_above":256`, ``, conditions...)
	f("lowered", ``, `,"ignore_above":256`, conditions...)
}
