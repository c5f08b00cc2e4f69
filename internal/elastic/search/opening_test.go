package search_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"esrule/internal/elastic/search"
	"esrule/internal/estest"
)

// TestRequestsOfAnOpening: what the patterns stand for is asked once for an opening, also where the
// point in time holds no shard and the question is needed to believe that.
func TestRequestsOfAnOpening(t *testing.T) {
	server := estest.For(t)
	server.Bulk(server.Index("a"), `{"v": "x"}`)
	f := func(pattern string, wantIndices int, want ...string) {
		t.Helper()
		var got []string
		through := roundTripper(func(req *http.Request) (*http.Response, error) {
			got = append(got, req.Method+" "+kind(req.URL.Path))
			return http.DefaultTransport.RoundTrip(req)
		})
		c := search.NewCluster(server.Through(through), search.Options{})
		patterns := []string{server.Index(pattern)}
		pit, err := c.OpenPointInTime(t.Context(), patterns)
		if err != nil {
			t.Fatal(err)
		}
		all, err := pit.Standings(t.Context(), patterns)
		if err != nil || len(all) != wantIndices {
			t.Errorf("%s: got %v and the error %v, want %d indices", pattern, all, err, wantIndices)
		}
		if err := pit.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: sent %q, want %q", pattern, got, want)
		}
	}
	f("a*", 1, "POST _pit", "GET _settings", "DELETE _pit")
	f("none*", 0, "POST _pit", "DELETE _pit", "GET _settings")
}

// kind is what a path asks for, such as "_pit".
func kind(path string) string {
	for part := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(part, "_") {
			return part
		}
	}
	return path
}
