package state_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"esrule/internal/estest"
	"esrule/internal/schedule/state"
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
		t.Errorf("got %+v of version %v and the error %v, want c of version %v", got, v, err, second)
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

func withoutProduct(res *http.Response) *http.Response {
	res.Header.Del("X-Elastic-Product")
	return res
}

// TestIncompleteAnswer: what an answer does not say is an error, and no document that is not there.
func TestIncompleteAnswer(t *testing.T) {
	server := estest.For(t)
	index := server.Index("state")
	if _, _, err := state.NewStore(server.Client, index).Put(t.Context(), "a", note{Kind: "note", At: 1}, state.Version{}); err != nil {
		t.Fatal(err)
	}
	server.Refresh(index)
	asked := map[string]func(s *state.Store) error{
		"get":  func(s *state.Store) error { _, err := s.Get(t.Context(), "a", &note{}); return err },
		"none": func(s *state.Store) error { _, err := s.Get(t.Context(), "none", &note{}); return err },
		"put":  func(s *state.Store) error { _, _, err := s.Put(t.Context(), "p", note{}, state.Version{}); return err },
		"again": func(s *state.Store) error {
			_, _, err := s.Put(t.Context(), "a", note{}, state.Version{})
			return err
		},
		"all": func(s *state.Store) error { return s.GetAll(t.Context(), []string{"a", "b"}, ignore) },
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
	f("search", without("_shards"), "has no _shards,")
	f("search", without("hits"), "has no hits,")
	for what := range asked {
		f(what, withoutProduct, "")
	}
	f("none", withoutProduct, "404")
	f("again", withoutProduct, "409")
}

func ignore(string, json.RawMessage) error { return nil }
