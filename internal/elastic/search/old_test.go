package search_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"esrule/internal/elastic"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
)

// before816 refuses a parameter of the opening of a point in time, as a server before 8.16 does.
type before816 struct {
	next     http.RoundTripper
	openings atomic.Int64 // all that were asked for
}

func (b *before816) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodPost || !strings.HasSuffix(req.URL.Path, "/_pit") {
		return b.next.RoundTrip(req)
	}
	b.openings.Add(1)
	if !req.URL.Query().Has("allow_partial_search_results") {
		return b.next.RoundTrip(req)
	}
	return answer(http.StatusBadRequest,
		`{"error":{"type":"illegal_argument_exception","reason":"request [`+
			req.URL.Path+`] contains unrecognized parameter: [allow_partial_search_results]"},"status":400}`), nil
}

// TestOldServerRefusesOnce: what a server does not know is asked of it once, not at each opening.
func TestOldServerRefusesOnce(t *testing.T) {
	server := estest.For(t)
	server.Bulk(server.Index("a"), `{"k":"x"}`)
	dialect := new(elastic.Dialect)
	f := func(want int64) {
		t.Helper()
		old := &before816{next: http.DefaultTransport}
		c := search.NewCluster(server.Through(old), search.Options{Dialect: dialect})
		for range 3 {
			hits, failures := read(t, c, server.Index("a"), search.Request{})
			if len(hits) != 1 || len(failures) > 0 {
				t.Errorf("got %d hits and the failures %v, want 1 hit", len(hits), failures)
			}
		}
		if got := old.openings.Load(); got != want {
			t.Errorf("got %d requests for 3 points in time, want %d", got, want)
		}
	}
	f(4) // the parameter is refused once
	f(3) // the dialect knows that
}
