package match_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fastjson"

	"esrule/internal/estest"
	"esrule/internal/estest/kuerydsl"
	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/kql"
	"esrule/internal/query/match"
)

// TestJudgeKuery lets a real server judge the leaves of KQL: for mappings, documents and conditions
// made at random, what Kibana would search for finds exactly the documents that the matcher
// accepts. It differs on purpose (kql.md §7) in:
//
//   - a leaf whose value the field's type cannot take: the server refuses the whole query, to the
//     matcher the leaf is false. The leaf alone is asked first; one that is refused finds nothing
//     in the query of the whole.
//   - a wildcard with a blank: Kibana's query string is split there, to the matcher it is one
//     pattern, but on a text. None is made for other types than text and keyword.
//   - nested objects that the mapping does not say to be nested: here it says so.
//
// No field has ignore_above, and no nested field stands outside of braces.
func TestJudgeKuery(t *testing.T) { eachSeed(t, estest.For, judgeKuery) }

func judgeKuery(t *testing.T, cluster *estest.Cluster, random *rand.Rand) {
	const indices, documents, conditions = 6, 150, 70
	j := &kueryJudge{t: t, cluster: cluster, random: random, types: kueryTypes()}
	for name, k := range j.types {
		mapping := fmt.Sprintf(`{"properties":{"f":{"type":"%s"%s}}}`, k.field.Name, k.parameters)
		if name != "lowercase" && !cluster.Has(name, json.RawMessage(mapping)) {
			delete(j.types, name)
		}
	}
	for n := range indices {
		j.newIndex(n, documents)
		j.compareAll(conditions)
	}
	t.Logf("%d pairs of a condition and a document, %d of them a match; %d leaves refused by the "+
		"server", j.pairs, j.matches, j.refused)
	if j.matches < j.pairs/20 || j.matches > j.pairs*19/20 {
		t.Errorf("%d of %d pairs match: the conditions tell too little apart", j.matches, j.pairs)
	}
}

type kueryJudge struct {
	t       *testing.T
	cluster *estest.Cluster
	random  *rand.Rand

	types     map[string]kueryType
	index     string
	mapping   *event.Mapping
	documents []string

	pairs, matches, refused int
}

// newIndex makes an index whose fields have types made at random, and documents in it.
func (j *kueryJudge) newIndex(n, documents int) {
	j.t.Helper()
	j.index = j.cluster.Index(fmt.Sprintf("kuery-%d", n))
	j.mapping = &event.Mapping{Fields: map[string]event.FieldMapping{}}
	j.documents = nil
	names := slices.Sorted(maps.Keys(j.types))
	kinds := map[string]kueryType{}
	properties := func(paths ...string) string {
		var list []string
		for _, path := range paths {
			name := pick(j.random, names)
			if j.random.IntN(2) == 0 {
				name = pick(j.random, []string{"keyword", "lowercase", "text"})
			}
			k := j.types[name]
			kinds[path] = k
			if strings.HasPrefix(path, "ne.") {
				k.field.Nested = "ne"
			}
			j.mapping.Fields[path] = k.field
			key := path[strings.LastIndexByte(path, '.')+1:]
			list = append(list, fmt.Sprintf(`"%s":{"type":"%s"%s}`, key, k.field.Name,
				k.parameters))
		}
		return strings.Join(list, ",")
	}
	j.cluster.Create(j.index, `{"settings":{"number_of_shards":1,"number_of_replicas":0},`+
		`"mappings":{"dynamic":false,"properties":{"id":{"type":"long"},`+
		properties("a", "ab", "c", "d", "e")+`,"o":{"properties":{`+properties("o.a", "o.b")+
		`}},"ne":{"type":"nested","properties":{`+properties("ne.a", "ne.b", "ne.c")+`}}}}}`)
	var batch []any
	for i := range documents {
		d := fmt.Sprintf(`{"id":%d`, i)
		for _, path := range []string{"a", "ab", "c", "d", "e", "o.b"} {
			d += j.member(path, kinds[path].values)
		}
		d += pick(j.random, []string{"", `,"o":{"x":1` + j.member("a", kinds["o.a"].values) + "}"})
		d += pick(j.random, []string{"", `,"ne":[]`, `,"ne":` + j.object(kinds),
			`,"ne":[` + j.object(kinds) + `,null,` + j.object(kinds) + `]`}) + "}"
		j.documents = append(j.documents, d)
		batch = append(batch, d)
	}
	j.cluster.Bulk(j.index, batch...)
}

func (j *kueryJudge) object(kinds map[string]kueryType) string {
	o := `{"x":1`
	for _, key := range []string{"a", "b", "c"} {
		o += j.member(key, kinds["ne."+key].values)
	}
	return o + "}"
}

func (j *kueryJudge) member(key string, values []string) string {
	value := pick(j.random, values)
	switch j.random.IntN(8) {
	case 0, 1:
		return ""
	case 2:
		value = pick(j.random, []string{"null", "[]", "[null]"})
	case 3:
		value = "[" + value + "," + pick(j.random, values) + "]"
	}
	return `,"` + key + `":` + value
}

// condition makes a condition of KQL on the root or, with a prefix, on a nested object.
func (j *kueryJudge) condition(depth int, prefix string) cond.Expr {
	if depth > 0 && j.random.IntN(3) > 0 {
		operands := []cond.Expr{j.condition(depth-1, prefix), j.condition(depth-1, prefix)}
		switch j.random.IntN(6) {
		case 0, 1:
			return &cond.Not{Operand: operands[0]}
		case 2, 3:
			return &cond.Or{Operands: operands}
		case 4:
			if prefix == "" {
				return &cond.Nested{Path: "ne", Operand: j.condition(depth-1, "ne.")}
			}
		}
		return &cond.And{Operands: operands}
	}
	return j.leaf(prefix)
}

func (j *kueryJudge) leaf(prefix string) cond.Expr {
	paths := []string{"a", "ab", "c", "d", "e", "o.a", "o.b", "unmapped"}
	if prefix != "" {
		paths = []string{"ne.a", "ne.b", "ne.c", "ne.unmapped"}
	}
	f := &cond.Field{Path: pick(j.random, paths)}
	constants := []string{"foo"}
	kind := j.mapping.Fields[f.Path]
	for name, k := range j.types {
		if k.field.Name == kind.Name && (kind.Normalizer != nil) == (name == "lowercase") {
			constants = k.constants
		}
	}
	if prefix == "" && j.random.IntN(15) == 0 {
		f = &cond.Field{Path: pick(j.random, []string{"a*", "o.*", "*b", "x*"}), Wild: true}
	}
	value := &cond.Literal{Kind: cond.String, Text: pick(j.random, constants)}
	if j.random.IntN(8) == 0 {
		value.Text = pick(j.random, []string{"foo", "22", "true", "2026", "10.0.0.1", "", "1.5"})
	}
	isText := kind.Type == event.Text || kind.Type == event.Keyword
	switch j.random.IntN(8) {
	case 0:
		return &cond.Exists{Field: f}
	case 1, 2:
		return &cond.Order{Field: f, Value: value, Op: cond.CompareOp(2 + j.random.IntN(4))}
	case 3, 4:
		if isText && !f.Wild {
			return &cond.Wildcard{Field: f, Pieces: j.pieces(value.Text)}
		}
	}
	return &cond.Is{Field: f, Value: value, Quoted: j.random.IntN(2) == 0}
}

// pieces puts stars into a text.
func (j *kueryJudge) pieces(text string) []string {
	pieces := []string{""}
	for _, r := range text {
		if j.random.IntN(4) == 0 {
			pieces = append(pieces, "")
			if j.random.IntN(2) == 0 {
				continue
			}
		}
		pieces[len(pieces)-1] += string(r)
	}
	if len(pieces) == 1 || j.random.IntN(4) == 0 {
		pieces = append(pieces, "")
	}
	if len(pieces) == 2 && pieces[0] == "" && pieces[1] == "" { // that is exists
		pieces = append(pieces, "")
	}
	return pieces
}

// leafOf is a leaf over one field.
type leafOf struct {
	leaf cond.Expr
	path string
}

func (j *kueryJudge) compareAll(conditions int) {
	j.t.Helper()
	all := make([]cond.Expr, conditions)
	var leaves []leafOf
	for i := range all {
		all[i] = j.condition(3, "")
		cond.Walk(all[i], func(x cond.Expr) bool {
			for _, f := range fieldOf(x) {
				for path := range j.mapping.Fields {
					if kuerydsl.Names(f, path) {
						leaves = append(leaves, leafOf{x, path})
					}
				}
			}
			return true
		})
	}
	var queries []kuerydsl.Query
	for _, l := range leaves {
		x := l.leaf
		if nested := j.mapping.Fields[l.path].Nested; nested != "" {
			x = &cond.Nested{Path: nested, Operand: x}
		}
		queries = append(queries, j.translate(x, func(_ cond.Expr, path string) bool {
			return path != l.path
		}))
	}
	refused := map[leafOf]bool{}
	for i, found := range j.search(queries) {
		if found == nil {
			refused[leaves[i]] = true
			j.refused++
		}
	}
	queries = nil
	for _, x := range all {
		queries = append(queries, j.translate(x, func(x cond.Expr, path string) bool {
			return refused[leafOf{x, path}]
		}))
	}
	for i, found := range j.search(queries) {
		if found == nil {
			j.t.Errorf("the server refuses %s, and none of its leaves", kql.Print(all[i]))
			continue
		}
		j.compare(all[i], found)
	}
}

// fieldOf is the field of a leaf, none of other nodes.
func fieldOf(x cond.Expr) []*cond.Field {
	switch x := x.(type) {
	case *cond.Is:
		return []*cond.Field{x.Field}
	case *cond.Wildcard:
		return []*cond.Field{x.Field}
	case *cond.Exists:
		return []*cond.Field{x.Field}
	case *cond.Order:
		return []*cond.Field{x.Field}
	}
	return nil
}

func (j *kueryJudge) translate(x cond.Expr, refused kuerydsl.Refused) kuerydsl.Query {
	j.t.Helper()
	query, err := kuerydsl.Translate(x, j.mapping, refused)
	if err != nil {
		j.t.Fatalf("%s: %v", kql.Print(x), err)
	}
	return query
}

// compare asks the matcher about every document.
func (j *kueryJudge) compare(x cond.Expr, found map[int]bool) {
	j.t.Helper()
	var fields event.Fields
	q := &cond.Query{Text: kql.Print(x), Where: x, Print: kql.Print}
	m, err := match.Compile(q, &fields, match.Options{})
	if err != nil {
		j.t.Fatalf("%s: %v", q.Text, err)
	}
	e := match.NewEvaluation(&fields, time.Now())
	for i, d := range j.documents {
		read(j.t, e, j.mapping, d)
		got := m.Match(e)
		j.pairs++
		if got {
			j.matches++
		}
		if got != found[i] {
			j.t.Errorf("%s\n  of %s\n  in %s: got %v, want %v, as Elasticsearch has it", q.Text, d,
				shownTypes(j.mapping, &fields), got, found[i])
			return // one document of each condition is enough to see
		}
	}
}

// shownTypes are the types of a condition's fields.
func shownTypes(m *event.Mapping, fields *event.Fields) string {
	var list []string
	for _, path := range fields.Paths() {
		f := m.Fields[path]
		list = append(list, path+" "+f.Name)
		if f.Normalizer != nil {
			list[len(list)-1] += " in lower case"
		}
	}
	return strings.Join(list, ", ")
}

// search returns the documents that the server finds for each query, nil where it refuses one.
func (j *kueryJudge) search(queries []kuerydsl.Query) []map[int]bool {
	j.t.Helper()
	var body bytes.Buffer
	encode := json.NewEncoder(&body)
	for _, query := range queries {
		err := encode.Encode(map[string]string{"index": j.index})
		if err == nil {
			err = encode.Encode(map[string]any{"query": query, "size": 10_000, "_source": false,
				"docvalue_fields": []string{"id"}, "sort": []string{"_doc"}})
		}
		if err != nil {
			j.t.Fatal(err)
		}
	}
	answer, err := fastjson.ParseBytes(j.cluster.Do(http.MethodPost, "_msearch?filter_path="+
		"responses.status,responses.error.reason,responses._shards.failed,responses.hits.hits.fields",
		body.Bytes()))
	if err != nil {
		j.t.Fatal(err)
	}
	var found []map[int]bool
	for _, response := range answer.GetArray("responses") {
		if response.GetInt("status") != http.StatusOK || response.GetInt("_shards", "failed") > 0 {
			found = append(found, nil)
			continue
		}
		ids := map[int]bool{}
		for _, hit := range response.GetArray("hits", "hits") {
			ids[hit.GetInt("fields", "id", "0")] = true
		}
		found = append(found, ids)
	}
	return found
}
