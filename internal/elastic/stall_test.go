package elastic

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"esrule/internal/estest"
)

// hasty makes a client wait less than it does.
func hasty(c *Client) {
	c.transport.patience = patience{
		answer: quietFor + 3*time.Second, again: quietFor, body: quietFor + time.Second,
	}
}

// TestAliveAndSilent: a node that answers questions and leaves searches, or large answers,
// unanswered is waited for once or twice; then it is left for a while, by both clients, and the log
// names it.
func TestAliveAndSilent(t *testing.T) {
	server := estest.For(t)
	index := server.Index("a")
	server.Bulk(index, `{"text":"`+strings.Repeat("x", 100_000)+`"}`)
	f := func(name, request string, spoil func(http.ResponseWriter, *http.Request) bool,
		small string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			var well atomic.Bool
			sick := gateway(t, server.URL, func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPost {
					asked.Add(1)
				}
				return !well.Load() && spoil(w, r)
			}).URL
			c, log := clientFor(t, Config{Addresses: []string{sick, server.URL}})
			hasty(c)
			var waited atomic.Int64
			ctx := WithStalls(t.Context(), func(d time.Duration) { waited.Add(int64(d)) })
			search := func() {
				t.Helper()
				for attempt := range 3 {
					code, text, err := ask(ctx, c, http.MethodPost, "/"+index+"/_search", `{}`)
					if err == nil && code == http.StatusOK && strings.Contains(text, `"took"`) {
						return
					} else if attempt == 2 {
						t.Fatalf("got status %d, %.100q, error %v", code, text, err)
					}
				}
			}
			for n := range 10 {
				search()
				if n%3 > 0 { // so that the next search begins with another address
					continue
				}
				if code, text, err := ask(t.Context(), c, http.MethodGet, small, ""); err != nil ||
					code != http.StatusOK {
					t.Fatalf("%s: got status %d, %.100q, error %v", small, code, text, err)
				}
			}
			if n := log.count("leaves a request unanswered"); n != stallsToLeave ||
				log.count("address="+sick+" request=\""+request+"\"") != n {
				t.Errorf("the address was named %d times, want %d:\n%s", n, stallsToLeave, log)
			}
			if got := time.Duration(waited.Load()); got < 2*quietFor {
				t.Errorf("the searches tell that they waited %s in vain, want more", got)
			}
			before, began := asked.Load(), time.Now()
			for range 10 {
				search()
				r := Request{Method: http.MethodPost, Path: "/" + index + "/_search"}
				if _, err := Send(t.Context(), c.Requests, r, nil, 0); err != nil {
					t.Fatal(err)
				}
			}
			if took, n := time.Since(began), asked.Load()-before; took > quietFor || n > 0 {
				t.Errorf("10 more searches took %s, and %d asked the address; want none", took, n)
			}
			well.Store(true)
			a := c.transport.addresses.list[0]
			a.mu.Lock()
			a.stalls.until = time.Time{} // its time is over
			a.mu.Unlock()
			for range 4 {
				search()
			}
			if a.hasStalled() || asked.Load() == before || log.count("such requests again") != 1 {
				t.Errorf("the address is not used again:\n%s", log)
			}
		})
	}
	f("searches", "POST _search", func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			hang(r)
		}
		return r.Method == http.MethodPost
	}, "/_cluster/health")
	f("large answers", "POST _search", func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/_search") || r.Method != http.MethodPost {
			return false
		}
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		w.Header().Set("Content-Length", "100000")
		fmt.Fprint(w, strings.Repeat(" ", 50_000))
		w.(http.Flusher).Flush()
		hang(r)
		return true
	}, "/_cluster/health")
}

// TestSilentAndSoonOver: a request that has to be over soon is sent to another address in time.
func TestSilentAndSoonOver(t *testing.T) {
	t.Parallel()
	good := estest.For(t).URL
	sick := gateway(t, good, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			hang(r)
		}
		return r.Method == http.MethodPost
	}).URL
	c, _ := clientFor(t, Config{Addresses: []string{sick, good}})
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
	defer cancel()
	code, text, err := ask(ctx, c, http.MethodPost, searchNothing, `{"size": 0}`)
	if err != nil || code != http.StatusOK {
		t.Errorf("got status %d, %q, error %v", code, text, err)
	}
}
