package search_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fastjson"

	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/event"
)

// TestLaterPages reads pages that are split while they are given out, with documents in them that
// spoil an answer, by every kind of reader: each document comes once.
func TestLaterPages(t *testing.T) {
	server := estest.For(t)
	index := server.Index("later")
	server.Create(index, `{"settings": {"number_of_shards": 1}, "mappings": {"dynamic": false}}`)
	const documents = 60
	odd := map[int]string{
		17: `{"n": 17 /* " */}`, 20: `{"n": 20} // "`, 29: "\ufeff" + `{"n": 29}`,
		33: `{"n": 33} // x`, 34: `{"n": 34 // }}` + "\n}",
	}
	var want []int
	for n := range documents {
		want = append(want, n)
		document, isOdd := odd[n]
		if !isOdd {
			document = fmt.Sprintf(`{"n": %d}`, n)
		}
		server.Do("PUT", fmt.Sprintf("%s/_doc/%d", index, n), document)
	}
	server.Do("POST", index+"/_refresh", "")

	var fields event.Fields
	fields.Add("n")
	e := event.New(&fields)
	skim := func(_ string, text []byte) int { return e.Begin(nil, text) }
	refuse := func(string, []byte) int { return -1 }
	f := func(name string, pageSize int, reader search.Reader, wantRead bool) {
		t.Helper()
		var got []int
		read, given := 0, 0
		eachPage(t, search.NewCluster(server.Client, search.Options{PageSize: pageSize}), index,
			search.Request{}, func(page *search.Page) {
				for h := range page.Hits(reader) {
					got = append(got, number(h))
					if h.Document().Begun {
						read++
					}
				}
				given += page.Given()
			})
		slices.Sort(got) // a server may keep them in another order
		if diff := cmp.Diff(want, got); diff != "" || given != documents {
			t.Errorf("%s, pages of %d: got %d given; documents (-want +got):\n%s", name, pageSize,
				given, diff)
		}
		if (read > documents/2) != wantRead {
			t.Errorf("%s, pages of %d: %d documents were read by the reader, want most: %v", name,
				pageSize, read, wantRead)
		}
	}
	for _, pageSize := range []int{1, 2, 3, 5, 7, 10, 30, 1000} {
		f("no reader", pageSize, nil, false)
		f("skim", pageSize, skim, true)
		f("refuse", pageSize, refuse, false)
	}
}

// number returns the n of a document.
func number(h *search.Hit) int {
	return fastjson.GetInt(h.Document().Source, "n")
}

// TestHitsThatAreLeft holds that a caller who leaves a page in its middle gets the next page, from
// its beginning.
func TestHitsThatAreLeft(t *testing.T) {
	server := estest.For(t)
	index := server.Index("left")
	server.Create(index, `{"settings": {"number_of_shards": 1}}`)
	var docs []any
	for n := range 40 {
		docs = append(docs, fmt.Sprintf(`{"n": %d}`, n))
	}
	server.Bulk(index, docs...)
	f := func(take int, want []int) {
		t.Helper()
		var got []int
		eachPage(t, search.NewCluster(server.Client, search.Options{PageSize: 10}), index,
			search.Request{}, func(page *search.Page) {
				if take == 0 {
					got = append(got, page.Given())
					return
				}
				for h := range page.Hits(nil) {
					got = append(got, number(h))
					if page.Given() == take {
						break
					}
				}
			})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d hits a page (-want +got):\n%s", take, diff)
		}
	}
	f(0, []int{0, 0, 0, 0, 0})
	f(1, []int{0, 10, 20, 30})
	f(2, []int{0, 1, 10, 11, 20, 21, 30, 31})
}
