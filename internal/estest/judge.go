package estest

import (
	"encoding/json"
	"net/http"
	"testing"
)

// Judge gives a test a server that esrule is compared with, as For does.
type Judge func(testing.TB) *Cluster

// EachJudge runs a test on every server that esrule is compared with, as a subtest of the server's
// name: For's, and where that lacks field types (Elasticsearch's test distribution does) an
// OpenSearch, which has them.
func EachJudge(t *testing.T, test func(t *testing.T, judge Judge)) {
	t.Helper()
	run := func(judge Judge) {
		name := judge(t).name()
		t.Run(name, func(t *testing.T) {
			t.Logf("the judge is %s", name)
			test(t, judge)
		})
	}
	run(For)
	if !For(t).Has("wildcard", json.RawMessage(`{"properties":{"f":{"type":"wildcard"}}}`)) {
		run(openSearch)
	}
}

// name is the server's product and version.
func (c *Cluster) name() string {
	c.t.Helper()
	var answer struct {
		Nodes map[string]struct{ Version string }
	}
	c.decode(c.Do(http.MethodGet, "_nodes/_local?filter_path=nodes.*.version", nil), &answer)
	name := string(productElasticsearch)
	if c.IsOpenSearch() {
		name = string(productOpenSearch)
	}
	for _, node := range answer.Nodes {
		name += " " + node.Version
	}
	return name
}
