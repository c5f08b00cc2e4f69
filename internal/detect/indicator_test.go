package detect_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"esrule/internal/detect/indicator"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/event"
	"esrule/internal/query/match"
	"esrule/internal/query/prefilter"
)

// indicatorTypes are the types of the events' fields, by their names.
const indicatorTypes = `{"mappings":{"properties":{
	"k": {"type":"keyword"}, "short": {"type":"keyword","ignore_above":3},
	"lower": {"type":"keyword","normalizer":"lowercase"}, "w": {"type":"wildcard"},
	"t": {"type":"text","fields":{"raw":{"type":"keyword","ignore_above":3}}},
	"words": {"type":"text"}, "ip": {"type":"ip","ignore_malformed":true},
	"l": {"type":"long","ignore_malformed":true}, "d": {"type":"double","ignore_malformed":true},
	"f": {"type":"float","ignore_malformed":true}, "b": {"type":"boolean"},
	"u": {"type":"unsigned_long","ignore_malformed":true},
	"byte": {"type":"byte","ignore_malformed":true}, "c": {"type":"constant_keyword",
	"value":"abc"}, "flat": {"type":"flattened"}, "alias": {"type":"alias","path":"ip"}}}}`

// TestIndicatorsOfEveryType holds on a real server that the join of one value is what a term query
// for the indicator finds, and that the pre-filter of the set loses none of it.
func TestIndicatorsOfEveryType(t *testing.T) {
	c := estest.For(t)
	index := c.Index("types")
	mapping := indicatorTypes
	if !hasWildcard(c) {
		mapping = strings.Replace(mapping, `"wildcard"`, `"keyword"`, 1)
		mapping = strings.Replace(mapping, `"constant_keyword",
	"value":"abc"`, `"keyword"`, 1)
		mapping = strings.Replace(mapping, `"unsigned_long"`, `"long"`, 1)
	}
	c.Create(index, mapping)
	values := []string{`"abc"`, `"ABC"`, `"abcd"`, `"10.0.0.1"`, `"::ffff:10.0.0.1"`,
		`"2001:DB8::1"`, `"2001:db8:0::1"`, `1`, `"1"`, `1.0`, `"1.5"`, `-1`, `true`, `"false"`,
		`0.1`, `18446744073709551615`, `9007199254740993`, `300`, `""`, `["abc",5]`, `"a b"`,
		`"1e2"`, `100`, `"` + strings.Repeat("x", 200) + `"`}
	indicators := []string{"abc", "ABC", "abcd", "10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1",
		"10.0.0.0/8", "2001:db8::/32", "10.0.0.9/30", "1", "1.0", "1.5", "-1", "true", "false",
		"0.1", "18446744073709551615", "9007199254740993", "9007199254740992", "300", "5", "a b",
		"1e2", "100", strings.Repeat("x", 200), "0", "a", "10.0.0.0/33", "1/2"}
	fields := []string{"k", "short", "lower", "w", "t", "words", "ip", "l", "d", "f", "b", "u",
		"byte", "c", "flat", "alias", "unmapped"}
	var documents []any
	for _, field := range fields {
		if field == "c" || field == "alias" {
			continue
		}
		for _, value := range values {
			if field == "b" && value != `true` && value != `"false"` {
				continue
			}
			document := fmt.Sprintf(`{%q:%s}`, field, value)
			if field == "flat" {
				document = fmt.Sprintf(`{"flat":{"x":%s}}`, value)
			}
			documents = append(documents, document)
		}
	}
	c.Bulk(index, documents...)
	c.Refresh(index)
	cluster := search.NewCluster(c.Client, search.Options{})
	for _, field := range fields {
		path := field
		if field == "flat" {
			path = "flat.x"
		}
		judgeField(t, c, cluster, index, path, indicators)
	}
}

func hasWildcard(c *estest.Cluster) bool {
	return strings.Contains(string(c.Do("GET", "_nodes/plugins", "")), "x-pack-wildcard")
}

// judgeField compares the join of each indicator with what the server finds, and looks for what the
// pre-filter of all of them loses.
func judgeField(t *testing.T, c *estest.Cluster, cluster *search.Cluster, index, path string,
	indicators []string) {
	t.Helper()
	fields := &event.Fields{}
	plan := indicator.Compile([][]indicator.Pair{{{Field: path, Indicator: "v"}}}, fields)
	classes, err := cluster.Mappings(t.Context(), []string{index}, fields.Paths())
	if err != nil || len(classes) != 1 {
		t.Fatal(classes, err)
	}
	m := classes[0].Mapping
	if unknown := plan.Unknown(m); len(unknown) > 0 {
		t.Errorf("%s: %v", path, unknown)
	}
	all := setOf(t, plan, indicators...)
	sets := map[string]*indicator.Set{}
	for _, one := range indicators {
		sets[one] = setOf(t, plan, one)
	}
	filter := prefilter.Build(plan.Condition(all, m), m).Clause
	text, err := json.Marshal(filter)
	if err != nil {
		t.Fatal(err)
	}
	candidates := found(t, c, index, string(text))
	matched, documents := map[string]map[string]bool{}, map[string]string{}
	pit, err := cluster.OpenPointInTime(t.Context(), []string{index})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pit.Close(t.Context()) }()
	e := match.NewEvaluation(fields, time.Now())
	wanted := search.Want(m, fields.Paths())
	for page, err := range pit.Pages(t.Context(), search.Request{Fields: wanted}) {
		if err != nil {
			t.Fatal(err)
		}
		for hit := range page.Hits(nil) {
			if err := e.Read(m, hit.Document()); err != nil {
				t.Fatal(err)
			}
			documents[hit.ID()] = string(hit.Document().Source)
			for one, set := range sets {
				if len(plan.Match(set, e.Event)) > 0 {
					if matched[one] == nil {
						matched[one] = map[string]bool{}
					}
					matched[one][hit.ID()] = true
				}
			}
			if got := len(plan.Match(all, e.Event)) > 0; got && !candidates[hit.ID()] {
				t.Errorf("%s of type %s: the pre-filter loses %s", path, m.Fields[path].Name,
					hit.Document().Source)
			}
		}
	}
	if name := m.Fields[path].Name; name == "text" || name == "" {
		return // whole values, which no query of a text finds
	}
	for _, one := range indicators {
		query, _ := json.Marshal(map[string]any{"term": map[string]any{path: one}})
		want := found(t, c, index, string(query))
		for id, document := range documents {
			if matched[one][id] != want[id] && !isLong(document, m.Fields[path]) {
				t.Errorf("%s of type %s, indicator %s: %s matches: %v, on the server %v", path,
					m.Fields[path].Name, one, document, matched[one][id], want[id])
			}
		}
	}
}

// isLong reports whether a document has a value that is not in the index for its length.
func isLong(document string, f event.FieldMapping) bool {
	return f.IgnoreAbove == 3 && !strings.Contains(document, `["abc",5]`) &&
		len(strings.Trim(document, `{}:"`)) > len(`short":"abc`)-2
}

func setOf(t *testing.T, plan *indicator.Plan, texts ...string) *indicator.Set {
	t.Helper()
	fields := &event.Fields{}
	b := indicator.NewBuilder(plan, fields, 0)
	e := event.New(fields)
	for i, text := range texts {
		document, _ := json.Marshal(map[string]string{"v": text})
		if err := e.Read(nil, event.Document{Source: document}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Add(e, indicator.Document{ID: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	return b.Set()
}

// found returns the ids of the documents that a query finds; none where the server refuses it.
func found(t *testing.T, c *estest.Cluster, index, query string) map[string]bool {
	t.Helper()
	var answer struct {
		Hits struct {
			Hits []struct {
				ID string `json:"_id"`
			}
		}
	}
	response, err := c.Client.Search(c.Client.Search.WithIndex(index),
		c.Client.Search.WithBody(strings.NewReader(`{"size":5000,"query":`+query+`}`)))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusBadRequest {
		return nil
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	ids := map[string]bool{}
	for _, h := range answer.Hits.Hits {
		ids[h.ID] = true
	}
	return ids
}
