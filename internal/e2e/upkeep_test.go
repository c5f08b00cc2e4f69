package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"esrule/internal/schedule"
	"esrule/internal/schedule/backfill"
)

// What a person made of an alert stays, however often its event is found again.
func TestAlertIsNotOverwritten(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	s.put("events-1", "a", match(time.Minute))
	s.runOnce()
	id := s.signals()[0].ID
	s.Do(http.MethodPost, s.signalsIndex()+"/_update/"+id+"?refresh=true",
		`{"doc": {"kibana.alert.workflow_status": "closed"}}`)
	s.Delete(s.stateIndex())
	s.runOnce().says(t, "created=0 duplicates=1")
	s.run("backfill", "--from", "now-1h", "--to", "now").want(t, 0).says(t, "0 signals created")
	if got := s.signals(); len(got) != 1 ||
		!strings.Contains(string(got[0].Source), `"kibana.alert.workflow_status":"closed"`) {
		t.Errorf("signals: got %s, want the closed one", got)
	}
}

// A new signals index knows nothing of what was alerted before. The signals of the time that is
// read again are copied to it first, with their ids, and nothing is alerted twice; what was not
// copied is.
func TestNewSignalsIndex(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	s.put("events-1", "copied", match(time.Minute))
	s.put("events-1", "forgotten", match(2*time.Minute))
	s.runOnce()
	old := s.signals()

	next := *s
	next.prefix = s.prefix + "-next"
	next.more = map[string]string{"STATE_INDEX": s.stateIndex(),
		"DEAD_LETTER_INDEX": s.deadLetterIndex()}
	next.run("setup").want(t, 0)
	for _, hit := range old {
		if strings.Contains(string(hit.Source), `"kibana.alert.ancestors":[{"id":"copied"`) {
			s.Do(http.MethodPut, next.signalsIndex()+"/_doc/"+hit.ID+"?refresh=true", hit.Source)
		}
	}
	if n := next.Count(next.signalsIndex()); n != 1 {
		t.Fatalf("signals copied: got %d, want 1 of %s", n, old)
	}
	next.runOnce().saysNot(t, "THE STATE INDEX WAS MISSING").says(t, "created=1 duplicates=1")
	next.wantFound("copied", "forgotten")
}

// An older ledger costs reading and doubles nothing. Signals that are older than the ledger are
// made whole by a backfill.
func TestRestoredFromASnapshot(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	s.put("events-1", "before", match(30*time.Minute))
	s.runOnce()
	snapshot := s.ledger()
	s.put("events-1", "after", match(0))
	s.runOnce()
	s.wantFound("after", "before")

	s.changeLedger(func(l *schedule.Ledger) { *l = snapshot })
	s.runOnce().says(t, "created=0")
	s.wantFound("after", "before")
	s.wantWhole()

	for _, hit := range s.signals() {
		s.Do(http.MethodDelete, s.signalsIndex()+"/_doc/"+hit.ID+"?refresh=true", nil)
	}
	s.run("backfill", "--from", "now-1h", "--to", "now").want(t, 0).says(t, "2 signals created")
	s.wantFound("after", "before")
}

// A slice that cannot be covered leaves no other behind. The same command later does what is
// missing, and only that.
func TestBackfillOneBadSlice(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	want := loadCrowd(t, s)
	// far from the others, so in a slice of its own
	text, err := json.Marshal(match(7 * 24 * time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	// The server takes a document that begins with a comment, and can give it back to nobody.
	document := s.name("events-1") + "/_doc/unreadable?refresh=true"
	s.Do(http.MethodPut, document, "/* comment */ "+string(text))
	s.run(history...).want(t, 1).says(t, s.name("events-1"), "unreadable", "To resume")
	wantExactly(t, s, want)
	worked := map[backfill.State]map[string]time.Time{}
	for _, slice := range slicesOf(s) {
		if worked[slice.State] == nil {
			worked[slice.State] = map[string]time.Time{}
		}
		worked[slice.State][slice.Window.String()] = slice.UpdatedAt
	}
	if len(worked) != 2 || len(worked[backfill.Failed]) != 1 {
		t.Errorf("slices: got %v, want one failed and all others done", worked)
	}

	s.Do(http.MethodPut, document, string(text))
	s.run(history...).want(t, 0)
	want = append(want, string(identity(t, ruleID, text)))
	slices.Sort(want)
	wantExactly(t, s, want)
	for _, slice := range slicesOf(s) {
		if before, done := worked[backfill.Done][slice.Window.String()]; done &&
			!slice.UpdatedAt.Equal(before) {
			t.Errorf("slice %s was done and was worked on again", slice.Window)
		}
	}
}
