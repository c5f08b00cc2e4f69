package schedule_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// archive has an index with an event of 5 minutes ago that is older than the coverage and closed.
func archive(t *testing.T) (w *world, index string) {
	t.Helper()
	w = newWorld(t)
	w.index("first")
	index = w.index("archive")
	w.clock = time.Now().UTC().Add(time.Hour).Truncate(time.Millisecond)
	w.theirs = func() time.Time { return w.clock }
	w.event(index, 5, "bad.exe", 1)
	w.Do(http.MethodPost, index+"/_close", nil)
	return w, index
}

// TestClosedLater has an index that was made before the coverage began and closed since: its events
// are in the coverage, and nothing says when it was closed.
func TestClosedLater(t *testing.T) {
	w, index := archive(t)
	for range 2 {
		report := w.pass(5 * time.Minute)
		if len(report.Open) != 1 || report.Open[0].Index != index {
			t.Fatalf("open: %+v, want %s", report.Open, index)
		}
		if reason := report.Open[0].Reason; !strings.Contains(reason, "ESRULE_SET_ASIDE") {
			t.Errorf("the reason does not say how to set it aside: %s", reason)
		}
	}
	w.Do(http.MethodPost, index+"/_open", nil)
	w.wait(index)
	w.pass(5 * time.Minute)
	w.wantSignals("once it is opened", 1)
}

// TestArchiveIsSetAside names a closed index as known, before the first run or once it is open in
// the ledger: no run fails for it, and it is searched whole when it is opened, or is not known any
// more.
func TestArchiveIsSetAside(t *testing.T) {
	f := func(why string, runsBefore int, end func(w *world, index string), open, signals int) {
		t.Helper()
		t.Run(why, func(t *testing.T) {
			w, index := archive(t)
			for range runsBefore {
				w.pass(5 * time.Minute)
			}
			w.setAside = []string{w.Index("events-arch*")}
			for range 2 {
				if report := w.pass(5 * time.Minute); len(report.Open) != 0 {
					t.Errorf("open: %+v", report.Open)
				}
			}
			if n := strings.Count(w.log.String(), "are set aside"); n != 1 {
				t.Errorf("said %d times, want once", n)
			}
			if l := w.ledger(); len(*l.SetAside) != 1 {
				t.Errorf("set aside: %q", *l.SetAside)
			}
			end(w, index)
			if report := w.pass(24 * time.Hour); len(report.Open) != open {
				t.Errorf("open: %+v, want %d", report.Open, open)
			}
			w.wantSignals("at the end", signals)
		})
	}
	opened := func(w *world, index string) {
		w.Do(http.MethodPost, index+"/_open", nil)
		w.wait(index)
	}
	f("opened", 0, opened, 0, 1)
	f("known later, opened", 2, opened, 0, 1)
	f("not known any more", 0, func(w *world, _ string) { w.setAside = nil }, 1, 0)
	f("deleted", 0, func(w *world, index string) { w.Delete(index) }, 0, 0)
}

// TestSetAsideIndexLeavesThePatterns takes an index that is set aside out of the patterns, opens
// it, and puts it back.
func TestSetAsideIndexLeavesThePatterns(t *testing.T) {
	w, index := archive(t)
	alias := w.Index("alias")
	point := func(action string) {
		w.Do(http.MethodPost, "_aliases", `{"actions":[{"`+action+`":{"index":"`+index+
			`","alias":"`+alias+`"}}]}`)
	}
	point("add")
	w.rule.Index = []string{w.Index("events-first"), alias}
	w.setAside = []string{index}
	w.pass(5 * time.Minute)
	point("remove")
	w.pass(5 * time.Minute)
	w.Do(http.MethodPost, index+"/_open", nil)
	w.wait(index)
	w.pass(5 * time.Minute)
	point("add")
	if report := w.pass(24 * time.Hour); len(report.Open) != 0 {
		t.Errorf("open: %+v", report.Open)
	}
	w.wantSignals("of the index that came back open", 1)
}
