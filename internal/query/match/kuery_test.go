package match_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/valyala/fastjson"

	"esrule/internal/estest"
	"esrule/internal/event"
	"esrule/internal/query/kql"
	"esrule/internal/query/match"
)

// kueryCases are queries with the documents that Elasticsearch returned for them.
type kueryCases struct {
	Mapping map[string]struct {
		Type        string
		LC          bool   // with a normalizer to lower case, over Src
		Src         string // the field that has the values
		IgnoreAbove int    `json:"ignore_above"`
	}
	Docs    []json.RawMessage
	Queries []struct {
		KQL string
		IDs []int
	}
	ServerErrors []struct{ KQL string } `json:"server_errors"`
}

func readKueryCases(t *testing.T) (cases kueryCases, mapping *event.Mapping) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(estest.Corpus(t), "kql", "kuery-cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Eval kueryCases }
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	mapping = &event.Mapping{Fields: map[string]event.FieldMapping{}}
	for path, f := range all.Eval.Mapping {
		m := event.FieldMapping{Type: event.TypeOf(f.Type), Name: f.Type, SourcePath: f.Src,
			IgnoreAbove: f.IgnoreAbove}
		if f.LC {
			m.Normalizer = &event.Normalizer{Name: "lowercase", Lowercase: true}
		}
		mapping.Fields[path] = m
	}
	for i, d := range all.Eval.Docs {
		all.Eval.Docs[i] = withoutIgnored(t, d)
	}
	return all.Eval, mapping
}

// withoutIgnored leaves the values of obj.k2 out that are too long for the index: those are there
// for the matcher, on purpose.
func withoutIgnored(t *testing.T, document []byte) []byte {
	t.Helper()
	d, err := fastjson.ParseBytes(document)
	if err != nil {
		t.Fatal(err)
	}
	null := fastjson.MustParse("null")
	objects := []*fastjson.Value{d.Get("obj")}
	if objects[0] != nil && objects[0].Type() == fastjson.TypeArray {
		objects = objects[0].GetArray()
	}
	for _, o := range objects {
		if len(o.GetStringBytes("k2")) > 12 {
			o.Set("k2", null)
		}
		for i, item := range o.GetArray("k2") {
			if len(item.GetStringBytes()) > 12 {
				o.Get("k2").SetArrayItem(i, null)
			}
		}
	}
	return d.MarshalTo(nil)
}

// TestKueryConformance holds the matcher to Elasticsearch's answers to Kibana's DSL.
func TestKueryConformance(t *testing.T) {
	cases, mapping := readKueryCases(t)
	for _, c := range cases.Queries {
		got := acceptedOf(t, c.KQL, mapping, cases.Docs)
		if !slices.Equal(got, c.IDs) {
			t.Errorf("%s:\n got %v\nwant %v", c.KQL, got, c.IDs)
		}
	}
	t.Logf("%d queries, %d documents", len(cases.Queries), len(cases.Docs))
}

// TestKueryScan holds what is judged without a mapping to the same answers, but for queries of
// which only a mapping says that t has words, that n has numbers where they are written in quotes,
// and that d has milliseconds (which a year names too).
func TestKueryScan(t *testing.T) {
	cases, _ := readKueryCases(t)
	needsMapping := regexp.MustCompile(`\bt[:<>]|n:.*22\.0|d.*2024(-01)?(\)|$| [^0]| or)`)
	judged := 0
	for _, c := range cases.Queries {
		if needsMapping.MatchString(c.KQL) {
			continue
		}
		judged++
		if got := acceptedOf(t, c.KQL, nil, cases.Docs); !slices.Equal(got, c.IDs) {
			t.Errorf("%s:\n got %v\nwant %v", c.KQL, got, c.IDs)
		}
	}
	t.Logf("%d of %d queries need no mapping", judged, len(cases.Queries))
}

// acceptedOf returns the places of the documents that satisfy a query.
func acceptedOf(t *testing.T, query string, mapping *event.Mapping,
	documents []json.RawMessage) []int {
	t.Helper()
	q, err := kql.Parse(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	var fields event.Fields
	m, err := match.Compile(q, &fields, match.Options{})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	set := match.NewSet(&fields, []*match.Matcher{m})
	e := match.NewEvaluation(&fields, time.Now())
	accepted := []int{}
	for i, d := range documents {
		read(t, e, mapping, string(d))
		candidate := false
		set.Candidates(e, func(int) { candidate = true })
		holds := m.Match(e)
		if holds {
			accepted = append(accepted, i)
		}
		if holds && !candidate {
			t.Errorf("%s on %s: the set misses it", query, d)
		}
		if explained := m.Explain(e).Holds; explained != holds {
			t.Errorf("%s on %s: Match says %v, Explain %v", query, d, holds, explained)
		}
	}
	return accepted
}
