package search_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"esrule/internal/elastic/search"
	"esrule/internal/estest"
)

// Pages that are asked for ahead hold what they would have held in turn, whatever fails among the
// requests.
func TestLookAhead(t *testing.T) {
	server := estest.For(t)
	index := server.Index("many")
	const documents = 200
	var docs []any
	for n := range documents {
		docs = append(docs, fmt.Sprintf(`{"n":%d,"text":%q}`, n,
			strings.Repeat(fmt.Sprint(n, " "), 1+n%40)))
	}
	server.Bulk(index, docs...)
	// f reads all documents in pages, of which every so many answers are spoiled; want is how many
	// searches a good run takes.
	f := func(pageSize, everyBad int, want int64) {
		t.Helper()
		odd := &faults{spoil: func(n int64, res *http.Response) (*http.Response, error) {
			if everyBad > 0 && n%int64(everyBad) == 0 {
				_ = res.Body.Close()
				return answer(http.StatusBadGateway, `{}`), nil
			}
			return res, nil
		}}
		c := search.NewCluster(server.Through(odd),
			search.Options{PageSize: pageSize, RetryInterval: 1})
		hits, failures := read(t, c, index, search.Request{})
		seen := map[int]bool{}
		for _, h := range hits {
			var d struct {
				N    int
				Text string
			}
			if err := json.Unmarshal(h.source, &d); err != nil ||
				d.Text != strings.Repeat(fmt.Sprint(d.N, " "), 1+d.N%40) || seen[d.N] {
				t.Fatalf("page of %d, every %d. answer bad: %s is no document, or comes twice: %v",
					pageSize, everyBad, bytes.TrimSpace(h.source), err)
			}
			seen[d.N] = true
		}
		if len(seen) != documents || len(failures) > 0 {
			t.Errorf("page of %d, every %d. answer bad: got %d documents and the failures %v, want %d", pageSize, everyBad, len(seen), failures, documents)
		}
		if got := odd.searches.Load(); want > 0 && got != want {
			t.Errorf("page of %d: got %d searches, want %d", pageSize, got, want)
		}
	}
	f(1000, 0, 1) // nothing is asked for in vain
	f(201, 0, 1)
	f(199, 0, 2)
	f(10, 0, 21)
	f(3, 0, 0)
	f(10, 2, 0)
	f(10, 3, 0)
	f(7, 4, 0)
	f(7, 5, 0)
	f(1, 3, 0)
}

// On one processor too, the next page's request is sent before the hits of a page are given out.
func TestLookAheadOnOneProcessor(t *testing.T) {
	server := estest.For(t)
	index := server.Index("one")
	var docs []any
	for n := range 50 {
		docs = append(docs, fmt.Sprintf(`{"n":%d}`, n))
	}
	server.Bulk(index, docs...)
	before := runtime.GOMAXPROCS(1)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	var sent sentSearches
	var got []int64
	eachPage(t, search.NewCluster(server.Through(&sent), search.Options{PageSize: 10}), index,
		search.Request{}, func(page *search.Page) {
			for range page.Hits(nil) {
				got = append(got, sent.count.Load())
				break
			}
		})
	// the last full page does not say that it is the last
	if want := []int64{2, 3, 4, 5, 6}; !slices.Equal(got, want) {
		t.Errorf("searches sent when a page's first hit came: got %v, want %v", got, want)
	}
}

// sentSearches counts the searches that were written to the server.
type sentSearches struct{ count atomic.Int64 }

func (s *sentSearches) RoundTrip(req *http.Request) (*http.Response, error) {
	if strings.HasSuffix(req.URL.Path, "/_search") {
		written := &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) {
			s.count.Add(1)
		}}
		req = req.WithContext(httptrace.WithClientTrace(req.Context(), written))
	}
	return http.DefaultTransport.RoundTrip(req)
}
