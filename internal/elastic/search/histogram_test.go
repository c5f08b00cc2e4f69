package search_test

import (
	"slices"
	"testing"
	"time"

	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
)

func TestHistogram(t *testing.T) {
	server := estest.For(t)
	c := search.NewCluster(server.Client, search.Options{})
	index := server.Index("dated")
	server.Create(index, map[string]any{"mappings": map[string]any{"properties": map[string]any{"@timestamp": map[string]string{"type": "date"}, "user": map[string]string{"type": "keyword"}}}})
	start := time.Date(2021, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, after := range []time.Duration{0, time.Second, 59 * time.Second, time.Minute,
		time.Hour} {
		server.Bulk(index, map[string]any{"@timestamp": start.Add(after).Format(time.RFC3339),
			"user": "a"})
	}
	server.Bulk(index, map[string]any{"@timestamp": start.Format(time.RFC3339), "user": "b"})
	got, err := c.Histogram(t.Context(), []string{index},
		dsl.Term("user", "a", false), "@timestamp", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	want := []search.Bucket{{From: start, Documents: 3},
		{From: start.Add(time.Minute), Documents: 1}, {From: start.Add(time.Hour), Documents: 1}}
	if !slices.Equal(got.Buckets, want) || len(got.Failures) > 0 {
		t.Errorf("got %v and the failures %v, want %v", got.Buckets, got.Failures, want)
	}
	if got, err = c.Histogram(t.Context(), []string{server.Index("none*")}, dsl.Everything(),
		"@timestamp",
		time.Minute); err != nil || len(got.Buckets) > 0 {
		t.Errorf("no index: got %v, %v", got, err)
	}
}

func TestClosed(t *testing.T) {
	server := estest.For(t)
	c := search.NewCluster(server.Client, search.Options{})
	open, closed := server.Index("state-open"), server.Index("state-closed")
	for _, index := range []string{open, closed} {
		server.Create(index, nil)
	}
	if res, err := server.Client.Indices.Close([]string{closed}); err != nil || res.IsError() {
		t.Fatal(res, err)
	}
	f := func(pattern string, want ...string) {
		t.Helper()
		if got, err := c.Closed(t.Context(), []string{pattern}); err != nil ||
			!slices.Equal(got, want) {
			t.Errorf("%s: got %q, %v, want %q", pattern, got, err, want)
		}
	}
	f(open)
	f(closed, closed)
	f(server.Index("state-*"), closed)
	// An alias whose targets are open and closed: a request that ignores what is unavailable drops
	// the closed.
	alias := server.Index("alias")
	server.Do("POST", "_aliases", `{"actions":[{"add":{"indices":["`+open+`","`+closed+
		`"],"alias":"`+alias+`"}}]}`)
	f(alias, closed)
	if got, err := c.Indices(t.Context(),
		[]string{closed, server.Index("none"), alias}); err != nil ||
		!slices.Equal(got, []string{open}) {
		t.Errorf("the indices that a search reads: got %q, %v, want %q", got, err, open)
	}
	f(server.Index("nothing-*"))
}
