package search_test

import (
	"testing"

	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
)

// TestNoPatterns: no patterns stand for no indices. In the path of a request, none are all.
func TestNoPatterns(t *testing.T) {
	server := estest.For(t)
	server.Bulk(server.Index("a"), `{"n":1}`)
	c := search.NewCluster(server.Client, search.Options{})
	if all, err := c.Standings(t.Context(), nil); err != nil || len(all) != 0 {
		t.Errorf("Standings: got %d indices, error %v, want none", len(all), err)
	}
	if classes, err := c.Mappings(t.Context(), nil, []string{"n"}); err != nil ||
		len(classes) != 0 {
		t.Errorf("Mappings: got %+v, error %v, want none", classes, err)
	}
	if n, err := c.Count(t.Context(), nil, dsl.Exists("n")); err != nil || n.Documents != 0 {
		t.Errorf("Count: got %+v, error %v, want nothing", n, err)
	}
	pit, err := c.OpenPointInTime(t.Context(), nil)
	if err != nil || !pit.Empty() {
		t.Fatalf("OpenPointInTime: got %+v, error %v, want an empty one", pit, err)
	}
	for page, err := range pit.Pages(t.Context(), search.Request{Query: dsl.Exists("n")}) {
		t.Errorf("Pages: got %+v, error %v, want none", page, err)
	}
	if err := pit.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
}
