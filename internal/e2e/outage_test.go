package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"time"

	"esrule/internal/schedule"
	"esrule/internal/span"
)

// outageStage is a stage whose rule ran for two days until some time ago, as its ledger says, and
// not since.
func outageStage(t *testing.T, off time.Duration) (s *stage, stopped time.Time) {
	t.Helper()
	s = newStage(t, "events-*")
	s.Create(s.name("events-a"), ecs)
	s.runOnce()
	l := s.ledger()
	stopped = l.Covered.End().Add(-off)
	l.Since = stopped.Add(-48 * time.Hour)
	l.Covered = span.Intervals{span.New(l.Since, stopped)}
	l.Sweep = &schedule.Sweep{Start: stopped, CompletedAt: stopped, Due: stopped.Add(time.Hour)}
	s.Do(http.MethodPut, s.ledgerPath(), l)
	return s, stopped
}

// pageWindow is the window by which a search places events without event.ingested. A late sweep's
// last has no end.
var pageWindow = regexp.MustCompile(
	`"range":\{"@timestamp":\{"format":"[a-z_]+","gte":"([^"]+)"(?:,"lt":"([^"]+)")?\}`)

// windows are what the program searched, in order, each once however many pages it took.
func (p *proxy) windows(s *stage) (seen []span.Interval) {
	for _, c := range p.seen() {
		m := pageWindow.FindStringSubmatch(c.body)
		if !isPage(s, c) || m == nil {
			continue
		}
		var w span.Interval
		w.From, _ = time.Parse(time.RFC3339, m[1])
		w.To, _ = time.Parse(time.RFC3339, m[2])
		if n := len(seen); n == 0 || seen[n-1] != w {
			seen = append(seen, w)
		}
	}
	return seen
}

// Three days off, with an event in each hour: one run finds them all, the newest first.
func TestOutageOfThreeDays(t *testing.T) {
	t.Parallel()
	const hours, overlap = 72, 4 * time.Minute
	s, stopped := outageStage(t, hours*time.Hour)
	var want []string
	write := func(id string, ago time.Duration) {
		s.put("events-a", id, match(ago))
		want = append(want, id)
	}
	for hour := range hours {
		write(fmt.Sprintf("hour %d", hour), time.Duration(hour)*time.Hour+time.Minute)
	}
	write("late, of a time that was searched", time.Since(stopped)+20*time.Hour)
	write("dated in the future", -48*time.Hour)

	p := newProxy(t, s.url)
	s.url = p.URL
	s.runOnce()
	s.wantFound(want...)
	s.wantWhole()
	seen := p.windows(s)
	if len(seen) == 0 || time.Since(seen[0].To) > time.Hour || seen[0].Length() > time.Hour {
		t.Fatalf("the first of %d searches is not of the live window: %v", len(seen), seen)
	}
	// The pieces of the gap follow each other from its oldest end. They begin with an hour, and
	// each is at most twice as long as the one before: they grow while they are cheap.
	gap, longest := stopped, time.Hour
	pieces, sweeps, unbounded := 0, 0, 0
	for i, w := range seen[1:] {
		switch {
		case w.To.IsZero():
			unbounded++
		case w.From.Equal(gap.Add(-overlap)):
			if length := w.To.Sub(gap); length > longest {
				t.Errorf("search %d is of %s of the gap, want %s at most", i+2, length, longest)
			}
			longest = 2 * w.To.Sub(gap)
			gap, pieces = w.To, pieces+1
		case w.To.After(seen[0].To):
			// the live window, due again
		default:
			sweeps++
		}
	}
	if gap.Before(seen[0].From) || pieces < 5 || unbounded != 1 || sweeps < 2 {
		t.Errorf("got %d pieces of the gap up to %s, %d of the late sweep, %d without an end: %v",
			pieces, gap, sweeps, unbounded, seen)
	}
	s.run("status").want(t, 0).says(t, "late sweep", "complete as of")
	t.Logf("%d searches: the live window, then %d pieces of the gap in turn with %d of the late sweep", len(seen), pieces, sweeps+unbounded)
}

// A run that is killed in the middle of a late sweep: nothing counts as swept that the next does
// not sweep.
func TestKilledInALateSweep(t *testing.T) {
	t.Parallel()
	s, stopped := outageStage(t, 2*time.Hour)
	var want []string
	for hour := range 20 {
		id := fmt.Sprintf("hour %d", hour)
		s.put("events-a", id, match(time.Duration(hour+3)*time.Hour))
		want = append(want, id)
	}
	p := newProxy(t, s.url)
	p.holdAt(2, false, func(c call) bool {
		m := pageWindow.FindStringSubmatch(c.body)
		if !isPage(s, c) || m == nil {
			return false
		}
		from, _ := time.Parse(time.RFC3339, m[1])
		return from.Before(stopped.Add(-time.Hour))
	})
	direct := s.url
	s.url = p.URL
	running := start(t, s.env(), "run", "--once")
	<-p.held
	_ = running.cmd.Process.Kill()
	<-running.ended
	if l := s.ledger(); !l.Sweep.Start.Equal(stopped) {
		t.Errorf("killed in the middle of a sweep: the ledger says %+v", l.Sweep)
	}
	s.url = direct
	s.runOnce()
	s.wantFound(want...)
	s.wantWhole()
	if l := s.ledger(); !l.Sweep.Start.After(stopped) || l.Sweep.UnderWay != nil {
		t.Errorf("started again: the ledger says %+v", l.Sweep)
	}
}

func TestLateSweepIsOff(t *testing.T) {
	t.Parallel()
	s, _ := outageStage(t, 2*time.Hour)
	s.more["LATE"] = "0"
	s.put("events-a", "late", match(20*time.Hour))
	s.runOnce().says(t, "ESRULE_LATE=0")
	s.wantFound()
	s.run("status").want(t, 0).says(t, "late sweep", "off (ESRULE_LATE=0)")
	s.more["LATE"] = "24h"
	s.runOnce()
	s.wantFound("late")
}
