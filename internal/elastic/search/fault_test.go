package search_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8"

	"esrule/internal/elastic"
	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
)

// faults stands between a client and the server and spoils some answers to searches.
type faults struct {
	spoil    func(n int64, res *http.Response) (*http.Response, error)
	searches atomic.Int64
}

func (f *faults) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil || !strings.HasSuffix(req.URL.Path, "/_search") {
		return res, err
	}
	return f.spoil(f.searches.Add(1), res)
}

func answer(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{"X-Elastic-Product": {"Elasticsearch"}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// brokenBody ends an answer with an error.
type brokenBody struct {
	io.Reader
	io.Closer
}

func (b brokenBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = syscall.ECONNRESET
	}
	return n, err
}

func TestTransientFaults(t *testing.T) {
	server := estest.For(t)
	index := server.Index("a")
	server.Bulk(index, `{}`, `{}`, `{}`, `{}`, `{}`)
	// f spoils every second answer, so that each page needs two tries.
	f := func(name string, spoil func(res *http.Response) (*http.Response, error)) {
		t.Helper()
		odd := &faults{spoil: func(n int64, res *http.Response) (*http.Response, error) {
			if n%2 == 0 {
				return res, nil
			}
			return spoil(res)
		}}
		c := search.NewCluster(server.Through(odd),
			search.Options{PageSize: 2, RetryInterval: time.Millisecond,
				RequestTimeout: 10 * time.Second})
		hits, failures := read(t, c, index, search.Request{})
		if len(hits) != 5 || len(failures) > 0 || odd.searches.Load() != 6 {
			t.Errorf("%s: got %d hits, the failures %v, %d searches; want 5 hits of 6 searches",
				name, len(hits), failures, odd.searches.Load())
		}
	}
	instead := func(status int, body string) func(res *http.Response) (*http.Response, error) {
		return func(res *http.Response) (*http.Response, error) {
			return answer(status, body), res.Body.Close()
		}
	}
	f("too many requests", instead(429,
		`{"error": {"type": "es_rejected_execution_exception", "reason": "queue full"}, "status": 429}`))
	f("all shards busy", instead(429,
		`{"error": {"type": "search_phase_execution_exception", "reason": "all shards failed",
		"failed_shards": [{"shard": 0, "index": "a", "reason": {"type": "es_rejected_execution_exception", "reason": "queue full"}}]}, "status": 429}`))
	f("unavailable", instead(503, `<html>no server</html>`))
	f("bad gateway", instead(502, ``))
	f("gateway timeout", instead(504, `{"error": "late"}`))
	f("one shard busy", instead(200,
		`{"pit_id": "x", "took": 1, "timed_out": false, "_shards": {"total": 2, "successful": 1, "failed": 1,
		"failures": [{"shard": 0, "index": "a", "reason": {"type": "circuit_breaking_exception", "reason": "too large"}}]}, "hits": {"hits": []}}`))
	f("reset", func(res *http.Response) (*http.Response, error) {
		return nil, errors.Join(syscall.ECONNRESET, res.Body.Close())
	})
	f("reset within the answer", func(res *http.Response) (*http.Response, error) {
		res.Body, res.ContentLength = brokenBody{io.LimitReader(res.Body, 40), res.Body}, -1
		return res, nil
	})
}

// TestNoAnswer: a search that is never answered, or whose answer never ends, is given up and made
// again.
func TestNoAnswer(t *testing.T) {
	server := estest.For(t)
	index := server.Index("a")
	server.Bulk(index, `{}`, `{}`, `{}`)
	stuck := make(chan struct{})
	defer close(stuck)
	f := func(name string, begins int64) {
		t.Helper()
		silence := &faults{spoil: func(n int64, res *http.Response) (*http.Response, error) {
			if n == 1 {
				body := io.MultiReader(io.LimitReader(res.Body, begins),
					stuckReader{stuck, res.Request.Context()})
				res.Body, res.ContentLength = brokenBody{body, res.Body}, -1
			}
			return res, nil
		}}
		c := search.NewCluster(server.Through(silence),
			search.Options{RetryInterval: time.Millisecond, RequestTimeout: 5 * time.Second})
		hits, failures := read(t, c, index, search.Request{})
		if len(hits) != 3 || len(failures) > 0 || silence.searches.Load() < 2 {
			t.Errorf("%s: got %d hits, the failures %v, %d searches; want 3 hits of 2 searches",
				name, len(hits), failures, silence.searches.Load())
		}
	}
	f("no answer", 0)
	f("half an answer", 40)
}

// TestLastingFaults wants what a user is told where trying again did not help.
func TestLastingFaults(t *testing.T) {
	server := estest.For(t)
	index := server.Index("a")
	server.Bulk(index, `{}`)
	f := func(name string, res *http.Response, fault error, want error, wantSearches int64,
		wantText ...string) {
		t.Helper()
		always := &faults{spoil: func(_ int64, original *http.Response) (*http.Response, error) {
			if fault != nil {
				return nil, errors.Join(fault, original.Body.Close())
			}
			spoilt := *res
			return &spoilt, original.Body.Close()
		}}
		c := search.NewCluster(server.Through(always),
			search.Options{RetryInterval: time.Millisecond, Tries: 3})
		pit, err := c.OpenPointInTime(t.Context(), []string{index})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = pit.Close(t.Context()) }()
		var got error
		for _, err := range pit.Pages(t.Context(), search.Request{}) {
			got = err
		}
		if !errors.Is(got, want) || always.searches.Load() != wantSearches {
			t.Errorf("%s: got the error %v after %d searches, want %v after %d", name, got,
				always.searches.Load(), want, wantSearches)
			return
		}
		for _, text := range wantText {
			if !strings.Contains(got.Error(), text) {
				t.Errorf("%s: got the error %q, want %q in it", name, got, text)
			}
		}
	}
	f("credentials", answer(401,
		`{"error": {"type": "security_exception", "reason": "unable to authenticate"}}`), nil,
		elastic.ErrUnauthorized, 1, "unable to authenticate", "check")
	f("expired", answer(404,
		`{"error": {"type": "search_phase_execution_exception", "reason": "all shards failed",
		"failed_shards": [{"index": "a", "reason": {"type": "search_context_missing_exception"}}]}}`), nil, elastic.ErrPointInTimeExpired, 1)
	// The fourth asks whether a document is to blame.
	f("reset", nil, syscall.ECONNRESET, elastic.ErrUnreachable, 4, server.URL)
}

func TestTimedOutSearchFailsEveryIndex(t *testing.T) {
	server := estest.For(t)
	server.Bulk(server.Index("a"), `{}`)
	server.Bulk(server.Index("b"), `{}`)
	late := &faults{spoil: func(_ int64, res *http.Response) (*http.Response, error) {
		body, err := io.ReadAll(res.Body)
		return answer(200, strings.Replace(string(body), `"timed_out":false`, `"timed_out":true`,
			1)), err
	}}
	hits, failures := read(t, search.NewCluster(server.Through(late), search.Options{}),
		server.Index("*"), search.Request{})
	if len(hits) != 2 || len(failures) != 2 || failures[0].Index != server.Index("a") ||
		failures[1].Index != server.Index("b") || failures[0].Type != "timed_out" {
		t.Errorf("got %d hits and the failures %+v, want 2 hits and one failure for each index",
			len(hits), failures)
	}
}

func TestUnreachableCluster(t *testing.T) {
	client, err := elasticsearch.NewClient(
		elasticsearch.Config{Addresses: []string{"http://reader:s3cret@127.0.0.1:1"},
			DisableRetry: true})
	if err != nil {
		t.Fatal(err)
	}
	_, got := search.NewCluster(client, search.Options{RetryInterval: time.Millisecond,
		Tries: 2}).OpenPointInTime(t.Context(), []string{"a"})
	if !errors.Is(got, elastic.ErrUnreachable) ||
		!strings.Contains(got.Error(), "http://127.0.0.1:1") {
		t.Errorf("got the error %v, want %v with the address", got, elastic.ErrUnreachable)
	}
	if strings.Contains(got.Error(), "s3cret") || strings.Contains(got.Error(), "reader") {
		t.Errorf("the error tells the credentials: %v", got)
	}
	named := &url.Error{Op: "Get", URL: "http://reader:s3cret@127.0.0.1:1",
		Err: syscall.ECONNREFUSED}
	server := estest.For(t)
	broken := server.Through(&faults{spoil: func(_ int64,
		res *http.Response) (*http.Response, error) {
		return nil, errors.Join(named, res.Body.Close())
	}})
	if _, err := search.NewCluster(broken, search.Options{Tries: 1}).Count(t.Context(),
		[]string{"*"}, dsl.Everything()); strings.Contains(fmt.Sprint(err), "s3cret") {
		t.Errorf("the error tells the credentials: %v", err)
	}
}

// TestLeavingEarly ends the reading of pages in each way there is and wants nothing left running.
func TestLeavingEarly(t *testing.T) {
	server := estest.For(t)
	index := server.Index("a")
	server.Bulk(index, `{}`, `{}`, `{}`, `{}`, `{}`, `{}`)
	stuck := make(chan struct{})
	defer close(stuck)
	f := func(name string, hang bool, leave func(cancel context.CancelFunc, pages int) bool,
		want error) {
		t.Helper()
		client := server.Client
		if hang {
			client = server.Through(&faults{spoil: func(n int64,
				res *http.Response) (*http.Response, error) {
				if n > 1 {
					res.Body = brokenBody{stuckReader{stuck, res.Request.Context()}, res.Body}
				}
				return res, nil
			}})
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		pit, err := search.NewCluster(client, search.Options{PageSize: 1}).OpenPointInTime(ctx,
			[]string{index})
		if err != nil {
			t.Fatal(err)
		}
		before := fetchers()
		var got error
		pages := 0
		for _, err := range pit.Pages(ctx, search.Request{}) {
			pages++
			if got = err; got != nil || leave(cancel, pages) {
				break
			}
		}
		if !errors.Is(got, want) {
			t.Errorf("%s: got the error %v, want %v", name, got, want)
		}
		if after := fetchers(); after > before {
			t.Errorf("%s: %d fetchers still run", name, after-before)
		}
		if err := pit.Close(ctx); err != nil {
			t.Errorf("%s: close behind the context's end: %v", name, err)
		}
	}
	f("break", false, func(_ context.CancelFunc, pages int) bool { return pages == 2 }, nil)
	f("cancel", false, func(cancel context.CancelFunc, pages int) bool { cancel(); return false },
		context.Canceled)
	f("break while the next page hangs", true, func(_ context.CancelFunc, pages int) bool {
		return true
	}, nil)
	f("cancel while the next page hangs", true, func(cancel context.CancelFunc, pages int) bool {
		cancel()
		return false
	}, context.Canceled)
}

// stuckReader gives nothing until its request ends.
type stuckReader struct {
	forever <-chan struct{}
	ctx     context.Context
}

func (s stuckReader) Read([]byte) (int, error) {
	select {
	case <-s.forever:
	case <-s.ctx.Done():
	}
	return 0, io.ErrUnexpectedEOF
}

// fetchers counts the goroutines that fetch pages.
func fetchers() int {
	stacks := make([]byte, 1<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "search.fetchAll(")
}

func TestClock(t *testing.T) {
	server := estest.For(t)
	server.Create(server.Index("empty"),
		`{"mappings": {"properties": {"d": {"type": "date"}, "n": {"type": "date_nanos"}}}}`)
	c := search.NewCluster(server.Client, search.Options{})
	for _, field := range []string{"d", "n"} {
		before := time.Now()
		got, err := c.Now(t.Context(), server.Index("empty"), field)
		if err != nil {
			t.Fatal(err)
		}
		// Any cluster that tests run on keeps the time to the minute.
		if got.Before(before.Add(-time.Minute)) || got.After(time.Now().Add(time.Minute)) {
			t.Errorf("field %s: got %s, want about %s", field, got, before)
		}
	}
	if _, err := c.Now(t.Context(), server.Index("none"), "d"); !errors.Is(err,
		elastic.ErrIndexNotFound) {
		t.Errorf("no index: got the error %v, want %v", err, elastic.ErrIndexNotFound)
	}
}

// An index that another instance makes at this moment is there before its shard.
func TestClockOfANewIndex(t *testing.T) {
	server := estest.For(t)
	index := server.Index("new")
	const nowhere = "index.routing.allocation.require._name"
	server.Do(http.MethodPut, index+"?wait_for_active_shards=0", map[string]any{
		"settings": map[string]any{nowhere: "no-such-node"},
		"mappings": map[string]any{"properties": map[string]any{"d": map[string]string{"type": "date"}}},
	})
	between := &faults{spoil: func(n int64, res *http.Response) (*http.Response, error) {
		if n == 1 && res.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("the first answer is %s, want a shard to be missing", res.Status)
		}
		if n == 1 {
			server.Do(http.MethodPut, index+"/_settings", map[string]any{nowhere: nil})
			server.Do(http.MethodGet, "_cluster/health/"+index+"?wait_for_status=yellow", nil)
		}
		return res, nil
	}}
	c := search.NewCluster(server.Through(between), search.Options{RetryInterval: time.Millisecond})
	if _, err := c.Now(t.Context(), index, "d"); err != nil {
		t.Errorf("behind %d searches: %v", between.searches.Load(), err)
	}
}
