package search_test

import (
	"net/http"
	"testing"

	"esrule/internal/elastic/search"
	"esrule/internal/estest"
)

// An index that is blocked is named, and keeps nobody from reading the others.
func TestBlockedIndex(t *testing.T) {
	server := estest.For(t)
	for _, name := range []string{"a", "b", "c"} {
		server.Create(server.Index(name),
			`{"mappings": {"properties": {"f": {"type": "keyword"}}}}`)
		server.Bulk(server.Index(name), `{"f": "x"}`)
	}
	c := search.NewCluster(server.Client, search.Options{})
	block := func(index, kind string, on bool) {
		server.Do(http.MethodPut, server.Index(index)+"/_settings",
			map[string]any{"index.blocks." + kind: on})
	}
	f := func(kind string, patterns []string, wantHits int, wantFailures []string,
		wantClasses int) {
		t.Helper()
		block("a", kind, true)
		block("c", kind, true)
		defer block("a", kind, false)
		defer block("c", kind, false)
		for i := range patterns {
			patterns[i] = server.Index(patterns[i])
		}
		pit, err := c.OpenPointInTime(t.Context(), patterns)
		if err != nil {
			t.Errorf("%s, %v: %v", kind, patterns, err)
			return
		}
		hits := 0
		for page, err := range pit.Pages(t.Context(), search.Request{}) {
			if err != nil {
				t.Fatal(err)
			}
			for range page.Hits(nil) {
				hits++
			}
		}
		var failed []string
		for _, failure := range pit.Failures() {
			failed = append(failed, failure.Index)
		}
		var classed []string
		classes, err := c.Mappings(t.Context(), patterns, []string{"f"})
		if err != nil {
			t.Errorf("%s, %v: mappings: %v", kind, patterns, err)
		}
		for _, class := range classes {
			classed = append(classed, class.Indices...)
		}
		if hits != wantHits || len(failed) != len(wantFailures) || len(classed) != wantClasses {
			t.Errorf("%s, %v: got %d hits, failures %v, classes of %v; want %d hits, failures of "+
				"%v, %d indices in classes",
				kind, patterns, hits, failed, classed, wantHits, wantFailures, wantClasses)
		}
		there, err := c.Exists(t.Context(), server.Index("a"))
		if err != nil || !there {
			t.Errorf("%s: a blocked index counts as gone: %v, %v", kind, there, err)
		}
		if indices, err := c.Indices(t.Context(), []string{server.Index("*")}); err != nil ||
			len(indices) == 0 {
			t.Errorf("%s: indices: got %v, %v; want those that may be looked at", kind, indices,
				err)
		}
	}
	server.Do(http.MethodPost, "_aliases", map[string]any{"actions": []any{
		map[string]any{"add": map[string]any{"indices": []string{server.Index("a"),
			server.Index("b")}, "alias": server.Index("alias")}},
		map[string]any{"add": map[string]any{"indices": []string{server.Index("a"),
			server.Index("b")}, "alias": server.Index("filtered"),
			"filter": map[string]any{"term": map[string]string{"f": "x"}}}},
		map[string]any{"add": map[string]any{"indices": []string{server.Index("a"),
			server.Index("b")}, "alias": server.Index("fil"),
			"filter": map[string]any{"term": map[string]string{"f": "x"}}}},
		map[string]any{"add": map[string]any{"indices": []string{server.Index("a"),
			server.Index("b")}, "alias": server.Index("none"),
			"filter": map[string]any{"term": map[string]string{"f": "other"}}}},
	}})
	f("read", []string{"alias"}, 1, []string{"a"}, 1)
	f("read", []string{"alias", "b"}, 1, []string{"a"}, 1)
	f("read", []string{"filtered"}, 1, []string{"a"}, 1)
	f("read", []string{"none"}, 0, []string{"a"}, 1)
	f("read", []string{"fil"}, 0, []string{"a", "b"}, 0) // it cannot be told from filtered
	f("metadata", []string{"alias"}, 2, nil, 1)
	f("metadata", []string{"filtered"}, 2, nil, 1)
	f("read", []string{"*"}, 1, []string{"a", "c"}, 1)
	f("read", []string{"a", "b"}, 1, []string{"a"}, 1)
	f("read", []string{"a"}, 0, []string{"a"}, 0)
	f("metadata", []string{"*"}, 3, nil, 1)
	f("metadata", []string{"a", "b"}, 2, nil, 1)
	f("read_only", []string{"*"}, 3, nil, 3)
	f("write", []string{"*"}, 3, nil, 3)
}
