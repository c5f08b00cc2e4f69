package search_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fastjson"

	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/event"
)

// TestNoDocumentIsLostToItsShape stores documents that Elasticsearch takes and that are hard to
// read back, each among plain ones, and wants all of them.
func TestNoDocumentIsLostToItsShape(t *testing.T) {
	server := estest.For(t)
	plain := `{"k": 1e3}`
	f := func(name, document string, wantDeep bool, wantSource string) {
		t.Helper()
		index := server.Index(name)
		server.Create(index,
			`{"mappings": {"dynamic": false, "properties": {"k": {"type": "keyword"}}}}`)
		server.Bulk(index, plain)
		server.Do("PUT", index+"/_doc/odd?refresh=true", document)
		server.Bulk(index, plain)
		hits, failures := read(t, search.NewCluster(server.Client, search.Options{}), index,
			search.Request{Fields: []search.Wanted{{Path: "k"}}})
		if len(hits) != 3 || len(failures) > 0 {
			t.Fatalf("%s: got %d hits and the failures %+v, want 3 hits", name, len(hits), failures)
		}
		for _, h := range hits {
			if !json.Valid(h.source) {
				t.Errorf("%s: the text of %s is not JSON: %.100q", name, h.id, h.source)
			}
			if h.id != "odd" {
				continue
			}
			if h.deep != wantDeep {
				t.Errorf("%s: got deep %v, want %v", name, h.deep, wantDeep)
			}
			if got := string(h.source); got != wantSource {
				t.Errorf("%s: got %.200q, want %.200q", name, got, wantSource)
			}
		}
	}
	deep := func(n int) string {
		return `{"k": "x", "deep": ` + strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) +
			"}"
	}
	f("plain", plain, false, plain)
	f("deep200", deep(200), false, deep(200))
	f("deep297", deep(297), false, deep(297)) // refused within the page, taken alone
	f("deep700", deep(700), true, deep(700))
	f("deep998", deep(998), true, deep(998))
	f("escapes", `{"k": "\u001b\u0007\\ \"\ud83d\ude00\udb40\udc01"}`, false,
		`{"k": "\u001b\u0007\\ \"\ud83d\ude00\udb40\udc01"}`)
	f("surrogate", `{"k": "\ud800"}`, false, `{"k": "\ud800"}`)
	f("comment", `{"k": 1 /* " */, "n": 2}`, false, `{"k":1,"n":2}`)
	f("trailing", `{"k": 1} // "`, false, `{"k":1}`)
	f("mark", "\ufeff"+`{"k": 1}`, false, `{"k":1}`)
}

// TestSourceTextAfterLooking holds that a text is what was sent, however much of the value was read
// before.
func TestSourceTextAfterLooking(t *testing.T) {
	server := estest.For(t)
	index := server.Index("text")
	document := `{"path":"C:\\x\u001b\udb40\udc01","k\u0001y":1.50}`
	server.Bulk(index, document)
	eachPage(t, search.NewCluster(server.Client, search.Options{}), index, search.Request{},
		func(page *search.Page) {
			for hit := range page.Hits(nil) {
				if got := fastjson.GetString(hit.Document().Source,
					"path"); got != "C:\\x\x1b\U000e0001" {
					t.Errorf("got the value %q", got)
				}
				if got := string(hit.Document().Source); got != document {
					t.Errorf("got %s, want %s", got, document)
				}
			}
		})
}

// TestLargeDocuments reads pages that are larger than the reader has room for.
func TestLargeDocuments(t *testing.T) {
	server := estest.For(t)
	index := server.Index("large")
	server.Create(index, `{"mappings": {"dynamic": false}}`)
	var docs []any
	want := map[string]bool{}
	for i := range 60 {
		length := 10
		switch {
		case i == 20:
			length = 50_000 // larger than a page alone
		case i >= 40:
			length = 3_000
		}
		docs = append(docs, fmt.Sprintf(`{"n": %d, "text": %q}`, i, strings.Repeat("x", length)))
		want[fmt.Sprint(i)] = true
	}
	server.Bulk(index, docs...)
	f := func(pageSize int, pageBytes int64) {
		t.Helper()
		hits, failures := read(t,
			search.NewCluster(server.Client,
				search.Options{PageSize: pageSize, MaxPageBytes: pageBytes}), index,
			search.Request{})
		got := map[string]bool{}
		for _, h := range hits {
			var source struct{ N json.Number }
			if err := json.Unmarshal(h.source, &source); err != nil {
				t.Fatal(err)
			}
			got[source.N.String()] = true
		}
		if diff := cmp.Diff(want, got); diff != "" || len(hits) != len(want) || len(failures) > 0 {
			t.Errorf("page of %d hits or %d bytes: got %d hits, failures %v; documents (-want "+
				"+got):\n%s", pageSize, pageBytes, len(hits), failures, diff)
		}
	}
	f(60, 10_000)
	f(1000, 10_000)
	f(7, 10_000)
	f(1, 10_000)
	f(60, 1)
	f(60, 0)
}

// TestFieldsGiveWhatSourceLacks holds that values come through `fields` at their full length.
func TestFieldsGiveWhatSourceLacks(t *testing.T) {
	server := estest.For(t)
	index := server.Index("fields")
	server.Create(index, `{"mappings": {"properties": {
		"k": {"type": "keyword", "ignore_above": 5, "copy_to": "to"}, "alias": {"type": "alias", "path": "k"}, "to": {"type": "keyword"},
		"null": {"type": "keyword", "null_value": "none"}, "t": {"type": "text", "fields": {"raw": {"type": "keyword", "ignore_above": 5}}},
		"nested": {"type": "nested", "properties": {"k": {"type": "keyword"}}}}}}`)
	f := func(document, path string, want ...string) {
		t.Helper()
		server.Do("PUT", index+"/_doc/1?refresh=true", document)
		var fields event.Fields
		slot := fields.Add(path)
		e := event.New(&fields)
		m := &event.Mapping{Fields: map[string]event.FieldMapping{path: {Type: event.Keyword,
			FromFields: true, OnlyFields: true}}}
		var got []string
		eachPage(t, search.NewCluster(server.Client, search.Options{}), index,
			search.Request{Fields: []search.Wanted{{Path: path}}}, func(page *search.Page) {
				for hit := range page.Hits(nil) {
					if err := e.Read(m, hit.Document()); err != nil {
						t.Fatal(err)
					}
					for _, v := range e.Values(slot) {
						got = append(got, string(v.Text))
					}
				}
			})
		if !slices.Equal(got, want) {
			t.Errorf("%s of %s: got %q, want %q", path, document, got, want)
		}
	}
	f(`{"k": "x"}`, "alias", "x")
	f(`{"k": "longer than five"}`, "alias", "longer than five")
	f(`{"k": ["x", "longer than five", "y"]}`, "alias", "x", "y", "longer than five")
	f(`{"t": ["x", "longer than five"]}`, "t.raw", "x", "longer than five")
	f(`{"k": "x"}`, "to", "x")
	f(`{"null": null}`, "null", "none")
	f(`{"nested": [{"k": "x"}, {"k": "y"}]}`, "nested.k", "x", "y")
	f(`{"k": "x"}`, "no.such")
}

// TestUnreadableDocument stores documents that Elasticsearch takes and cannot give back. It wants
// all others, and the index named.
func TestUnreadableDocument(t *testing.T) {
	server := estest.For(t)
	index, other := server.Index("a"), server.Index("b")
	server.Create(index, `{"settings": {"number_of_shards": 2}, "mappings": {"dynamic": false, "properties": {"k": {"type": "keyword"}}}}`)
	plain := func(n int) {
		var docs []any
		for range n {
			docs = append(docs, `{"k": "x"}`)
		}
		server.Bulk(index, docs...)
	}
	plain(13)
	server.Do("PUT", index+"/_doc/odd1?refresh=true", `/* comment */ {"k": "x"}`)
	plain(8)
	server.Do("PUT", index+"/_doc/odd2?refresh=true", `/* comment */ {"k": "x"}`)
	plain(3)
	server.Bulk(other, `{"k": "x"}`)
	f := func(pageSize int, fields ...search.Wanted) {
		t.Helper()
		c := search.NewCluster(server.Client, search.Options{PageSize: pageSize, Tries: 2,
			RetryInterval: time.Millisecond})
		hits, failures := read(t, c, server.Index("*"), search.Request{Fields: fields})
		if len(hits) != 25 || len(failures) != 1 || failures[0].Index != index ||
			failures[0].Type != "unreadable_document" ||
			!strings.Contains(failures[0].Reason, "odd") {
			t.Errorf("pages of %d, fields %v: got %d hits and the failures %+v, want 25 hits and "+
				"one failure of %s", pageSize, fields, len(hits), failures, index)
		}
	}
	f(1)
	f(4)
	f(1000)
	f(4, search.Wanted{Path: "k"})
	f(1000, search.Wanted{Path: "k"})
}
