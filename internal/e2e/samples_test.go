package e2e

import (
	"testing"
	"time"

	"esrule/demo/samples"
)

// The hand-written events: found are exactly those that say of themselves that they match.
func TestSamples(t *testing.T) {
	t.Parallel()
	samplesAreFound(t, newStage(t))
}

// samplesAreFound runs the rule over the six sources, twice.
func samplesAreFound(t *testing.T, s *stage) {
	t.Helper()
	prefix := s.prefix + "-"
	var err error
	if s.patterns, err = samples.Patterns(prefix); err != nil {
		t.Fatal(err)
	}
	events, err := samples.Events(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := samples.Install(t.Context(), s.Client, prefix); err != nil {
		t.Fatal(err)
	}
	if err := samples.Load(t.Context(), s.Client, prefix, events); err != nil {
		t.Fatal(err)
	}
	delete(s.more, "START") // the rule's own look back is what a user gets

	s.runOnce()
	first := s.found()
	compareWithSamples(t, events, first)
	s.wantWhole()

	s.runOnce().says(t, "created=0")
	s.wantFound(first...)
	s.wantWhole()
}

// compareWithSamples wants one signal for each matching event; an event and its copies have one
// between them.
func compareWithSamples(t *testing.T, events []samples.Event, found []string) {
	t.Helper()
	got, want, bySource := map[string]int{}, map[string]int{}, map[string]int{}
	for _, id := range found {
		got[id]++
	}
	for _, e := range events {
		original := e.ID()
		if e.SameAs != "" {
			original = e.Source + "." + e.SameAs
			got[original] += got[e.ID()]
			delete(got, e.ID())
		}
		if e.Match {
			want[original] = 1
		}
	}
	for _, e := range events {
		if id := e.ID(); got[id] != want[id] {
			t.Errorf("%s: %d signals, want %d: %s", id, got[id], want[id], e.Why)
		}
		bySource[e.Source] += got[e.ID()]
		delete(got, e.ID())
	}
	for id := range got {
		t.Errorf("a signal for %q, which is no sample", id)
	}
	for _, source := range samples.Sources() {
		if bySource[source] == 0 {
			t.Errorf("%s: no signal at all", source)
		}
	}
}
