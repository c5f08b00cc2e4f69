package search_test

import (
	"bytes"
	"encoding/json"
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

// gateway stands between a client and the server and changes the answers to some requests.
type gateway struct {
	about  func(req *http.Request) bool
	change func(res *http.Response) *http.Response
}

func (g *gateway) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(req)
	if err == nil && g.about(req) {
		res = g.change(res)
	}
	return res, err
}

// without takes a member out of an answer; the path's parts are separated by dots, * is each
// element.
func without(t *testing.T, path string) func(res *http.Response) *http.Response {
	return func(res *http.Response) *http.Response {
		var body any
		if err := json.NewDecoder(res.Body).Decode(&body); err != nil {
			t.Errorf("read an answer: %v", err)
		}
		remove(body, strings.Split(path, "."))
		text, _ := json.Marshal(body)
		res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
		return res
	}
}

func remove(in any, path []string) {
	switch v := in.(type) {
	case []any:
		for _, element := range v {
			remove(element, path[1:])
		}
	case map[string]any:
		if len(path) == 1 {
			delete(v, path[0])
			return
		}
		remove(v[path[0]], path[1:])
	}
}

func empty(res *http.Response) *http.Response {
	res.Body, res.ContentLength = io.NopCloser(strings.NewReader(`{}`)), 2
	return res
}

func withoutProduct(res *http.Response) *http.Response {
	res.Header.Del("X-Elastic-Product")
	return res
}

// TestIncompleteAnswer: an answer that lacks what the protocol always sends is an error that names
// the address, whatever was asked; it never passes for "nothing found".
func TestIncompleteAnswer(t *testing.T) {
	server := estest.For(t)
	index := server.Index("a")
	server.Create(index, `{"mappings": {"properties": {"d": {"type": "date"}}}}`)
	server.Bulk(index, `{"d": 1}`, `{"d": 2}`, `{"d": 3}`)
	path := func(suffix string) func(*http.Request) bool {
		return func(req *http.Request) bool {
			return strings.HasSuffix(req.URL.Path, suffix) && req.Method != http.MethodDelete
		}
	}
	patterns := []string{index}
	asked := map[string]func(c *search.Cluster) error{
		"clock": func(c *search.Cluster) error {
			_, err := c.Now(t.Context(), index, "d")
			return err
		},
		"mappings": func(c *search.Cluster) error {
			_, err := c.Mappings(t.Context(), patterns, []string{"d"})
			return err
		},
		"exists": func(c *search.Cluster) error {
			there, err := c.Exists(t.Context(), server.Index("none"))
			if there {
				t.Error("an index that is not there exists")
			}
			return err
		},
	}
	f := func(what string, about func(*http.Request) bool,
		change func(*http.Response) *http.Response, want string) {
		t.Helper()
		spoilt := 0
		g := &gateway{about: about, change: func(res *http.Response) *http.Response {
			spoilt++
			return change(res)
		}}
		c := search.NewCluster(server.Through(g),
			search.Options{PageSize: 1, Tries: 2, RetryInterval: time.Millisecond})
		ask, ok := asked[what]
		if !ok {
			ask = func(c *search.Cluster) error { return readAll(t, c, what, index) }
		}
		got := ask(c)
		if got == nil || !strings.Contains(got.Error(), want) || spoilt == 0 {
			t.Errorf("%s: got the error %v of %d spoilt answers, want %q", what, got, spoilt, want)
			return
		}
		var untrue *elastic.UntrueError
		if errors.As(got, &untrue) && !strings.Contains(got.Error(), server.URL) {
			t.Errorf("%s: got the error %v, want the address %s in it", what, got, server.URL)
		}
	}
	f("pages", path("/_pit"), without(t, "id"), "has no id,")
	f("pages", path("/_pit"), empty, "has no id,")
	for _, missing := range []string{"timed_out", "_shards", "_shards.total", "_shards.successful",
		"_shards.failed", "pit_id"} {
		f("pages", path("/_search"), without(t, missing), "has no "+missing+",")
	}
	f("pages", path("/_search"), without(t, "hits"), "has no hits,")
	f("pages", path("/_search"), without(t, "hits.hits"), "has no hits,")
	f("pages", path("/_search"), without(t, "hits.hits.*._index"), "has no _index of a hit,")
	f("pages", path("/_search"), without(t, "hits.hits.*._id"), "has no _id of a hit,")
	f("pages", path("/_search"), without(t, "hits.hits.*.sort"), "has no sort of a hit,")
	for _, what := range []string{"pages", "count", "histogram"} {
		f(what, path("/_search"), empty, "has no timed_out,")
		f(what, path("/_search"), without(t, "_shards"), "has no _shards,")
	}
	f("count", path("/_search"), without(t, "hits"), "has no hits,")
	f("count", path("/_search"), without(t, "hits.total"), "has no hits.total,")
	f("histogram", path("/_search"), without(t, "aggregations"), "has no aggregations,")
	f("clock", path("/_search"), empty, "no such index")
	f("mappings", path("/_field_caps"), empty, "has no indices,")
	for what := range asked {
		f(what, func(*http.Request) bool { return true }, withoutProduct, "")
	}
	f("pages", path("/_search"), withoutProduct, "without the header X-Elastic-Product")
	// A gateway's 404 says nothing of the index.
	f("exists", path(""), withoutProduct, "404")
}

// TestShardsThatDidNotAnswer: shards that an answer counts and says nothing of fail every index.
func TestShardsThatDidNotAnswer(t *testing.T) {
	server := estest.For(t)
	server.Bulk(server.Index("a"), `{}`)
	server.Bulk(server.Index("b"), `{}`)
	spoil := &faults{spoil: func(_ int64, res *http.Response) (*http.Response, error) {
		body, err := io.ReadAll(res.Body)
		return answer(200, strings.Replace(string(body), `"successful":2`, `"successful":1`, 1)),
			err
	}}
	c := search.NewCluster(server.Through(spoil), search.Options{})
	_, failures := read(t, c, server.Index("*"), search.Request{})
	if len(failures) != 2 || !strings.Contains(failures[0].Reason, "1 of 2 shards did not answer") {
		t.Errorf("got the failures %+v, want one for each index", failures)
	}
	count, err := c.Count(t.Context(), []string{server.Index("*")}, dsl.Everything())
	if err != nil || len(count.Failures) != 2 {
		t.Errorf("count: got the failures %+v and the error %v, want one for each index",
			count.Failures, err)
	}
}

// TestOpeningBefore816: the answer to the opening of a point in time said nothing of shards.
func TestOpeningBefore816(t *testing.T) {
	server := estest.For(t)
	server.Bulk(server.Index("a"), `{}`, `{}`)
	old := &gateway{
		about: func(req *http.Request) bool {
			return strings.HasSuffix(req.URL.Path, "/_pit") && req.Method == http.MethodPost
		},
		change: without(t, "_shards"),
	}
	c := search.NewCluster(server.Through(old), search.Options{})
	f := func(pattern string, want int) {
		t.Helper()
		hits, failures := read(t, c, pattern, search.Request{})
		if len(hits) != want || len(failures) > 0 {
			t.Errorf("%s: got %d hits and the failures %v, want %d hits", pattern, len(hits),
				failures, want)
		}
	}
	f(server.Index("*"), 2)
	f(server.Index("none-*"), 0)
}
