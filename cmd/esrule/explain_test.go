package main

import (
	"strings"
	"testing"

	"esrule/internal/estest"
	"esrule/internal/query/search"
)

func TestMappingOf(t *testing.T) {
	server := estest.For(t)
	f := func(index, want string) {
		t.Helper()
		_, err := indexReader{search.NewCluster(server.Client, search.Options{})}.mappingOf(t.Context(), index, []string{"a"})
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
