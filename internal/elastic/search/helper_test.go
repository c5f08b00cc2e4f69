package search_test

import (
	"bytes"
	"testing"

	"github.com/valyala/fastjson"

	"esrule/internal/elastic/search"
	"esrule/internal/estest"
)

// hit is a copy of a search.Hit that outlives its page.
type hit struct {
	index, id      string
	source, fields []byte
	deep           bool // more than fastjson reads
}

func hitsOf(t *testing.T, server *estest.Cluster, pattern string, r search.Request) []hit {
	t.Helper()
	hits, failures := read(t, search.NewCluster(server.Client, search.Options{}), pattern, r)
	if len(failures) > 0 {
		t.Fatalf("%s: failures %+v", pattern, failures)
	}
	return hits
}

// read reads every page of a request.
func read(t *testing.T, c *search.Cluster, pattern string,
	r search.Request) ([]hit, []search.Failure) {
	t.Helper()
	var all []hit
	failures := eachPage(t, c, pattern, r, func(page *search.Page) {
		for h := range page.Hits(nil) {
			d := h.Document()
			_, err := fastjson.ParseBytes(d.Source)
			all = append(all, hit{index: h.Index, id: h.ID(), source: bytes.Clone(d.Source),
				fields: bytes.Clone(d.Fields), deep: err != nil})
		}
	})
	return all, failures
}

// eachPage visits the pages of a request from one point in time, and gives what was not read of its
// indices.
func eachPage(t *testing.T, c *search.Cluster, pattern string, r search.Request,
	visit func(*search.Page)) []search.Failure {
	t.Helper()
	pit, err := c.OpenPointInTime(t.Context(), []string{pattern})
	if err != nil {
		t.Fatal(err)
	}
	for page, err := range pit.Pages(t.Context(), r) {
		if err != nil {
			t.Fatal(err)
		}
		visit(page)
	}
	if err := pit.Close(t.Context()); err != nil {
		t.Error(err)
	}
	return pit.Failures()
}
