package search_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
)

// TestLongPatterns: names that do not fit into the first line of a request are searched in
// portions.
func TestLongPatterns(t *testing.T) {
	server := estest.For(t)
	server.Create(server.Index("a"),
		`{"mappings": {"properties": {"f": {"type": "keyword"}, "d": {"type": "date"}}}}`)
	server.Bulk(server.Index("a"), `{"f": "x", "d": 1}`)
	server.Bulk(server.Index("b"), `{"f": "y", "d": 1}`)
	server.Bulk(server.Index("b-old"), `{"f": "z", "d": 1}`)
	patterns := []string{server.Index("a")}
	for i := range 60 {
		patterns = append(patterns, server.Index(fmt.Sprintf("nothing-%030d*", i)))
	}
	patterns = append(patterns, server.Index("b*"), "-"+server.Index("*-old"))
	everyKind(t, search.NewCluster(server.Client, search.Options{}), patterns, 2)
}

// everyKind asks what a run, check and a backfill ask of patterns, and wants so many indices with a
// document each.
func everyKind(t *testing.T, c *search.Cluster, patterns []string, want int) {
	t.Helper()
	pit, err := c.OpenPointInTime(t.Context(), patterns)
	if err != nil {
		t.Fatal(err)
	}
	hits := map[string]bool{}
	for page, err := range pit.Pages(t.Context(), search.Request{}) {
		if err != nil {
			t.Fatal(err)
		}
		for hit := range page.Hits(nil) {
			hits[hit.Index] = true
		}
	}
	if err := pit.Close(t.Context()); err != nil || len(hits) != want || len(pit.Failures()) > 0 {
		t.Errorf("got hits of %v, the failures %v and the error %v; want %d indices", hits,
			pit.Failures(), err, want)
	}
	indices, err := c.Indices(t.Context(), patterns)
	if err != nil || len(indices) != want {
		t.Errorf("got the indices %q and the error %v, want %d", indices, err, want)
	}
	mapped := 0
	classes, err := c.Mappings(t.Context(), patterns, []string{"f"})
	for _, class := range classes {
		mapped += len(class.Indices)
	}
	if err != nil || mapped != want {
		t.Errorf("got %d mappings and the error %v, want %d", mapped, err, want)
	}
	count, err := c.Count(t.Context(), patterns, dsl.Everything())
	if err != nil || count.Documents != int64(want) {
		t.Errorf("got the count %+v and the error %v, want %d", count, err, want)
	}
	histogram, err := c.Histogram(t.Context(), patterns, dsl.Everything(), "d", time.Hour)
	if err != nil || len(histogram.Buckets) != 1 || histogram.Buckets[0].Documents != int64(want) {
		t.Errorf("got the histogram %+v and the error %v, want %d", histogram, err, want)
	}
}

// TestLimitsOfACluster: what a cluster does not do at once is done in portions, or asked for in
// another way.
func TestLimitsOfACluster(t *testing.T) {
	t.Parallel() // its server takes a while to start
	server := estest.Own(t, estest.Options{})
	const indices = 5
	for i := range indices {
		server.Bulk(server.Index(fmt.Sprint("i", i)), `{"f": "abcd", "d": 1}`)
	}
	patterns := []string{server.Index("i*")}
	set := func(settings string) {
		server.Do(http.MethodPut, "_cluster/settings", `{"transient": `+settings+`}`)
	}
	set(`{"action.search.shard_count.limit": 2, "search.default_keep_alive": "30s", "search.max_keep_alive": "40s"}`)
	everyKind(t, search.NewCluster(server.Client, search.Options{}), patterns, indices)
	set(`{"action.search.shard_count.limit": null, "search.default_keep_alive": null, "search.max_keep_alive": null}`)

	set(`{"search.allow_expensive_queries": false}`)
	prefix, everything := dsl.Prefix("f.keyword", "abc", false), dsl.Everything()
	hits, failures := read(t, search.NewCluster(server.Client, search.Options{}), patterns[0],
		search.Request{Query: prefix, Instead: everything})
	if len(hits) != indices || len(failures) > 0 {
		t.Errorf("expensive queries are off: got %d hits and the failures %v, want %d hits",
			len(hits), failures, indices)
	}
	hits, failures = read(t, search.NewCluster(server.Client, search.Options{}), patterns[0],
		search.Request{Query: prefix})
	if len(hits) != 0 || len(failures) != indices {
		t.Errorf("with nothing to ask instead: got %d hits and the failures %v, want a failure "+
			"for each index", len(hits), failures)
	}
	set(`{"search.allow_expensive_queries": null}`)

	server.Do(http.MethodPut, server.Index("i1")+"/_settings", `{"index.max_result_window": 3}`)
	for range 20 {
		server.Bulk(server.Index("i1"), `{"f": "x"}`)
	}
	hits, failures = read(t, search.NewCluster(server.Client, search.Options{}), patterns[0],
		search.Request{})
	if len(hits) != indices+20 || len(failures) > 0 {
		t.Errorf("a small result window: got %d hits and the failures %v, want %d hits", len(hits),
			failures, indices+20)
	}
}

// TestRefusedQuery: an index that cannot run the query is asked for something else, and no other
// is.
func TestRefusedQuery(t *testing.T) {
	server := estest.For(t)
	server.Create(server.Index("ip"), `{"mappings": {"properties": {"f": {"type": "ip"}}}}`)
	server.Bulk(server.Index("ip"), `{"f": "10.0.0.1"}`, `{"f": "10.0.0.2"}`)
	server.Create(server.Index("word"), `{"mappings": {"properties": {"f": {"type": "keyword"}}}}`)
	server.Bulk(server.Index("word"), `{"f": "no address"}`, `{"f": "another"}`)
	term, everything := dsl.Term("f", "no address", false), dsl.Everything()
	hits, failures := read(t, search.NewCluster(server.Client, search.Options{}), server.Index("*"),
		search.Request{Query: term, Instead: everything})
	if len(hits) != 3 || len(failures) > 0 {
		t.Errorf("got %d hits and the failures %v, want 3 hits", len(hits), failures)
	}
	server.Create(server.Index("date"), `{"mappings": {"properties": {"g": {"type": "date"}}}}`)
	server.Bulk(server.Index("date"), `{"g": "2026-01-02"}`)
	hits, failures = read(t, search.NewCluster(server.Client, search.Options{}), server.Index("*"),
		search.Request{Query: dsl.Range("g", "", map[string]any{"gte": "no date"}),
			Instead: everything})
	if len(hits) != 1 || len(failures) > 0 {
		t.Errorf("a range of a date: got %d hits and the failures %v, want 1 hit", len(hits),
			failures)
	}
	asked := func(indices ...string) dsl.Clause { // only the index of words is asked
		if len(indices) > 0 && !slices.Contains(indices, server.Index("word")) {
			return dsl.Clause{}
		}
		return dsl.Named("asked", dsl.And(dsl.Terms("_index", []string{server.Index("word")}),
			dsl.Range("g", "", map[string]any{"gte": "no date"})))
	}
	hits, failures = read(t, search.NewCluster(server.Client, search.Options{}), server.Index("*"),
		search.Request{Query: everything, Instead: everything, Asked: asked})
	if len(hits) != 5 || len(failures) > 0 {
		t.Errorf("a question about another index: got %d hits and the failures %v, want 5 hits",
			len(hits), failures)
	}
}

// TestLongRequests: a gateway that takes no long request is sent shorter ones.
func TestLongRequests(t *testing.T) {
	server := estest.For(t)
	for i := range 8 {
		server.Bulk(server.Index(fmt.Sprint("i", i)), `{"f": "x", "d": 1}`)
	}
	limited := roundTripper(func(req *http.Request) (*http.Response, error) {
		if req.ContentLength > 900 {
			_, _ = io.Copy(io.Discard, req.Body)
			return &http.Response{StatusCode: http.StatusRequestEntityTooLarge, Request: req,
				Body: io.NopCloser(strings.NewReader("<html>413</html>"))}, nil
		}
		return http.DefaultTransport.RoundTrip(req)
	})
	everyKind(t, search.NewCluster(server.Through(limited), search.Options{}),
		[]string{server.Index("i*")}, 8)
}

type roundTripper func(req *http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	return f(req)
}

// TestManyBlockedIndices: names of so many blocked indices do not fit into a request.
func TestManyBlockedIndices(t *testing.T) {
	server := estest.For(t)
	const blocked = 80
	var body strings.Builder // one request makes them all at once, which is far sooner done
	for i := range blocked {
		index := server.Index(fmt.Sprintf("blocked-%040d", i))
		fmt.Fprintf(&body, "{\"create\":{\"_index\":%q}}\n{\"k\":\"x\"}\n", index)
	}
	server.Do(http.MethodPost, "_bulk", body.String())
	server.Do(http.MethodPut, server.Index("blocked-*")+"/_settings", `{"index.blocks.read": true}`)
	server.Bulk(server.Index("free"), `{"f": "x"}`)
	hits, failures := read(t, search.NewCluster(server.Client, search.Options{}), server.Index("*"),
		search.Request{})
	if len(hits) != 1 || len(failures) != blocked {
		t.Errorf("got %d hits and %d failures, want 1 and %d", len(hits), len(failures), blocked)
	}
}

// TestForbiddenSearch: what may not be searched by a point in time is named, and the way on is
// said.
func TestForbiddenSearch(t *testing.T) {
	server := estest.For(t)
	server.Bulk(server.Index("a"), `{"f": "x"}`)
	refusing := &faults{spoil: func(_ int64, res *http.Response) (*http.Response, error) {
		return answer(403, `{"error": {"type": "security_exception", "reason": "unauthorized for [x]"}}`), res.Body.Close()
	}}
	_, failures := read(t, search.NewCluster(server.Through(refusing), search.Options{}),
		server.Index("a"), search.Request{})
	if len(failures) != 1 || failures[0].Index != server.Index("a") ||
		failures[0].Type != search.Forbidden ||
		!strings.Contains(failures[0].Reason, "unauthorized for [x]") ||
		!strings.Contains(failures[0].Reason, "grant") {
		t.Errorf("got the failures %+v, want one of the pattern with what to grant", failures)
	}
}
