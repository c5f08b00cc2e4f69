package e2e

import (
	"net/http"
	"testing"
	"time"

	"esrule/internal/estest"
)

// TestVersions runs a short part of the suite on servers of other versions than the shared one;
// `make matrix` runs the whole of it on more.
func TestVersions(t *testing.T) {
	if testing.Short() {
		t.Skip("needs Elasticsearch; -short is set")
	}
	t.Parallel() // beside other tests, but one server at a time: each takes memory
	for _, version := range estest.OtherVersions() {
		t.Run(version, func(t *testing.T) {
			server := estest.Own(t, estest.Options{Version: version})
			openDialectHolds(t, stageOn(t, server, "dialect"))
			samplesAreFound(t, stageOn(t, server, "samples"))
			sickIndicesAreNamed(t, stageOn(t, server, "sick", "events-*"))
			kindsAreFound(t, stageOn(t, server, "kinds", "events-*"))
		})
	}
}

// An index that is blocked and one that lacks a shard are named and stay open; the others are
// searched.
func TestSickIndices(t *testing.T) {
	t.Parallel()
	sickIndicesAreNamed(t, newStage(t, "events-*"))
}

func sickIndicesAreNamed(t *testing.T, s *stage) {
	t.Helper()
	for _, name := range []string{"events-good", "events-blocked"} {
		s.Create(s.name(name), ecs)
		s.put(name, name, match(time.Minute))
	}
	setting := func(index, name string, value any) {
		s.Do(http.MethodPut, s.name(index)+"/_settings", map[string]any{name: value})
	}
	setting("events-blocked", "index.blocks.read", true)
	s.Do(http.MethodPut, s.name("events-red")+"?wait_for_active_shards=0", map[string]any{
		"settings": map[string]any{"index.routing.allocation.require._name": "nowhere"},
	})
	s.run("run", "--once").want(t, 1).says(t, s.name("events-blocked"), "blocked",
		s.name("events-red"), "a shard is not available")
	s.wantFound("events-good")
	s.run("status").want(t, 1).says(t, s.name("events-blocked"), s.name("events-red"))

	setting("events-blocked", "index.blocks.read", nil)
	setting("events-red", "index.routing.allocation.require._name", nil)
	s.Do(http.MethodGet, "_cluster/health/"+s.name("events-red")+"?wait_for_status=yellow", nil)
	s.put("events-red", "events-red", match(time.Minute))
	s.runOnce()
	s.wantFound("events-blocked", "events-good", "events-red")
	s.wantWhole()
}
