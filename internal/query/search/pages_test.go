package search_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/estest"
	"esrule/internal/query/search"
)

func TestEveryDocumentComesOnce(t *testing.T) {
	server := estest.For(t)
	server.Create(server.Index("a"), `{"settings": {"number_of_shards": 3}}`)
	server.Create(server.Index("b"), nil)
	var want []string
	for _, index := range []string{"a", "b"} {
		var docs []any
		for i := range 25 {
			docs = append(docs, fmt.Sprintf(`{"n": "%s%d"}`, index, i))
			want = append(want, fmt.Sprintf("%s%d", index, i))
		}
		server.Bulk(server.Index(index), docs...)
	}
	slices.Sort(want)
	f := func(pageSize, wantPages int) {
		t.Helper()
		c := search.NewCluster(server.Client, search.Options{PageSize: pageSize})
		var got []string
		pages := 0
		eachPage(t, c, server.Index("*"), search.Request{}, func(page *search.Page) {
			pages++
			for hit := range page.Hits(nil) {
				var source struct{ N string }
				if err := json.Unmarshal(hit.SourceJSON(), &source); err != nil {
					t.Fatal(err)
				}
				hit.ReadSource()
				if n := string(hit.Source.GetStringBytes("n")); n != source.N {
					t.Errorf("page size %d: got the value %s and the text %s", pageSize, n, source.N)
				}
				got = append(got, source.N)
			}
		})
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" || pages != wantPages {
			t.Errorf("page size %d: got %d pages, want %d; documents (-want +got):\n%s", pageSize, pages, wantPages, diff)
		}
	}
	f(7, 8)
	f(10, 6) // the last full page does not say that it is the last
	f(49, 2)
	f(50, 2)
	f(51, 1)
	f(0, 1)
}
