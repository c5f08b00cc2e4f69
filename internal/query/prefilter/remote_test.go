package prefilter_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/event"
	"esrule/internal/query/eql"
	"esrule/internal/query/match"
)

// asRemote makes a server a remote cluster of its own, which goes by "self".
func asRemote(t *testing.T, c *estest.Cluster) {
	t.Helper()
	var answer struct {
		Nodes map[string]struct {
			Transport string `json:"transport_address"`
		} `json:"nodes"`
	}
	if err := json.Unmarshal(c.Do("GET", "_nodes?filter_path=nodes.*.transport_address", nil),
		&answer); err != nil {
		t.Fatal(err)
	}
	for _, node := range answer.Nodes {
		c.Do("PUT", "_cluster/settings", map[string]any{"persistent": map[string]any{
			"cluster.remote.self.seeds": []string{node.Transport},
		}})
	}
}

// TestRemote is over the indices of a remote cluster, whose mappings are not told.
func TestRemote(t *testing.T) {
	t.Parallel() // its server takes a while to start
	server := estest.Own(t, estest.Options{})
	asRemote(t, server)
	t.Run("judged", func(t *testing.T) { remoteIsJudged(t, server) })
	t.Run("unknown", func(t *testing.T) { remoteIsUnknown(t, server) })
}

// remoteIsJudged judges the same documents as those of this cluster and as those of a remote one.
func remoteIsJudged(t *testing.T, server *estest.Cluster) {
	n := 0
	f := func(field, condition string, want []int, values ...string) {
		t.Helper()
		n++
		index := server.Index(fmt.Sprint("case-", n))
		server.Create(index, `{"settings": {"number_of_replicas": 0,
			"analysis": {"normalizer": {"low": {"type": "custom", "filter": ["lowercase"]}}}},
			"mappings": {"properties": {"@timestamp": {"type": "date"}, "a": `+field+`,
				"b": {"type": "alias", "path": "a"}}}}`)
		var body strings.Builder
		for i, v := range values {
			body.WriteString(`{"create":{"_id":"` + string(rune('0'+i)) + `"}}` + "\n" + `{"a":` +
				v + "}\n")
		}
		server.Do("POST", index+"/_bulk?refresh=true", body.String())
		for _, name := range []string{index, "self:" + index} {
			a := &asked{t: t, cluster: server, index: name, unjudged: true}
			a.holds(condition, want...)
			if !strings.Contains(field, `"flattened"`) && !strings.Contains(field, `"text"`) {
				a.holds(strings.ReplaceAll(condition, "a ", "b "), want...)
			}
		}
	}
	const low = `{"type": "keyword", "normalizer": "low"}`
	f(`{"type": "keyword"}`, `a == "x"`, []int{0, 2}, `"x"`, `"X"`, `["y", "x"]`, `null`, `""`)
	f(`{"type": "keyword"}`, `a : "x*"`, []int{0, 1}, `"xa"`, `"XB"`, `"ax"`)
	f(`{"type": "keyword"}`, `a == null`, []int{1, 2}, `"x"`, `null`, `[]`, `""`)
	f(`{"type": "keyword"}`, `a : ""`, []int{1}, `"x"`, `""`, `null`)
	f(`{"type": "keyword"}`, `a != "x"`, []int{1, 2}, `"x"`, `"y"`, `null`)
	f(`{"type": "keyword"}`, `a == "ä:b"`, []int{0}, `"ä:b"`, `"Ä:b"`)
	f(`{"type": "keyword", "null_value": "none"}`, `a == "none"`, []int{0, 1}, `null`, `"none"`,
		`"x"`)
	if !strings.HasPrefix(os.Getenv("ESTEST_VERSION"), "7.") { // there it cannot be searched
		f(`{"type": "keyword", "index": false}`, `a == "x"`, []int{0}, `"x"`, `"y"`)
	}
	f(low, `a == "CMD.EXE"`, []int{0, 1}, `"cmd.exe"`, `"Cmd.Exe"`, `"x"`)
	f(low, `a == "Ä:B c"`, []int{0}, `"ä:b C"`, `"x"`)
	f(low, `not a in ("SYSTEM")`, []int{1}, `"system"`, `"other"`)
	f(low, `a like "C*D.E?E"`, []int{0}, `"cMd.exe"`, `"x"`)
	f(low, `a < "B"`, []int{0, 1}, `"A"`, `"a"`, `"b"`, `"B"`)
	f(low, `startsWith(a , "A")`, []int{0}, `"Ab"`, `"b"`)
	f(`{"type": "text", "fields": {"keyword": {"type": "keyword"}}}`, `a == "X y"`, []int{0},
		`"X y"`, `"x y"`)
	f(`{"type": "text", "fields": {"low": `+low+`}}`, `a == "X y"`, []int{0, 1}, `"X y"`, `"x y"`)
	f(`{"type": "long"}`, `a > 5`, []int{1, 2}, `5`, `6`, `"7"`, `null`)
	f(`{"type": "integer"}`, `a == 6`, []int{0, 1}, `6`, `6.9`, `7`)
	f(`{"type": "half_float"}`, `a == 0.1`, []int{0}, `0.1`, `0.2`)
	f(`{"type": "float"}`, `a == 0.1`, []int{0}, `0.1`, `0.2`)
	f(`{"type": "double"}`, `a >= 0.1`, []int{0, 1}, `0.1`, `0.2`, `0.05`)
	f(`{"type": "boolean"}`, `a == true`, []int{0, 1}, `true`, `"true"`, `false`, `""`)
	f(`{"type": "ip"}`, `cidrMatch(a , "10.0.0.0/8")`, []int{0}, `"10.1.2.3"`, `"11.1.2.3"`,
		`"::1"`)
	f(`{"type": "ip"}`, `a == "10.1.2.3"`, []int{0, 1}, `"10.1.2.3"`, `"::ffff:10.1.2.3"`, `"::1"`)
	f(`{"type": "date"}`, `a > "2026-01-02"`, []int{1}, `"2026-01-02T12:00:00Z"`,
		`"2026-01-03T12:00:00Z"`, `null`)
	f(`{"type": "date", "format": "yyyy/MM/dd HH:mm"}`, `a >= "2026/01/02 03:04"`, []int{0, 1},
		`"2026/01/02 03:04"`, `"2026/01/03 00:00"`, `"2026/01/01 00:00"`)
	f(`{"type": "date", "format": "epoch_second"}`, `a == "1767225600"`, []int{0}, `1767225600`,
		`1767225601`)
	f(`{"type": "date_nanos"}`, `a > "2026-01-02T00:00:00.000000001Z"`, []int{1},
		`"2026-01-02T00:00:00.000000001Z"`, `"2026-01-02T00:00:00.000000002Z"`)
	f(`{"type": "flattened"}`, `a.k == "x"`, []int{0}, `{"k": "x"}`, `{"l": "x"}`)
	f(`{"type": "flattened"}`, `a : "*x*"`, []int{0, 1}, `{"k": "x"}`, `{"l": {"m": "axb"}}`,
		`{"x": "y"}`)
}

// remoteIsUnknown: where values or constants are not told across clusters, the index is not
// judged.
func remoteIsUnknown(t *testing.T, server *estest.Cluster) {
	cluster := search.NewCluster(server.Client, search.Options{})
	n := 0
	f := func(field, condition string, unknown bool) {
		t.Helper()
		n++
		index := server.Index(fmt.Sprint("unknown-", n))
		server.Create(index, `{"mappings": {"properties": {"a": `+field+`}}}`)
		q, err := eql.Parse("any where " + condition)
		if err != nil {
			t.Fatal(err)
		}
		var fields event.Fields
		matcher, err := match.Compile(q, &fields, match.Options{})
		if err != nil {
			t.Fatal(err)
		}
		classes, err := cluster.Mappings(t.Context(), []string{"self:" + index}, fields.Paths())
		if err == nil {
			classes, err = cluster.Normalize(t.Context(), classes, matcher.Texts())
		}
		if err != nil || len(classes) != 1 ||
			!slices.Equal(classes[0].Indices, []string{"self:" + index}) {
			t.Fatalf("%s: %v, %+v", field, err, classes)
		}
		if got := classes[0].Mapping.Unknown; (len(got) > 0) != unknown {
			t.Errorf("%s over %s: not known: %q, want %v", condition, field, got, unknown)
		}
	}
	f(`{"type": "keyword"}`, `a == "x"`, false)
	f(`{"type": "keyword"}`, `c == "x"`, false) // not mapped
	f(`{"type": "keyword", "doc_values": false}`, `a == "x"`, true)
	f(`{"type": "keyword", "index": false, "doc_values": false}`, `a == "x"`, true)
	f(`{"type": "text"}`, `a == "x"`, true)
	f(`{"type": "text", "fields": {"k": {"type": "keyword"}, "l": {"type": "keyword"}}}`,
		`a == "x"`, true)
	f(`{"type": "nested", "properties": {"k": {"type": "keyword"}}}`, `a.k == "x"`, true)
	f(`{"type": "geo_point"}`, `a == "x"`, true)
}
