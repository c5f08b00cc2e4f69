package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"esrule/internal/schedule"
	"esrule/internal/span"
)

// Two instances at once, over the same time and the same rule, on indices that neither finds there:
// one signal an event.
func TestTwoInstances(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	want := loadCrowd(t, s)
	s.more["START"] = "3h"
	first, second := start(t, s.env(), "run", "--once"), start(t, s.env(), "run", "--once")
	first.wait().want(t, 0)
	second.wait().want(t, 0)
	wantExactly(t, s, want)
	s.wantWhole()
}

// The service finds an event that comes after its start, and SIGTERM ends it well.
func TestService(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	s.put("events-1", "before", match(time.Minute))
	s.more["SCHEDULE"] = "@every 1s"
	service := start(t, s.env(), "run")
	eventually(t, "the first run ends", func() bool {
		return strings.Contains(service.stderr.String(), "msg=run ")
	})
	s.wantFound("before")
	s.put("events-1", "behind", match(0))
	eventually(t, "a signal for the event that came later", func() bool {
		return slices.Equal(s.found(), []string{"before", "behind"})
	})
	if err := service.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	service.wait().want(t, 0).says(t, "polling",
		"stopped; what is open is searched by the next run")

	s.put("events-1", "while-down", match(0))
	s.runOnce()
	s.wantFound("before", "behind", "while-down")
	s.wantWhole()
}

// A ledger that reaches into the future, as a clock that was ahead leaves it, would hide what comes
// until then.
func TestLedgerInTheFuture(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	s.runOnce()
	s.changeLedger(func(l *schedule.Ledger) {
		l.Covered[0].To = l.Covered[0].To.Add(2 * time.Hour)
	})
	s.runOnce().says(t, "level=WARN", "the ledger ended in the future")
	if l := s.ledger(); l.Covered.End().After(time.Now()) {
		t.Errorf("covered up to %s, which is in the future", l.Covered.End())
	}
	s.put("events-1", "later", match(0))
	s.runOnce()
	s.wantFound("later")
	s.wantWhole()
}

// After an outage the newest time comes first, then the gap from its oldest end, in pieces of an
// hour.
func TestCatchingUp(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	s.more["START"] = "12h"
	s.runOnce()
	now := time.Now()
	var gap span.Interval
	s.changeLedger(func(l *schedule.Ledger) {
		gap = span.New(now.Add(-8*time.Hour), now.Add(-5*time.Hour-30*time.Minute))
		outage := span.New(now.Add(-time.Hour), now.Add(time.Hour))
		l.Covered = l.Covered.Minus(gap, outage)
	})
	s.put("events-1", "in-the-gap", match(6*time.Hour))
	s.put("events-1", "in-the-outage", match(30*time.Minute))
	s.put("events-1", "live", match(time.Minute))

	p := newProxy(t, s.url)
	s.url = p.URL
	s.runOnce()
	s.wantFound("in-the-gap", "in-the-outage", "live")
	s.wantWhole()

	windows := searched(t, p)
	if len(windows) < 3 {
		t.Fatalf("windows that were searched: got %v, want the live one, the gap's and one of "+
			"the outage at least", windows)
	}
	if live := windows[0]; live.To.Before(now) || live.From.Before(now.Add(-30*time.Minute)) {
		t.Errorf("searched first: got %s, want the newest minutes", live)
	}
	const overlap = 4 * time.Minute
	// The pieces of the gap follow each other, from an hour up: they grow while they are cheap.
	at, next := gap.From, 1
	for ; next < len(windows) && at.Before(gap.To); next++ {
		got := windows[next]
		if !got.From.Equal(at.Add(-overlap)) || got.To.After(gap.To) || got.To.Before(gap.To) &&
			got.To.Before(at.Add(time.Hour)) {
			t.Errorf("searched as number %d: got %s, want an hour or more of the gap from %s on",
				next+1, got, at)
		}
		at = got.To
	}
	if next >= len(windows) {
		t.Fatalf("windows that were searched: got %v, want the rest of the outage too", windows)
	}
	if rest := windows[next]; !rest.From.Before(now.Add(-time.Hour)) ||
		rest.To.After(windows[0].To) {
		t.Errorf("searched after the gap: got %s, want the rest of the outage", rest)
	}
}

// searched gives the windows that the program asked for, in order; a second page of one counts
// once.
func searched(t *testing.T, p *proxy) []span.Interval {
	t.Helper()
	bound := func(body, which string) time.Time {
		found := regexp.MustCompile(fmt.Sprintf(`"%s":"([^"]*)"`, which)).FindStringSubmatch(body)
		if found == nil {
			t.Fatalf("a search without %s: %s", which, body)
		}
		at, err := time.Parse(time.RFC3339Nano, found[1])
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	var windows []span.Interval
	for _, c := range p.seen() {
		if isPage(nil, c) {
			windows = append(windows, span.New(bound(c.body, "gte"), bound(c.body, "lt")))
		}
	}
	return slices.Compact(windows)
}

// Without its state the program knows nothing of what it has searched, and says so; no signal is
// doubled.
func TestStateIsGone(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	s.put("events-1", "a", match(time.Minute))
	s.runOnce().saysNot(t, "THE STATE INDEX WAS MISSING")
	s.wantFound("a")
	s.Delete(s.stateIndex())
	s.runOnce().says(t, "THE STATE INDEX WAS MISSING WHILE SIGNALS EXIST", "backfill",
		s.stateIndex())
	s.wantFound("a")
	s.wantWhole()
	s.runOnce().saysNot(t, "THE STATE INDEX WAS MISSING")

	s.Do(http.MethodDelete, s.ledgerPath(), nil)
	s.runOnce().says(t, "the ledger of a rule is gone while it has signals", "signals=1",
		"backfill")
	s.wantFound("a")
	s.runOnce().saysNot(t, "the ledger of a rule is gone")
}

// changeLedger edits the shipped rule's ledger behind the program's back.
func (s *stage) changeLedger(change func(*schedule.Ledger)) {
	s.t.Helper()
	l := s.ledger()
	change(&l)
	text, err := json.Marshal(l)
	if err != nil {
		s.t.Fatal(err)
	}
	s.Do(http.MethodPut, s.ledgerPath()+"?refresh=true", text)
}
