package search_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"esrule/internal/elastic"
	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
)

// rewritten changes the text of an answer.
func rewritten(t *testing.T, change func(text string) string) func(*http.Response) *http.Response {
	return func(res *http.Response) *http.Response {
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Errorf("read an answer: %v", err)
		}
		text = []byte(change(string(text)))
		res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
		return res
	}
}

// TestContradiction: an answer that Elasticsearch cannot have sent is an error that names the
// address.
func TestContradiction(t *testing.T) {
	server := estest.For(t)
	index := server.Index("a")
	server.Create(index, `{"mappings": {"properties": {"d": {"type": "date"}}}}`)
	var documents []any
	for range 1000 { // a page that is asked for ahead is read while it is given out
		documents = append(documents, `{"d": 1}`)
	}
	server.Bulk(index, documents...)
	const pit, searches = "/_pit", "/_search"
	f := func(what, suffix string, change func(*http.Response) *http.Response, want string) {
		t.Helper()
		spoilt := 0
		g := &gateway{
			about: func(req *http.Request) bool {
				return strings.HasSuffix(req.URL.Path, suffix) && req.Method == http.MethodPost
			},
			change: func(res *http.Response) *http.Response { spoilt++; return change(res) },
		}
		c := search.NewCluster(server.Through(g),
			search.Options{PageSize: 100, Tries: 2, RetryInterval: time.Millisecond})
		got := readAll(t, c, what, index)
		var untrue *elastic.UntrueError
		if got == nil || !strings.Contains(got.Error(), want) || spoilt == 0 {
			t.Errorf("%s: got the error %v of %d spoilt answers, want %q", what, got, spoilt, want)
		} else if errors.As(got, &untrue) && !strings.Contains(got.Error(), server.URL) {
			t.Errorf("%s: got the error %v, want the address %s in it", what, got, server.URL)
		}
	}
	replace := func(old, by string) func(*http.Response) *http.Response {
		return rewritten(t, func(text string) string { return strings.Replace(text, old, by, 1) })
	}
	// later spoils the answers from the n-th on.
	later := func(n int, change func(*http.Response) *http.Response) func(
		*http.Response) *http.Response {
		return func(res *http.Response) *http.Response {
			if n--; n > 0 {
				return res
			}
			return change(res)
		}
	}
	behind := func(more string) func(*http.Response) *http.Response {
		return rewritten(t, func(text string) string { return text + more })
	}
	status := func(code int) func(*http.Response) *http.Response {
		return func(res *http.Response) *http.Response { res.StatusCode = code; return res }
	}
	same := "" // the first page, again and again
	again := rewritten(t, func(text string) string {
		if same == "" {
			same = text
		}
		return same
	})
	f("pages", searches, again, "its hits are not in order")
	for _, what := range []string{"pages", "count", "histogram"} {
		for _, code := range []int{201, 202, 206} {
			f(what, searches, status(code), "where Elasticsearch answers 200")
		}
		f(what, searches, replace(`"timed_out"`, `"terminated_early":true,"timed_out"`),
			"terminated_early")
		f(what, searches, replace(`"hits":{`, `"hits":{"hits":[]},"hits":{`), `it has "hits" twice`)
		f(what, searches, replace(`"failed":0`, `"failed":1`), "1 were successful and 1 failed")
		f(what, searches, replace(`"successful":1`, `"successful":2`),
			"of 1 shards 2 were successful")
		f(what, searches, replace(`"skipped":0`, `"skipped":2`), "2 shards were skipped")
		f(what, searches, replace(`"total":1`, `"total":-1`), "below 0")
	}
	f("count", searches, rewritten(t, func(string) string { return "null" }), "no JSON object")
	f("pages", pit, rewritten(t, func(string) string { return " null\n" }), "no JSON object")
	f("count", searches, behind(`{}`), "after top-level value")
	f("count", searches, replace(`"relation":"eq"`, `"relation":"gte"`),
		"an exact number was asked for")
	f("count", searches, replace(`"hits":[]`, `"hits":[{}]`), "none were asked for")
	for _, n := range []int{1, 3, 5} {
		f("pages", searches, later(n, behind(`{"hits":{"hits":[]}}`)), "something follows its end")
		f("pages", searches, later(n, behind(`garbage`)), "something follows its end")
		f("pages", searches, later(n, rewritten(t, func(text string) string {
			return strings.TrimSuffix(text, "}") + `,"hits":{"hits":[]}}`
		})), `it has "hits" twice`)
		f("pages", searches,
			later(n, replace(`"max_score"`, `"total":{"value":1,"relation":"eq"},"max_score"`)),
			"hits.total is 1, and there are")
		f("pages", searches, later(n, replace(`"_index":`, `"_index":"x","_index":`)),
			`a hit has "_index" twice`)
		f("pages", searches, later(n, rewritten(t, func(text string) string {
			return text[:strings.LastIndex(text, `"sort":[`)] + `"sort":[0]}]}}`
		})), "its hits are not in order")
	}
	f("pages", pit, replace(`"failed":0`, `"failed":1`), "1 were successful and 1 failed")
	f("pages", pit, status(202), "where Elasticsearch answers 200")
	f("pages", pit, replace(`{"id"`, `{"id":"x","id"`), `it has "id" twice`)
}

// readAll asks for something of an index, and returns the error.
func readAll(t *testing.T, c *search.Cluster, what, index string) error {
	patterns := []string{index}
	switch what {
	case "count":
		_, err := c.Count(t.Context(), patterns, dsl.Everything())
		return err
	case "histogram":
		_, err := c.Histogram(t.Context(), patterns, dsl.Everything(), "d", time.Hour)
		return err
	}
	p, err := c.OpenPointInTime(t.Context(), patterns)
	if err != nil {
		return err
	}
	defer func() { _ = p.Close(t.Context()) }()
	for page, err := range p.Pages(t.Context(), search.Request{}) {
		if err != nil {
			return err
		}
		for range page.Hits(nil) {
		}
	}
	return nil
}

// TestNoShardsOfIndices: an index that is there, and of which a search or a point in time says
// nothing, is a failure.
func TestNoShardsOfIndices(t *testing.T) {
	server := estest.For(t)
	server.Bulk(server.Index("a"), `{}`)
	none := rewritten(t, func(text string) string {
		return strings.NewReplacer(`"total":1`, `"total":0`, `"successful":1`,
			`"successful":0`).Replace(text)
	})
	f := func(name, suffix string, change func(*http.Response) *http.Response, pattern string,
		want int) {
		t.Helper()
		g := &gateway{
			about: func(req *http.Request) bool {
				return strings.HasSuffix(req.URL.Path, suffix) && req.Method == http.MethodPost
			},
			change: change,
		}
		c := search.NewCluster(server.Through(g), search.Options{})
		_, failures := read(t, c, pattern, search.Request{})
		count, err := c.Count(t.Context(), []string{pattern}, dsl.Everything())
		if suffix == "/_search" && (err != nil || len(count.Failures) != want) {
			t.Errorf("%s: count: got the failures %v and the error %v, want %d", name,
				count.Failures, err, want)
		}
		if len(failures) != want {
			t.Errorf("%s: got the failures %v, want %d", name, failures, want)
		}
	}
	before816 := func(res *http.Response) *http.Response {
		if strings.HasSuffix(res.Request.URL.Path, "/_pit") {
			return without(t, "_shards")(res)
		}
		return none(res)
	}
	f("a point in time", "/_pit", none, server.Index("*"), 1)
	f("before 8.16", "", before816, server.Index("*"), 1)
	f("a search", "/_search", none, server.Index("*"), 1)
	f("no index", "/_pit", none, server.Index("none-*"), 0)
	f("no index of that name", "/_pit", none, server.Index("none"), 0)
}
