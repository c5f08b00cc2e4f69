package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"esrule/internal/estest"
)

// remoteStage is a stage whose rule has patterns of a second cluster too, which goes by an alias
// and can be cut off.
type remoteStage struct {
	*stage
	far   *stage
	relay *relay
	alias string
}

// newRemoteStage makes the server far known to the server near by an alias.
func newRemoteStage(t *testing.T, near, far *estest.Cluster, alias string, skip bool) *remoteStage {
	t.Helper()
	s := &remoteStage{
		stage: stageOn(t, near, "test-"+alias, "events-*"), far: stageOn(t, far, "test-"+alias),
		relay: newRelay(t, far), alias: alias,
	}
	s.patterns = append(s.patterns, alias+":"+s.name("events-*"))
	near.Do(http.MethodPut, "_cluster/settings", map[string]any{"persistent": map[string]any{
		"cluster.remote." + alias + ".mode":             "proxy",
		"cluster.remote." + alias + ".proxy_address":    s.relay.address,
		"cluster.remote." + alias + ".skip_unavailable": skip,
	}})
	s.Create(s.name("events-1"), ecs)
	s.far.Create(s.name("events-1"), ecs)
	return s
}

// runUntilWhole runs until everything is covered: a connection takes a moment to come back.
func (s *remoteStage) runUntilWhole() {
	s.t.Helper()
	eventually(s.t, "everything is covered", func() bool {
		return s.run("run", "--once").code == 0
	})
	s.wantWhole()
}

// A rule over the indices of two clusters. Whatever becomes of the remote one, the local events are
// judged, what was not searched stays open by its name, and is searched when the cluster is back.
func TestRemoteCluster(t *testing.T) {
	t.Parallel()
	near, far := estest.Own(t, estest.Options{}), estest.Own(t, estest.Options{})
	t.Run("patterns", func(t *testing.T) { testRemotePatterns(t, near, far) })
	for alias, skip := range map[string]bool{"skipped": true, "needed": false} {
		t.Run(fmt.Sprint("skip_unavailable ", skip), func(t *testing.T) {
			t.Parallel()
			s := newRemoteStage(t, near, far, alias, skip)
			pattern := s.patterns[1]
			s.put("events-1", "near-1", match(time.Minute))
			s.far.put("events-1", "far-1", match(2*time.Minute))
			s.runUntilWhole()
			s.wantFound("near-1", "far-1")
			wantAncestor(t, s, "far-1", alias+":"+s.name("events-1"))
			wantAncestor(t, s, "near-1", s.name("events-1"))
			s.run("check").want(t, 0).says(t, pattern+": 1 indices")
			s.run("status").want(t, 0)

			s.relay.cut()
			s.put("events-1", "near-2", match(0))
			s.far.put("events-1", "far-2", match(0))
			s.run("run", "--once").want(t, 1).says(t, pattern, "remote cluster "+alias)
			s.wantFound("near-1", "near-2", "far-1")
			s.run("status").want(t, 1).says(t, pattern)
			s.run("check").want(t, 3).says(t, pattern, "not searched now")
			s.relay.restore(t)
			s.runUntilWhole()
			s.wantFound("near-1", "near-2", "far-1", "far-2")
			s.runOnce().says(t, "created=0")

			// It goes away after the point in time was opened, and before it.
			for n, is := range []func(call) bool{
				func(c call) bool {
					return isOpening(s.stage, c) && strings.Contains(c.path, alias+":")
				},
				func(c call) bool {
					return isPage(s.stage, c) && strings.Contains(c.body, alias+":")
				},
			} {
				id := fmt.Sprint("-", n+3)
				s.put("events-1", "near"+id, match(0))
				s.far.put("events-1", "far"+id, match(0))
				p, direct := newProxy(t, s.url), s.url
				p.before(1, is, func(call) { s.relay.cut() })
				s.url = p.URL
				s.run("run", "--once").want(t, 1).says(t, pattern, "remote cluster")
				s.url = direct
				s.wantOpenName(pattern)
				s.relay.restore(t)
				s.runUntilWhole()
			}
			s.wantFound("near-1", "near-2", "near-3", "near-4", "far-1", "far-2", "far-3", "far-4")

			// A closed index of the remote cluster is open by its name until somebody opens it.
			s.far.put("events-1", "far-5", match(0))
			s.far.Do(http.MethodPost, s.name("events-1")+"/_close", nil)
			s.run("run", "--once").want(t, 1).says(t, alias+":"+s.name("events-1"),
				"the index is closed")
			s.far.Do(http.MethodPost, s.name("events-1")+"/_open?wait_for_active_shards=1", nil)
			s.runUntilWhole()
			s.wantFound("near-1", "near-2", "near-3", "near-4", "far-1", "far-2", "far-3", "far-4",
				"far-5")
		})
	}
}

// Patterns with a * in the cluster's name, and exclusions of indices and of clusters.
func testRemotePatterns(t *testing.T, near, far *estest.Cluster) {
	t.Parallel()
	s := newRemoteStage(t, near, far, "wild1", true)
	other := newRemoteStage(t, near, far, "wild2", true)
	s.far.Create(s.name("events-old"), ecs)
	s.far.put("events-old", "old", match(time.Minute))
	s.far.put("events-1", "far-1", match(time.Minute))
	other.far.put("events-1", "other", match(time.Minute))
	s.patterns = []string{"wild*:" + s.name("events-*"), "wild*:-" + s.name("events-old")}
	s.runUntilWhole()
	s.wantFound("far-1") // by both clusters' names, which are of one: one event is one signal
	s.run("check").want(t, 0).says(t, ": 2 indices").saysNot(t, "events-old")
	s.run("backfill", "--from", "now-1h", "--to", "now").want(t, 0).says(t, "0 signals created")
	s.run("setup", "--role-only").want(t, 0).says(t, `"remote_indices"`, `"wild*"`)

	other.relay.cut()
	s.far.put("events-1", "far-2", match(0))
	s.run("run", "--once").want(t, 1).says(t, "wild2:"+s.name("events-*"), "remote cluster wild2")
	s.wantFound("far-1", "far-2")
	s.run("backfill", "--from", "now-1h", "--to", "now", "--restart").want(t, 1).says(t, "wild2:"+
		s.name("events-*"))
	s.patterns = append(s.patterns, "-wild2:*")
	s.more["STATE_INDEX"] = s.name("out-state-2")
	s.run("run", "--once").want(t, 0)
	s.run("status").want(t, 0)

	hit := `{"_index": "wild1:` + s.name("events-1") + `", "_id": "far-2", "_source": {}}`
	s.run("explain", "--event", writeFile(t, "hit.json", hit)).want(t, 0).
		says(t, "The event matches rule", "asked of the index too")
}

// wantOpenName fails the test where the ledger does not hold a pattern open.
func (s *remoteStage) wantOpenName(pattern string) {
	s.t.Helper()
	for _, o := range s.ledger().Open {
		if o.Index == pattern && len(o.Time) > 0 {
			return
		}
	}
	s.t.Errorf("%s is not open in the ledger: %+v", pattern, s.ledger().Open)
}

// wantAncestor fails the test where the signal of an event does not name its index.
func wantAncestor(t *testing.T, s *remoteStage, id, index string) {
	t.Helper()
	for _, hit := range s.signals() {
		if text := string(hit.Source); strings.Contains(text, `"id":"`+id+`"`) &&
			strings.Contains(text, `"index":"`+index+`"`) {
			return
		}
	}
	t.Errorf("no signal names %s of %s", id, index)
}
