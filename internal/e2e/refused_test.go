package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A signal that the alerts index refuses for what the event holds is written reduced; the run goes
// on.
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
		if !strings.Contains(original, `"an object"`) ||
			signal.get("kibana.alert.rule.rule_id") != string(ruleID) {
			t.Errorf("the reduced signal does not hold the event or its rule: %s", hit.Source)
		}
	}
	s.runOnce().says(t, "created=0", "reduced=0")
	s.wantWhole()
}

// An alerts index that takes signals, and some in no form: each of these goes with its reason to
// the dead letters, which is told by the exit code, and nothing is searched a second time for it.
func TestDeadLetter(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	s.put("events-1", "a", match(time.Minute))
	s.put("events-1", "b", match(2*time.Minute))
	s.put("events-1", "7", match(3*time.Minute))
	s.Create(s.signalsIndex(), `{"mappings": {"properties": {
		"kibana.alert.ancestors": {"properties": {"id": {"type": "long"}}}}}}`)

	s.run("run", "--once").want(t, 1).says(t, "not made by esrule", "signal kept as a dead letter",
		"dead_lettered=2",
		"2 signals were refused by the signals index and lie in the dead-letter index")
	s.wantFound("7")
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
		if of.Rule != string(ruleID) || of.Event != "a" && of.Event != "b" ||
			of.Signal != letter.ID ||
			!strings.Contains(of.Reason, "document_parsing_exception") ||
			!strings.Contains(of.Source, "shell.aspx") {
			t.Errorf("dead letter: got %s", letter.Source)
		}
	}
	if len(letters) != 2 {
		t.Errorf("dead letters: got %d, want 2", len(letters))
	}
	s.runOnce().says(t, "dead_lettered=0")
	s.wantWhole()
	s.run("status").want(t, 0).says(t, "2 dead letters in "+s.deadLetterIndex(), "backfill")
}

// Dead letters come back: once the alerts index takes them, a backfill over their time writes the
// signals, in full and under their own ids, and those that were written before stay single.
func TestBackfillAfterDeadLetters(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	s.more["START"] = "1h"
	s.put("events-1", "a", match(30*time.Minute))
	s.put("events-1", "7", match(31*time.Minute))
	ids := func(more string) string {
		return `{"properties": {"kibana.alert.ancestors": {"properties": {"id": {"type": "long"` +
			more + `}}}}}`
	}
	s.Create(s.signalsIndex(), `{"mappings": `+ids("")+`}`)
	s.run("run", "--once").want(t, 1).says(t, "dead_lettered=1")
	s.wantFound("7")
	s.Do(http.MethodPut, s.signalsIndex()+"/_mapping", ids(`, "ignore_malformed": true`))
	s.runOnce().says(t, "created=0", "dead_lettered=0") // this time is not searched again
	s.wantFound("7")

	s.run("backfill", "--from", "now-1h", "--to", "now").want(t, 0).
		says(t, "1 signals created", "1 alerted before")
	s.wantFound("7", "a")
	s.Refresh(s.deadLetterIndex())
	letters := s.Hits(s.deadLetterIndex())
	if len(letters) != 1 {
		t.Fatalf("dead letters: got %d, want 1", len(letters))
	}
	for _, signal := range s.signals() {
		if signal.ID == letters[0].ID {
			if decode(t, signal.Source).get("kibana.alert.esrule.reduced") != nil {
				t.Errorf("the signal is reduced: %s", signal.Source)
			}
			return
		}
	}
	t.Errorf("no signal has the id of the dead letter, %s", letters[0].ID)
}

// An alerts index that refuses every signal for what the index is: nothing is given up, and after
// the repair the next run writes them all.
func TestSignalsIndexRefusesAll(t *testing.T) {
	t.Parallel()
	f := func(name, settings, repaired, advice string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, "events-*")
			s.Create(s.name("events-1"), ecs)
			s.put("events-1", "a", match(time.Minute))
			s.put("events-1", "b", match(2*time.Minute))
			s.run("setup").want(t, 0)
			s.Do(http.MethodPut, s.signalsIndex()+"/_settings", settings)
			s.run("run", "--once").want(t, 1).says(t, s.signalsIndex(), advice, "dead_lettered=0")
			s.wantFound()
			s.wantOpen(match(time.Minute), match(2*time.Minute))
			s.run("status").want(t, 1)
			s.Do(http.MethodPut, s.signalsIndex()+"/_settings", repaired)
			s.runOnce().says(t, "created=2", "dead_lettered=0")
			s.wantFound("a", "b")
			s.wantWhole()
		})
	}
	f("default pipeline", `{"index.default_pipeline":"esrule-nowhere"}`,
		`{"index.default_pipeline":"_none"}`, "create the ingest pipeline")
	f("final pipeline", `{"index.final_pipeline":"esrule-nowhere"}`,
		`{"index.final_pipeline":"_none"}`, "create the ingest pipeline")
}

// An event that a proxy's limit keeps from the alerts index: it is alerted without its text, and
// all others in full.
func TestOversizedEvent(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	f := func(name string, refuse func(http.ResponseWriter)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, "events-*")
			s.Create(s.name("events-1"), ecs)
			want := []string{"large"}
			for n := range 12 {
				id := fmt.Sprint("small-", n)
				want = append(want, id)
				s.put("events-1", id, match(time.Duration(n+1)*10*time.Second))
			}
			large := match(time.Minute)
			large["message"] = strings.Repeat("x", limit+200_000)
			s.put("events-1", "large", large)
			direct := s.url
			s.url = gateway(t, direct, func(w http.ResponseWriter, r *http.Request) bool {
				if r.ContentLength > limit {
					refuse(w)
				}
				return r.ContentLength > limit
			})
			s.runOnce().says(t, "signal written without its event", "event_id=large",
				"event_index="+s.name("events-1"), "without_event=1", "created=12",
				"dead_lettered=0")
			s.wantFound(want...)
			s.wantWhole()
			s.runOnce().says(t, "created=0", "without_event=0")
			s.run("status").want(t, 0)
		})
	}
	f("413", func(w http.ResponseWriter) {
		http.Error(w, "<html><h1>413 Request Entity Too Large</h1></html>",
			http.StatusRequestEntityTooLarge)
	})
	f("reset", func(http.ResponseWriter) { panic(http.ErrAbortHandler) })
}

// An alerts index that takes nothing for now: the time stays open, and the next run writes what is
// missing.
func TestReadOnlySignals(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	s.put("events-1", "a", match(time.Minute))
	s.run("setup").want(t, 0)
	block := func(on bool) {
		s.Do(http.MethodPut, s.signalsIndex()+"/_settings",
			map[string]any{"index.blocks.write": on})
	}
	block(true)
	s.run("run", "--once").want(t, 1).says(t, s.signalsIndex(), "cluster_block_exception",
		"the index takes no writes")
	s.wantFound()
	s.wantOpen(match(time.Minute))
	s.run("status").want(t, 1)
	block(false)
	s.runOnce()
	s.wantFound("a")
	s.wantWhole()
	s.run("status").want(t, 0)
}

// A state index that a full disk has blocked: nobody waits for it, signals are written all the
// same, and the run says that it forgets what it has searched.
func TestStateIsBlocked(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	s.put("events-1", "a", match(time.Minute))
	s.run("setup").want(t, 0)
	block := func(on bool) {
		s.Do(http.MethodPut, s.stateIndex()+"/_settings",
			map[string]any{"index.blocks.read_only_allow_delete": on})
	}
	block(true)
	began := time.Now()
	r := s.run("run", "--once").want(t, 1).says(t, "created=1", "is not kept",
		"remove what blocks the state index")
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("took %s, want no waiting for the block:\n%s", took, r.stderr)
	}
	s.wantFound("a")
	block(false)
	s.runOnce().says(t, "created=0", "duplicates=1")
	s.wantWhole()
}

// wantOpen fails the test where the time of an event counts as covered.
func (s *stage) wantOpen(events ...map[string]any) {
	s.t.Helper()
	for _, event := range events {
		at, err := time.Parse(time.RFC3339Nano, event["@timestamp"].(string))
		if err != nil {
			s.t.Fatal(err)
		}
		for _, i := range s.ledger().Covered {
			if !at.Before(i.From) && at.Before(i.To) {
				s.t.Errorf("%s is covered by %s: its signal is nowhere", at, i)
			}
		}
	}
}
