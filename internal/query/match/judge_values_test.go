package match_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/valyala/fastjson"

	"esrule/internal/estest"
	"esrule/internal/estest/pushdown"
	"esrule/internal/event"
	"esrule/internal/query/match"
)

// TestJudgeEveryValue lets a server judge every pair of an awkward value and an awkward constant,
// on every type, by equality and order. TestJudgeTypes meets such pairs too seldom. What the server
// refuses is not compared.
func TestJudgeEveryValue(t *testing.T) {
	estest.EachJudge(t, func(t *testing.T, judge estest.Judge) {
		cluster := judge(t)
		types := typesOf(cluster)
		for _, name := range slices.Sorted(maps.Keys(types)) {
			judgeEveryValue(t, cluster, name, types[name])
		}
	})
}

func judgeEveryValue(t *testing.T, cluster *estest.Cluster, name string, kind judgedType) {
	t.Helper()
	kind = kind.awkward(name)
	if cluster.IsOpenSearch() {
		kind = kind.onOpenSearch(name)
	}
	index := cluster.Index(strings.ReplaceAll("every-"+name, "_", "-"))
	cluster.Create(index, `{"settings":{"number_of_shards":1,"number_of_replicas":0},"mappings":{"dynamic":false,
		"properties":{"n":{"type":"long"},"f":{"type":"`+name+`"`+kind.parameters(name)+`}}}}`)
	documents := taken(cluster, index, kind.values)
	mapping := &event.Mapping{Fields: map[string]event.FieldMapping{"f": kind.field(name)}}
	var conditions []string
	var queries []pushdown.Query
	for _, constant := range kind.constants {
		for _, op := range []string{"==", "<", "<=", ">", ">="} {
			condition := "f " + op + " " + constant
			matcher, _ := compile(t, "any where "+condition, match.Options{})
			query, err := pushdown.Translate(matcher.Condition(), mapping)
			if err != nil {
				t.Log(condition, err)
				continue
			}
			conditions, queries = append(conditions, condition), append(queries, query)
		}
	}
	pairs, refused := 0, 0
	for i, found := range searchAll(t, cluster, index, queries) {
		if found == nil {
			refused++
			continue
		}
		matcher, e := compile(t, "any where "+conditions[i], match.Options{})
		for n, d := range documents {
			pairs++
			read(t, e, mapping, d)
			if got := matcher.Match(e); got != found[n] {
				t.Errorf("%s: %s of %s: got %v, want %v, as the server has it", name, conditions[i],
					d, got, found[n])
			}
		}
	}
	t.Logf("%s: %d pairs; %d of %d conditions refused by the server", name, pairs, refused,
		len(conditions))
}

// awkward adds the awkward values and constants, as far as the server's answer is esrule's too
// (docs/eql.md).
func (k judgedType) awkward(name string) judgedType {
	k.values, k.constants = slices.Concat(k.values, awkwardValues),
		slices.Concat(k.constants, awkwardConstants)
	switch name {
	case "constant_keyword": // it refuses documents with other values
		k.values = []string{`"ab"`}
	case "byte", "integer": // 0 is both below and above it
		k.constants = without(k.constants, `"NaN"`)
	case "scaled_float": // beyond what it can hold
		k.constants = without(k.constants, `"NaN"`, `"Infinity"`, "1e300", "9223372036854775808",
			`"18446744073709551616"`)
	case "wildcard": // ordered by something else than bytes beyond ASCII
		k.values = without(k.values, `"é"`, `"É"`, `"😀"`)
		k.constants = without(k.constants, `"é"`, `"É"`, `"😀"`)
	}
	return k
}

// taken indexes a document for each value and returns those that the server takes, by their
// numbers.
func taken(cluster *estest.Cluster, index string, values []string) map[int]string {
	documents := map[int]string{}
	var body strings.Builder
	for n, value := range values {
		document := fmt.Sprintf(`{"n":%d,"f":%s}`, n, value)
		documents[n] = document
		fmt.Fprintf(&body, "{\"create\":{}}\n%s\n", document)
	}
	answer := fastjson.MustParseBytes(cluster.Do("POST", index+"/_bulk?refresh=true",
		body.String()))
	for n, item := range answer.GetArray("items") {
		if item.GetInt("create", "status") >= 300 {
			delete(documents, n)
		}
	}
	return documents
}

// searchAll yields for each query the numbers of the documents that the server finds, nil where it
// refuses the query.
func searchAll(t *testing.T, cluster *estest.Cluster, index string,
	queries []pushdown.Query) []map[int]bool {
	t.Helper()
	var body strings.Builder
	lines := json.NewEncoder(&body)
	for _, query := range queries {
		body.WriteString("{}\n")
		if err := lines.Encode(map[string]any{"query": query, "size": 1000, "_source": false,
			"docvalue_fields": []string{"n"}}); err != nil {
			t.Fatal(err)
		}
	}
	answer := fastjson.MustParseBytes(cluster.Do("POST", index+"/_msearch", body.String()))
	var all []map[int]bool
	for _, response := range answer.GetArray("responses") {
		if response.Exists("error") {
			all = append(all, nil)
			continue
		}
		found := map[int]bool{}
		for _, hit := range response.GetArray("hits", "hits") {
			found[hit.GetInt("fields", "n", "0")] = true
		}
		all = append(all, found)
	}
	return all
}

var awkwardValues = []string{`""`, `" "`, "0", "-0.0", `"-0"`, "1", "-1", `"1"`, "1.0", `"1.0"`,
	"1e0", "4.7", `"NaN"`, `"Infinity"`, "true", `"TRUE"`, `"true"`, "false",
	"2147483648", `"20250101120000"`, `"9223372036854775808"`, `"18446744073709551616"`, "1e300",
	`"x"`, `"\u0000"`, `"\ufeff1"`, `"٣"`, `"443 "`, `"4\t"`, `"+1"`, `"0x10"`,
	`"1.2.3"`, `"1.2.3-1"`, `"10.0.0.1"`, `"fd00::1"`, `"fe80::1%eth0"`, `"256.0.0.1"`,
	`"2026-01-02"`, `"1960-01-01"`, `"2300-01-01"`, `"é"`, `"É"`, `"😀"`, `"K"`, `["",1]`, `[]`,
	"null"}

var awkwardConstants = []string{`""`, `" "`, "0", "-0.0", `"-0"`, "1", "-1", `"1"`, "1.0", `"1.0"`,
	"4.5", `"4.5"`, `"NaN"`, `"Infinity"`, "true", `"TRUE"`, `"true"`, "false",
	"2147483648", "-2147483649", `"20250101120000"`, "20250101120000", "9223372036854775808",
	`"18446744073709551616"`, "1e300", `"x"`, `"\u{00}"`, `"٣"`, `"443 "`, `"+1"`, `"0x10"`,
	`"1.2.3"`, `"1.2.3-1"`, `"10.0.0.1"`, `"fd00::1"`, `"fe80::1%eth0"`, `"256.0.0.1"`,
	`"10.0.0.0/33"`, `"2026-01-02"`, `"1960-01-01"`, `"2300-01-01"`, `"2026-02-30"`, `"é"`, `"É"`,
	`"😀"`, `"K"`}
