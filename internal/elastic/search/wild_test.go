package search_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"esrule/internal/estest"
)

// A path with a star stands for all fields that fit: sub-fields and aliases too, no objects and no
// metadata.
func TestMappingsOfPatterns(t *testing.T) {
	server := estest.For(t)
	index := server.Index("wild")
	server.Create(index, `{"mappings": {"dynamic": false, "properties": {
		"a": {"properties": {
			"name": {"type": "keyword", "fields": {"text": {"type": "text"}}},
			"deep": {"properties": {"pid": {"type": "long"}}},
			"list": {"type": "nested", "properties": {"b": {"type": "ip"}}}}},
		"ab": {"type": "alias", "path": "a.name"},
		"other": {"type": "keyword"}}}}`)
	f := func(want string, paths ...string) {
		t.Helper()
		m := mappingOf(t, server, index, paths...)
		if got := strings.Join(slices.Sorted(maps.Keys(m.Fields)), " "); got != want {
			t.Errorf("%q: got %s, want %s", paths, got, want)
		}
	}
	f("a.deep.pid a.list.b a.name a.name.text", "a.*")
	f("a.deep.pid other", "*.pid", "other")
	f("a.deep.pid a.list.b a.name a.name.text ab other", "*")
	f("other", "x*", "other")
}
