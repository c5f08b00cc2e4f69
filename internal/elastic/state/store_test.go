package state_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"esrule/internal/elastic/state"
	"esrule/internal/estest"
)

type note struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
	At   int64  `json:"updated_at"`
}

// TestPut: a document is created once, and changed only by who knows its version.
func TestPut(t *testing.T) {
	server := estest.For(t)
	store := state.NewStore(server.Client, server.Index("state"))
	put := func(text string, v state.Version, want bool) state.Version {
		t.Helper()
		now, done, err := store.Put(t.Context(), "one/two", note{Kind: "note", Text: text}, v)
		if err != nil || done != want {
			t.Fatalf("put %q: got %v and the error %v, want %v", text, done, err, want)
		}
		return now
	}
	var got note
	if v, err := store.Get(t.Context(), "one/two", &got); err != nil || v.Exists() {
		t.Fatalf("no index: got %v and the error %v, want no document", v, err)
	}
	first := put("a", state.Version{}, true)
	put("b", state.Version{}, false)
	second := put("c", first, true)
	put("d", first, false)
	v, err := store.Get(t.Context(), "one/two", &got)
	if err != nil || v != second || got.Text != "c" {
		t.Errorf("got %+v of version %v and the error %v, want c of version %v", got, v, err,
			second)
	}
}

// TestPutAll: of many documents each is written, or not, by itself, however many requests it takes.
func TestPutAll(t *testing.T) {
	server := estest.For(t)
	store := state.NewStore(server.Client, server.Index("state"))
	put := func(id string, v state.Version) state.Version {
		t.Helper()
		now, _, err := store.Put(t.Context(), id, note{Text: "before"}, v)
		if err != nil {
			t.Fatal(err)
		}
		return now
	}
	fresh, old := put("fresh", state.Version{}), put("old", state.Version{})
	put("old", old)
	long := note{Text: strings.Repeat("x", 3<<20)} // no two fit into one request
	changes := []state.Change{
		{ID: "a/new one", Document: long},
		{ID: "fresh", Document: long, Version: fresh},
		{ID: "old", Document: long, Version: old},
		{ID: "fresh", Document: long},
		{ID: "wrong", Document: map[string]string{"updated_at": "no date"}},
		{ID: "last", Document: note{}},
	}
	written, err := store.PutAll(t.Context(), changes)
	if err != nil || len(written) != len(changes) {
		t.Fatalf("got %v and the error %v", written, err)
	}
	for i, want := range []string{"done", "done", "conflict", "conflict", "refused", "done"} {
		got := "conflict"
		switch w := written[i]; {
		case w.Err != nil:
			got = "refused"
		case w.Done:
			got = "done"
		}
		if got != want {
			t.Errorf("%s: got %s (%v), want %s", changes[i].ID, got, written[i].Err, want)
		}
	}
	var read note
	if v, err := store.Get(t.Context(), "a/new one", &read); err != nil ||
		v != written[0].Version || read.Text != long.Text {
		t.Errorf("got version %v and the error %v, want %v", v, err, written[0].Version)
	}
}

// narrowWay is a gateway that takes requests of so many bytes.
type narrowWay int64

func (n narrowWay) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.ContentLength <= int64(n) {
		return http.DefaultTransport.RoundTrip(req)
	}
	return &http.Response{StatusCode: http.StatusRequestEntityTooLarge, Request: req,
		Header: http.Header{}, Body: io.NopCloser(strings.NewReader("<h1>too large</h1>"))}, nil
}

// TestPutAllThroughANarrowWay: documents that are together too large for a gateway are written, and
// one that is too large by itself keeps no other from it.
func TestPutAllThroughANarrowWay(t *testing.T) {
	server := estest.For(t)
	store := state.NewStore(server.Through(narrowWay(4000)), server.Index("state"))
	var changes []state.Change
	for i := range 20 {
		text := strings.Repeat("x", 1000)
		if i == 7 {
			text = strings.Repeat("x", 5000)
		}
		changes = append(changes, state.Change{ID: fmt.Sprint("d", i), Document: note{Text: text}})
	}
	written, err := store.PutAll(t.Context(), changes)
	if err != nil || len(written) != len(changes) {
		t.Fatalf("got %d written and the error %v", len(written), err)
	}
	for i, w := range written {
		if want := i != 7; w.Done != want || (w.Err == nil) != want {
			t.Errorf("d%d: got done %v and the error %v, want done %v", i, w.Done, w.Err, want)
		}
	}
}

// gateway changes the answers that a client gets.
type gateway func(res *http.Response) *http.Response

func (g gateway) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(req)
	if err == nil {
		res = g(res)
	}
	return res, err
}

// without takes a word out of the text of an answer, so that the member that it names is not there.
func without(member string) gateway {
	return func(res *http.Response) *http.Response {
		body, _ := io.ReadAll(res.Body)
		body = bytes.ReplaceAll(body, []byte(`"`+member+`":`), []byte(`"gone":`))
		res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		return res
	}
}

// replaced puts one text in an answer in the place of another.
func replaced(old, by string) gateway {
	return func(res *http.Response) *http.Response {
		body, _ := io.ReadAll(res.Body)
		body = bytes.ReplaceAll(body, []byte(old), []byte(by))
		res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		return res
	}
}

func status(code int) gateway {
	return func(res *http.Response) *http.Response { res.StatusCode = code; return res }
}

func withoutProduct(res *http.Response) *http.Response {
	res.Header.Del("X-Elastic-Product")
	return res
}

// TestIncompleteAnswer: what an answer does not say is an error, and no document that is not there.
func TestIncompleteAnswer(t *testing.T) {
	server := estest.For(t)
	index := server.Index("state")
	if _, _, err := state.NewStore(server.Client, index).Put(t.Context(), "a",
		note{Kind: "note", At: 1}, state.Version{}); err != nil {
		t.Fatal(err)
	}
	server.Refresh(index)
	puts := 0
	asked := map[string]func(s *state.Store) error{
		"get": func(s *state.Store) error {
			_, err := s.Get(t.Context(), "a", &note{})
			return err
		},
		"none": func(s *state.Store) error {
			_, err := s.Get(t.Context(), "none", &note{})
			return err
		},
		"put": func(s *state.Store) error {
			puts++
			_, _, err := s.Put(t.Context(), fmt.Sprint("p", puts), note{}, state.Version{})
			return err
		},
		"again": func(s *state.Store) error {
			_, _, err := s.Put(t.Context(), "a", note{}, state.Version{})
			return err
		},
		"all": func(s *state.Store) error {
			return s.GetAll(t.Context(), []string{"a", "b"},
				func(id string, _ state.Version, source json.RawMessage) error {
					return ignore(id, source)
				})
		},
		"bulk": func(s *state.Store) error {
			puts++
			_, err := s.PutAll(t.Context(), []state.Change{{ID: fmt.Sprint("p", puts),
				Document: note{}}})
			return err
		},
		"search": func(s *state.Store) error {
			return s.Search(t.Context(), "note", ignore)
		},
	}
	f := func(what string, change gateway, want string) {
		t.Helper()
		err := asked[what](state.NewStore(server.Through(change), index))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got the error %v, want %q", what, err, want)
		}
	}
	f("get", without("found"), "has no found,")
	f("get", without("_source"), "has no _source")
	f("get", without("_seq_no"), "has no _seq_no,")
	f("get", without("_primary_term"), "has no _primary_term,")
	f("put", without("_seq_no"), "has no _seq_no,")
	f("all", without("docs"), "has no docs")
	f("all", without("_source"), "has no _source")
	f("bulk", without("items"), "has no items")
	f("bulk", without("create"), "has no items.create,")
	f("bulk", without("status"), "has no items.create.status,")
	f("bulk", without("_seq_no"), "has no _seq_no,")
	f("bulk", without("result"), "has no result,")
	f("bulk", replaced(`"_id":"`, `"_id":"x`), "of document")
	f("bulk", replaced(`"status":201`, `"status":201,"error":{}`), "the status 201 and an error")
	f("search", without("_shards"), "has no _shards,")
	f("search", without("hits"), "has no hits,")
	f("search", without("timed_out"), "has no timed_out,")
	f("search", without("_id"), "has no _id,")
	f("put", without("result"), "has no result,")
	f("get", replaced(`"_id":"a"`, `"_id":"b"`), `it is about document "b", and "a" was asked for`)
	f("put", replaced(`"_id":"`, `"_id":"x`), "of document")
	f("put", replaced(`"created"`, `"noop"`), `it says "noop"`)
	f("put", status(http.StatusOK), "where Elasticsearch answers 201")
	f("get", status(http.StatusAccepted), "where Elasticsearch answers 200")
	f("all", replaced(`"_id":"a"`, `"_id":"c"`), `it is about document "c", and "a" was asked for`)
	f("search", replaced(`"timed_out":false`, `"timed_out":true`), "ran out of time: true")
	f("search", replaced(`"timed_out"`, `"terminated_early":true,"timed_out"`), "terminated_early")
	f("search", replaced(`"successful":1`, `"successful":0`), "1 shards did not answer")
	f("search", replaced(`"failed":0`, `"failed":1`), "1 were successful and 1 failed")
	f("search", replaced(`"value":1`, `"value":0`), "hits.total is 0, and there are 1 hits")
	f("search", replaced(`"value":1`, `"value":7`), "hits.total is 7, and there are 1 hits")
	f("search", replaced(`"hits":[`, `"hits":[],"hits":[`), `it has "hits" twice`)
	for what := range asked {
		f(what, withoutProduct, "")
	}
	f("none", withoutProduct, "404")
	f("again", withoutProduct, "409")
}

func ignore(string, json.RawMessage) error { return nil }
