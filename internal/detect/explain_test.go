package detect

import (
	"strings"
	"testing"

	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/event"
	"esrule/internal/query/eql"
	"esrule/internal/query/match"
	"esrule/internal/query/rule"
)

func TestMappingOf(t *testing.T) {
	server := estest.For(t)
	query, err := eql.Parse(`any where a == "x"`)
	if err != nil {
		t.Fatal(err)
	}
	d := &Detection{Rule: &rule.Rule{}, Fields: &event.Fields{}}
	m, err := match.Compile(query, d.Fields, match.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d.Matchers = []*match.Matcher{m}
	f := func(index, want string) {
		t.Helper()
		_, err := indexReader{search.NewCluster(server.Client,
			search.Options{})}.mappingOf(t.Context(), index, d)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got the error %v, want %q", index, err, want)
		}
	}
	server.Create(server.Index("one"), `{"mappings":{"properties":{"a":{"type":"keyword"}}}}`)
	server.Create(server.Index("other"), `{"mappings":{"properties":{"a":{"type":"long"}}}}`)
	f(server.Index("one"), "")
	f(server.Index("none"), "no open index")
	f(server.Index("none-*"), "no open index")
	f(server.Index("o*"), "2 kinds of indices")
}
