package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"esrule/internal/query/rule"
	"esrule/internal/schedule"
	"esrule/internal/sink/signal"
)

// A run that is killed at any moment and started again: no signal is lost, none is doubled, and the
// ledger has no gap.
func TestKilled(t *testing.T) {
	t.Parallel()
	events := newStage(t, "events-*")
	want := loadCrowd(t, events)
	n := 0
	f := func(at string, nth int, forward bool, is func(*stage, call) bool, least, most int) {
		t.Helper()
		n++
		prefix := fmt.Sprintf("%s-killed%d", events.prefix, n)
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			s := stageOn(t, events.Cluster, prefix)
			s.patterns = events.patterns
			s.more = map[string]string{"START": "3h", "PAGE_SIZE": "50"}
			if got := killAt(t, s, nth, forward, is); got < least || got > most {
				t.Errorf("signals before the restart: got %d, want %d to %d", got, least, most)
			}
			s.runOnce()
			wantExactly(t, s, want)
			s.wantWhole()
		})
	}
	// The live window has 10 events; the gap behind it is covered in pieces of an hour with 600
	// events each, which take several pages and bulk requests. The ledger is written at the end,
	// and every ten seconds of a longer run.
	const live, piece = 10, 600
	all := len(want)
	f("between writing signals and moving the ledger", 1, false, isCovering, live, all)
	f("between moving the ledger and hearing of it", 1, true, isCovering, live, all)
	f("before the first signals are sent", 1, false, isBulk, 0, 0)
	f("between sending signals and hearing of them", 1, true, isBulk, live, live)
	f("between two bulk requests of a piece", 3, false, isBulk, live+1, live+piece-1)
	f("within the second piece", 9, true, isBulk, live+piece, all-1)
	f("at the first page", 1, false, isPage, 0, 0)
	f("between two pages", 5, true, isPage, live, live+piece-1)
	f("at the opening of the second point in time", 1, true, isNextOpening(), live, live)
}

// isCovering is the write by which a ledger says that more is covered than before.
func isCovering(s *stage, c call) bool {
	if c.path != "/"+s.stateIndex()+"/_bulk" {
		return false
	}
	for line := range strings.Lines(c.body) {
		var ledger schedule.Ledger
		if json.Unmarshal([]byte(line), &ledger) == nil && len(ledger.Covered) > 0 {
			return true
		}
	}
	return false
}

func isBulk(s *stage, c call) bool { return c.path == "/"+s.signalsIndex()+"/_bulk" }

func isPage(_ *stage, c call) bool {
	return c.path == "/_search" && strings.Contains(c.body, `"pit"`)
}

// isNextOpening is the opening of a point in time after signals were sent. (The first one may take
// several requests: a server before 8.16 refuses a parameter.)
func isNextOpening() func(*stage, call) bool {
	sent := false
	return func(s *stage, c call) bool {
		sent = sent || isBulk(s, c)
		return sent && isOpening(s, c)
	}
}

func isOpening(_ *stage, c call) bool {
	return c.method == http.MethodPost && strings.HasSuffix(c.path, "/_pit")
}

// killAt runs the program until it sends the nth request of a kind, kills it with that request
// under way, and gives the number of signals that are there.
func killAt(t *testing.T, s *stage, nth int, forward bool, is func(*stage, call) bool) int {
	t.Helper()
	p := newProxy(t, s.url)
	p.holdAt(nth, forward, func(c call) bool { return is(s, c) })
	direct := s.url
	s.url = p.URL
	defer func() { s.url = direct }()
	running := start(t, s.env(), "run", "--once")
	select {
	case <-p.held:
	case <-running.ended:
		t.Fatalf("it ended without that request: %+v", running.wait())
	}
	if err := running.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	running.wait().want(t, -1)
	return len(s.signals())
}

// loadCrowd writes events over two and a half hours, and near misses among them, and gives the ids
// of the signals to come.
func loadCrowd(t *testing.T, s *stage) []string {
	t.Helper()
	s.Create(s.name("events-1"), ecs)
	var docs []any
	var want []string
	add := func(ago time.Duration, process string) {
		e := match(ago)
		e["process"] = map[string]any{"name": process}
		docs = append(docs, e)
		if process != "umservice.exe" {
			return
		}
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, string(identity(t, ruleID, text)))
	}
	const live, piece = 10, 600
	for i := range live {
		add(time.Minute+time.Duration(i)*time.Second, "umservice.exe")
	}
	for i := range piece { // hours away from where the pieces are cut, whatever the time of the run
		between := time.Duration(i) * time.Second
		add(2*time.Hour+20*time.Minute+between, "umservice.exe")
		add(2*time.Hour+20*time.Minute+between, "w3wp.exe")
		add(time.Hour+20*time.Minute+between, "umservice.exe")
	}
	s.Bulk(s.name("events-1"), docs...)
	slices.Sort(want)
	return want
}

func identity(t *testing.T, id rule.ID, source []byte) signal.ID {
	t.Helper()
	signal, err := signal.Identify(id, signal.Event{Source: source})
	if err != nil {
		t.Fatal(err)
	}
	return signal
}

// wantExactly fails the test where a signal is missing, or there is one too many.
func wantExactly(t *testing.T, s *stage, want []string) {
	t.Helper()
	var got []string
	for _, hit := range s.signals() {
		got = append(got, hit.ID)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("signals: got %d, want %d, or they are others", len(got), len(want))
	}
}
