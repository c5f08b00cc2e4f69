package search_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"esrule/internal/elastic"
	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
)

func TestFailedShardsAreNamed(t *testing.T) {
	server := estest.For(t)
	good, bad, lost := server.Index("good"), server.Index("bad"), server.Index("lost")
	server.Create(good, `{"mappings": {"properties": {"v": {"type": "keyword"}}}}`)
	server.Create(bad, `{"settings": {"number_of_shards": 2}, "mappings": {"properties": {"v": {"type": "long"}}}}`)
	server.Bulk(good, `{"v": "abc"}`, `{"v": "abc"}`, `{"v": "abc"}`)
	server.Bulk(bad, `{"v": 1}`, `{"v": 2}`, `{"v": 3}`, `{"v": 4}`)
	server.Do("PUT", lost+"?wait_for_active_shards=0",
		`{"settings": {"index.routing.allocation.require.no": "node"}}`)
	caseless := search.Request{Query: dsl.Term("v", "abc", true)}
	quick := search.NewCluster(server.Client,
		search.Options{PageSize: 2, RetryInterval: time.Millisecond})

	f := func(pattern string, r search.Request, wantHits int, want ...search.Failure) {
		t.Helper()
		hits, got := read(t, quick, pattern, r)
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(search.Failure{}, "Reason"),
			cmpopts.EquateEmpty(),
			cmpopts.SortSlices(func(a, b search.Failure) bool {
				return a.Index < b.Index
			})); diff != "" || len(hits) != wantHits {
			t.Errorf("%s, %v: got %d hits, want %d; failures (-want +got):\n%s", pattern, r.Query,
				len(hits), wantHits, diff)
		}
		for _, failure := range got {
			if failure.Reason == "" {
				t.Errorf("%s: the failure of %s has no reason", pattern, failure.Index)
			}
		}
	}
	refused := search.Failure{Index: bad, Type: "query_shard_exception"}
	gone := search.Failure{Index: lost, Type: "no_shard_available_action_exception"}
	f(good, caseless, 3)
	f(server.Index("*d"), search.Request{}, 7)
	f(server.Index("*d"), caseless, 3, refused)
	f(server.Index("*o*"), caseless, 3, gone)
	f(server.Index("*"), caseless, 3, refused, gone)
	f(bad, caseless, 0, refused)
	f(lost, caseless, 0, gone)
	f(server.Index("none-*"), caseless, 0)
}

func TestMissingShardsAreKnownWithoutReading(t *testing.T) {
	server := estest.For(t)
	server.Create(server.Index("good"), nil)
	server.Do("PUT", server.Index("lost")+"?wait_for_active_shards=0",
		`{"settings": {"index.routing.allocation.require.no": "node"}}`)
	pit, err := search.NewCluster(server.Client, search.Options{}).OpenPointInTime(t.Context(),
		[]string{server.Index("*")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pit.Close(t.Context()) }()
	if got := pit.Failures(); len(got) != 1 || got[0].Index != server.Index("lost") {
		t.Errorf("got the failures %+v, want one of %s", got, server.Index("lost"))
	}
	classes, err := search.NewCluster(server.Client, search.Options{}).Mappings(t.Context(),
		[]string{server.Index("*")}, []string{"k"})
	if err != nil || len(classes) != 1 || len(classes[0].Indices) != 1 {
		t.Errorf("got the classes %+v and error %v, want the good index alone", classes, err)
	}
}

func TestDeletedIndexFailsAlone(t *testing.T) {
	server := estest.For(t)
	for _, name := range []string{"a", "b"} {
		server.Bulk(server.Index(name), `{}`, `{}`, `{}`)
	}
	pit, err := search.NewCluster(server.Client,
		search.Options{PageSize: 2}).OpenPointInTime(t.Context(), []string{server.Index("*")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pit.Close(t.Context()) }()
	server.Delete(server.Index("a"))
	hits := 0
	for page, err := range pit.Pages(t.Context(), search.Request{}) {
		if err != nil {
			t.Fatal(err)
		}
		for range page.Hits(nil) {
			hits++
		}
	}
	if got := pit.Failures(); hits != 3 || len(got) != 1 || got[0].Index != server.Index("a") {
		t.Errorf("got %d hits and the failures %+v, want 3 hits and a failure of %s", hits, got,
			server.Index("a"))
	}
}

func TestExpiredPointInTime(t *testing.T) {
	server := estest.For(t)
	server.Bulk(server.Index("a"), `{}`, `{}`, `{}`)
	pit, err := search.NewCluster(server.Client,
		search.Options{PageSize: 1}).OpenPointInTime(t.Context(), []string{server.Index("a")})
	if err != nil {
		t.Fatal(err)
	}
	// Its index closed, the server forgets it.
	server.Do("POST", server.Index("a")+"/_close", nil)
	var got error
	for _, err := range pit.Pages(t.Context(), search.Request{}) {
		got = err
	}
	if !errors.Is(got, elastic.ErrPointInTimeExpired) {
		t.Errorf("got the error %v, want %v", got, elastic.ErrPointInTimeExpired)
	}
	if err := pit.Close(t.Context()); err != nil {
		t.Errorf("close an expired point in time: %v", err)
	}
}

func TestRefusedRequests(t *testing.T) {
	server := estest.For(t)
	server.Bulk(server.Index("a"), `{}`)
	c := search.NewCluster(server.Client, search.Options{})
	pit, err := c.OpenPointInTime(t.Context(), []string{server.Index("a")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pit.Close(t.Context()) }()
	var got error
	for _, err := range pit.Pages(t.Context(),
		search.Request{Query: dsl.Range("v", "", map[string]any{"no_such_query": 1})}) {
		got = err
	}
	var refused *elastic.Error
	if !errors.As(got, &refused) || refused.Status != 400 ||
		!strings.Contains(got.Error(), "no_such_query") {
		t.Errorf("got the error %v, want one of status 400 that names the query", got)
	}
}

func TestCount(t *testing.T) {
	server := estest.For(t)
	server.Create(server.Index("bad"), `{"mappings": {"properties": {"v": {"type": "long"}}}}`)
	server.Bulk(server.Index("bad"), `{"v": 1}`)
	server.Bulk(server.Index("good"), `{"v": "x"}`, `{"v": "x"}`)
	c := search.NewCluster(server.Client, search.Options{})
	f := func(query dsl.Clause, want int64, wantFailed ...string) {
		t.Helper()
		got, err := c.Count(t.Context(), []string{server.Index("*")}, query)
		if err != nil {
			t.Fatal(err)
		}
		var failed []string
		for _, failure := range got.Failures {
			failed = append(failed, failure.Index)
		}
		if got.Documents != want || fmt.Sprint(failed) != fmt.Sprint(wantFailed) {
			t.Errorf("%v: got %d, %v failed; want %d, %v", query, got.Documents, failed, want,
				wantFailed)
		}
	}
	f(dsl.Everything(), 3)
	f(dsl.Term("v.keyword", "x", false), 2)
	f(dsl.Term("v", "x", true), 2, server.Index("bad"))
}
