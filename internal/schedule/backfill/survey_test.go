package backfill_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"esrule/internal/elastic"
	"esrule/internal/elastic/search"
	"esrule/internal/schedule/backfill"
)

// forbids answers what is asked of an index with 403, as Elasticsearch does for want of a
// privilege.
type forbids struct{ index, action string }

func (f forbids) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(req)
	if err == nil && strings.Contains(req.URL.Path, f.index) &&
		strings.Contains(req.URL.Path, f.action) {
		res.StatusCode = http.StatusForbidden
	}
	return res, err
}

// TestForbiddenPattern: a pattern that may not be searched, or not be looked at any more, keeps no
// other from being planned, or compared with the plan.
func TestForbiddenPattern(t *testing.T) {
	w := newWorld(t)
	other := w.Index("other")
	w.Create(other, `{"mappings":{"properties":{"@timestamp":{"type":"date"}}}}`)
	for _, d := range w.detections {
		d.Patterns = []string{w.Index("events-*"), other}
	}
	survey := func(f forbids) *backfill.Survey {
		c := search.NewCluster(w.Through(f),
			search.Options{Tries: 1, RetryInterval: time.Millisecond})
		return &backfill.Survey{Cluster: c, Own: w.own(), Now: time.Now}
	}
	plan, err := survey(forbids{other, "/_search"}).Plan(t.Context(), w.request(), w.detections)
	if err != nil {
		t.Fatal(err)
	}
	unsearched := plan.Unsearched()
	if len(unsearched) != 1 || unsearched[0].Index != other ||
		!strings.Contains(unsearched[0].Reason, "403") {
		t.Errorf("the plan: got unsearched %+v, want %s and why", unsearched, other)
	}
	for _, part := range plan.Parts {
		if !slices.Equal(part.Patterns, []string{w.Index("events-*")}) {
			t.Errorf("the plan: got the patterns %v, want the one that may be read", part.Patterns)
		}
	}
	fresh := w.index("two")
	f := func(name string, p *backfill.Plan, want error) {
		t.Helper()
		changes, err := survey(forbids{other, "/_settings"}).Changes(t.Context(), p)
		if !errors.Is(err, want) || want != nil && !strings.Contains(err.Error(), other) {
			t.Errorf("%s: got the error %v, want %v for %s", name, err, want, other)
		}
		if !slices.Equal(changes.New, []string{fresh}) || len(changes.Gone) > 0 {
			t.Errorf("%s: got %+v, want %s as new", name, changes, fresh)
		}
	}
	f("forbidden all the time", plan, nil)
	w.Do(http.MethodDelete, fresh, nil)
	whole, err := w.survey(0).Plan(t.Context(), w.request(), w.detections)
	if err != nil {
		t.Fatal(err)
	}
	fresh = w.index("three")
	f("forbidden since", whole, elastic.ErrForbidden)
}
