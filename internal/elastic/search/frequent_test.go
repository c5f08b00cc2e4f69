package search_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
)

// Behind a gateway that takes no long request, the values of fields are counted in portions, in the
// order in which they were asked for. Where it takes not even one, they are not counted.
func TestFrequentInHalves(t *testing.T) {
	server := estest.For(t)
	index := server.Index("a")
	const fields = 9
	var asked []search.Counting
	for i := range fields {
		asked = append(asked, search.Counting{Of: dsl.Exists("n"), Field: fmt.Sprint("f", i),
			Apart: dsl.Not(dsl.Exists(fmt.Sprint("f", i)))})
	}
	for n := range fields {
		doc := fmt.Sprintf(`{"n":%d`, n)
		for i := range n { // so fields-1-i documents have the field i
			doc += fmt.Sprintf(`,"f%d":%d`, i, i)
		}
		server.Bulk(index, doc+"}")
	}
	f := func(most int64, want bool) {
		t.Helper()
		refused := 0
		client := server.Through(roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/_search") ||
				r.ContentLength <= most {
				return http.DefaultTransport.RoundTrip(r)
			}
			refused++
			return &http.Response{StatusCode: http.StatusRequestEntityTooLarge,
				Header: http.Header{}, Request: r,
				Body: io.NopCloser(strings.NewReader("<html>413</html>"))}, nil
		}))
		pit, err := search.NewCluster(client, search.Options{}).OpenPointInTime(t.Context(),
			[]string{index})
		if err != nil {
			t.Fatal(err)
		}
		found, ok, err := pit.Frequent(t.Context(), dsl.Exists("n"), asked)
		if err != nil || ok != want || refused == 0 || len(found) != len(asked) && want {
			t.Fatalf("at most %d bytes: got %d counts, ok %v, %d refusals, error %v, want %d, %v",
				most, len(found), ok, refused, err, len(asked), want)
		}
		for i, got := range found {
			value := fmt.Sprint(i)
			having := int64(fields - 1 - i)
			if got.Documents != fields || got.Values[value] != having ||
				got.Apart != fields-having {
				t.Errorf("field %d: got %+v, want %d of %d documents to have the value %s", i, got,
					having, fields, value)
			}
		}
	}
	f(1<<10, true)
	f(64, false)
}
