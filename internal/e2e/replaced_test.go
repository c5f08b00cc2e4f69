package e2e

import (
	"testing"
	"time"
)

// An index that could not be read and is replaced by one of another name: its events are found
// there.
func TestReplacedIndex(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	s.put("events-1", "lost", match(7*time.Minute))
	s.Do("PUT", s.name("events-1")+"/_settings", `{"index.blocks.read": true}`)
	s.run("run", "--once").want(t, 1).says(t, s.name("events-1"), "blocked")
	s.wantFound()

	s.Create(s.name("events-1-v2"), ecs)
	s.put("events-1-v2", "lost", match(7*time.Minute))
	s.Delete(s.name("events-1"))
	s.runOnce().says(t, "an index was deleted before it was covered", s.name("events-1"))
	s.wantFound("lost")
	s.run("status").want(t, 0)
}

// A closed index is named by every command, and searched when it is opened.
func TestClosedIndex(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	s.put("events-1", "a", match(time.Minute))
	s.Do("POST", s.name("events-1")+"/_close", nil)
	const closed = "the index is closed"
	s.run("check").want(t, 3).says(t, s.name("events-1"), "closed, so not searched")
	s.run("run", "--once").want(t, 1).says(t, s.name("events-1"), closed)
	s.run("status").want(t, 1).says(t, s.name("events-1"), closed)
	s.Do("POST", s.name("events-1")+"/_open", nil)
	s.Do("GET", "_cluster/health/"+s.name("events-1")+"?wait_for_status=yellow&timeout=30s", nil)
	s.runOnce()
	s.wantFound("a")
	s.run("status").want(t, 0)
}
