package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A signal that the alerts index refuses for what the event holds is written reduced; the run goes on.
func TestReducedSignal(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	s.put("events-1", "good", match(time.Minute))
	odd := recorded(match(time.Minute))
	odd.set("user.name", map[string]any{"an object": "where the alerts index has a keyword"})
	s.put("events-1", "odd", odd)

	s.runOnce().says(t, "signal written reduced", "matched=2", "reduced=1", "dead_lettered=0")
	s.wantFound("good", "odd")
	for _, hit := range s.signals() {
		signal := decode(t, hit.Source)
		if signal.get("kibana.alert.esrule.reduced") == nil {
			continue
		}
		original, _ := signal.get("event.original").(string)
		if !strings.Contains(original, `"an object"`) || signal.get("kibana.alert.rule.rule_id") != string(ruleID) {
			t.Errorf("the reduced signal does not hold the event or its rule: %s", hit.Source)
		}
	}
	s.runOnce().says(t, "created=0", "reduced=0")
	s.wantWhole()
}

// An alerts index that takes no form of a signal: each goes with its reason to the dead letters, which is told by the
// exit code, and nothing is searched a second time for it.
func TestDeadLetter(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	s.put("events-1", "a", match(time.Minute))
	s.put("events-1", "b", match(2*time.Minute))
	s.Create(s.signalsIndex(), `{"mappings": {"dynamic": "strict", "properties": {"@timestamp": {"type": "date"}}}}`)

	s.run("run", "--once").want(t, 1).says(t, "not made by esrule", "signal kept as a dead letter", "dead_lettered=2",
		"2 signals were refused by the signals index and lie in the dead-letter index")
	s.wantFound()
	s.Refresh(s.deadLetterIndex())
	letters := s.Hits(s.deadLetterIndex())
	for _, letter := range letters {
		var of struct {
			Rule   string `json:"rule.id"`
			Event  string `json:"event.id"`
			Signal string `json:"signal.id"`
			Reason string `json:"reason"`
			Source string `json:"source"`
		}
		if err := json.Unmarshal(letter.Source, &of); err != nil {
			t.Fatal(err)
		}
		if of.Rule != string(ruleID) || of.Event != "a" && of.Event != "b" || of.Signal != letter.ID ||
			!strings.Contains(of.Reason, "strict_dynamic_mapping_exception") || !strings.Contains(of.Source, "shell.aspx") {
			t.Errorf("dead letter: got %s", letter.Source)
		}
	}
	if len(letters) != 2 {
		t.Errorf("dead letters: got %d, want 2", len(letters))
	}
	s.runOnce().says(t, "dead_lettered=0")
	s.wantWhole()
}

// An alerts index that takes nothing for now: the time stays open, and the next run writes what is missing.
func TestReadOnlySignals(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	s.put("events-1", "a", match(time.Minute))
	s.run("setup").want(t, 0)
	block := func(on bool) {
		s.Do(http.MethodPut, s.signalsIndex()+"/_settings", map[string]any{"index.blocks.write": on})
	}
	block(true)
	s.run("run", "--once").want(t, 1).says(t, s.signalsIndex(), "cluster_block_exception", "the index takes no writes")
	s.wantFound()
	if l := s.ledger(); len(l.Covered) > 0 {
		t.Errorf("covered: got %v, want nothing: the signal is nowhere", l.Covered)
	}
	s.run("status").want(t, 1)
	block(false)
	s.runOnce()
	s.wantFound("a")
	s.wantWhole()
	s.run("status").want(t, 0)
}
