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

// TestEachInHalves: behind a gateway that takes no request of a kilobyte, clauses are asked for in
// portions, and their answers are in their order.
func TestEachInHalves(t *testing.T) {
	server := estest.For(t)
	index := server.Index("a")
	const most = 1 << 10
	var clauses []dsl.Clause
	for i := range 50 {
		server.Bulk(index, fmt.Sprintf(`{"n":%d}`, i))
		clauses = append(clauses, dsl.Terms("n", []string{fmt.Sprint(i), fmt.Sprint(i + 1)}))
	}
	refused := 0
	client := server.Through(roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.ContentLength <= most {
			return http.DefaultTransport.RoundTrip(r)
		}
		refused++
		return &http.Response{StatusCode: http.StatusRequestEntityTooLarge, Header: http.Header{},
			Body: io.NopCloser(strings.NewReader("too large")), Request: r}, nil
	}))
	pit, err := search.NewCluster(client, search.Options{}).OpenPointInTime(t.Context(),
		[]string{index})
	if err != nil {
		t.Fatal(err)
	}
	found, err := pit.Each(t.Context(), search.Request{Query: dsl.Exists("n")}, clauses)
	if err != nil || len(found) != len(clauses) || refused == 0 {
		t.Fatalf("got %d answers, %d refusals, error %v, want %d answers", len(found), refused, err,
			len(clauses))
	}
	for i, f := range found {
		if want := int64(min(2, 50-i)); f.Documents != want {
			t.Errorf("clause %d: got %d documents, want %d", i, f.Documents, want)
		}
	}
}
