package schedule_test

import (
	"strings"
	"testing"

	"esrule/internal/detect"
	"esrule/internal/elastic/search"
)

func TestCheckNamesAnIndexThatDoesNotAnswer(t *testing.T) {
	w := newWorld(t)
	w.event(w.index("well"), 3, "bad.exe", 1)
	sick := w.Index("events-sick")
	w.Do("PUT", sick+"?wait_for_active_shards=0",
		`{"settings":{"number_of_replicas":0,"index.routing.allocation.require._name":"nowhere"},"mappings":`+processMapping+`}`)
	detection, err := detect.New(w.rule, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := detection.Check(t.Context(), search.NewCluster(w.Client, search.Options{Tries: 1}),
		w.clock, w.late)
	if err != nil || len(got.Patterns) != 1 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if p := got.Patterns[0]; p.Events != 1 || len(p.Problems) != 1 ||
		!strings.Contains(p.Problems[0], sick) {
		t.Errorf("got %d events and the problems %q, want 1 and one about %s", p.Events, p.Problems,
			sick)
	}
}
