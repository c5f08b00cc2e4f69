package search_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/elastic/search"
	"esrule/internal/estest"
)

func TestEveryDocumentComesOnce(t *testing.T) {
	server := estest.For(t)
	server.Create(server.Index("a"), `{"settings": {"number_of_shards": 3}}`)
	server.Create(server.Index("b"), `{"settings": {"number_of_shards": 1}}`)
	var all []string
	for _, index := range []string{"a", "b"} {
		for segment := range 5 {
			var docs []any
			for i := range 5 {
				n := fmt.Sprintf("%s%d", index, 5*segment+i)
				docs, all = append(docs, fmt.Sprintf(`{"n": %q}`, n)), append(all, n)
			}
			gone := fmt.Sprintf("%s/_doc/%d", server.Index(index), segment)
			server.Do(http.MethodPut, gone, `{"n": "deleted"}`)
			server.Bulk(server.Index(index), docs...)
			server.Refresh(server.Index(index))
			// leaves a hole between the places of the others
			server.Do(http.MethodDelete, gone+"?refresh=true", nil)
		}
	}
	f := func(index string, pageSize, wantPages int) {
		t.Helper()
		want := slices.DeleteFunc(slices.Clone(all), func(n string) bool {
			return index != "*" && !strings.HasPrefix(n, index)
		})
		slices.Sort(want)
		c := search.NewCluster(server.Client, search.Options{PageSize: pageSize})
		var got []string
		pages := 0
		eachPage(t, c, server.Index(index), search.Request{}, func(page *search.Page) {
			pages++
			for hit := range page.Hits(nil) {
				var source struct{ N string }
				if err := json.Unmarshal(hit.Document().Source, &source); err != nil {
					t.Fatal(err)
				}
				got = append(got, source.N)
			}
		})
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" || pages != wantPages {
			t.Errorf("%s, page size %d: got %d pages, want %d; documents (-want +got):\n%s", index,
				pageSize, pages, wantPages, diff)
		}
	}
	f("*", 7, 8)
	f("*", 10, 6) // the last full page does not say that it is the last
	f("*", 49, 2)
	f("*", 50, 2)
	f("*", 51, 1)
	f("*", 0, 1)
	f("a", 1, 26)
	f("a", 4, 7)
	f("b", 1, 26)
	f("b", 4, 7)
	f("b", 25, 2)
	f("b", 26, 1)
}
