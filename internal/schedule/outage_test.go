package schedule_test

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"sync"
	"testing"
	"time"

	"esrule/internal/schedule"
	"esrule/internal/span"
)

// windows notes the windows of time that searches ask a cluster for, in their order.
type windows struct {
	mu    sync.Mutex
	asked bool // the window of the last search is known; its further pages ask for it again
	seen  []searched
}

// searched is a window, and the moment on the world's clock when its search began.
type searched struct {
	span.Interval
	at time.Time
}

// long tells a piece of the late sweep from one of a gap.
func (s searched) long() bool { return s.To.IsZero() || s.Length() > 2*time.Hour }

// byTimestamp is a window as the pre-filter asks for it; a sweep's last has no end.
var byTimestamp = regexp.MustCompile(
	`"range":\{"@timestamp":\{"format":"[a-z_]+","gte":"([^"]+)"(?:,"lt":"([^"]+)")?\}`)

func (s *windows) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Path == "/_search" && req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		if m := byTimestamp.FindSubmatch(body); m != nil {
			s.note(string(m[1]), string(m[2]))
		}
	}
	return http.DefaultTransport.RoundTrip(req)
}

func (s *windows) begin(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen, s.asked = append(s.seen, searched{at: at}), false
}

func (s *windows) note(from, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked || len(s.seen) == 0 {
		return
	}
	last := &s.seen[len(s.seen)-1]
	last.From, _ = time.Parse(time.RFC3339, from)
	last.To, _ = time.Parse(time.RFC3339, to) // zero where there is none
	s.asked = true
}

// watch gives a client that notes what is searched, and makes each search take some time on the
// world's clock.
func (w *world) watch(each time.Duration) *windows {
	w.t.Helper()
	s := &windows{}
	w.through = w.Through(s)
	w.opening = func() error {
		s.begin(w.clock)
		w.clock = w.clock.Add(each)
		return nil
	}
	return s
}

// TestOutageOfThreeDays runs a rule with an interval of five minutes once, after three days without
// it: the live window comes first and whenever it is due again, the gap between from its oldest
// end, and the late sweep in turn with it.
func TestOutageOfThreeDays(t *testing.T) {
	const days, each, overlap = 72 * time.Hour, 30 * time.Second, 4 * time.Minute
	w, began := lateWorld(t, 30*time.Hour)
	w.happened("first", hourly(72, began.Add(time.Minute), time.Hour)...)
	w.clock = w.clock.Add(days)
	back := w.clock
	w.happened("first", happening(72, back.Add(-time.Minute)))
	watched := w.watch(each)
	report := w.pass(0)
	w.wantSignals("after three days", 73)
	if l := w.ledger(); len(l.Covered) != 1 || len(l.Open) != 0 || l.CoveredUpTo().Before(back) {
		t.Errorf("covered %v, open %v, want all up to %s", l.Covered, l.Open, back)
	}
	if swept := report.Run.Swept; swept == nil || !swept.Complete {
		t.Errorf("the late sweep within the run: %+v", swept)
	}

	lastLive, nextGap, nextSweep, sweeps, gaps := back, began, time.Time{}, 0, 0
	for i, s := range watched.seen {
		switch live := !s.To.Before(back); {
		case live:
			if late := s.at.Sub(lastLive); late > w.rule.Interval+each {
				t.Errorf("search %d: the live window had to wait for %s", i, late)
			}
			lastLive = s.at
		case i == 0:
			t.Errorf("the first search is of %v, want the live window", s)
		case !s.long():
			if !s.From.Equal(nextGap.Add(-overlap)) {
				t.Errorf("search %d is of %v, want the gap from %s on", i, s, nextGap)
			}
			nextGap, gaps = s.To, gaps+1
		default:
			if !nextSweep.IsZero() && !s.From.Equal(nextSweep) {
				t.Errorf("search %d is of %v, want the late sweep from %s on", i, s, nextSweep)
			}
			nextSweep, sweeps = s.To, sweeps+1
			if sweeps != gaps {
				t.Errorf("search %d: %d pieces of the sweep and %d of the gap: they do not take turns", i, sweeps, gaps)
			}
		}
	}
	if gaps < 72 || sweeps < 12 {
		t.Errorf("got %d pieces of the gap and %d of the sweep in %d searches, want 72 and 12 at least", gaps, sweeps, len(watched.seen))
	}
	t.Logf("%d searches: %d of the gap, %d of the late sweep, the others live", len(watched.seen),
		gaps, sweeps)
}

// TestSweepLetsLiveWindowsPass has one rule sweep many days while another has its live windows.
func TestSweepLetsLiveWindowsPass(t *testing.T) {
	const each = 30 * time.Second
	w, began := lateWorld(t, 60*24*time.Hour)
	// switched off for a month
	w.changeLedger(func(l *schedule.Ledger) { l.Sweep.Start = began.Add(-30 * 24 * time.Hour) })
	second := *w.rule
	second.ID, second.Name = "second", "Second"
	w.clock = w.clock.Add(time.Hour)
	w.start = 9 * time.Minute
	watched := w.watch(each)
	back := w.clock
	reports := w.runAll(w.rule, &second)
	if swept := reports[0].Run.Swept; swept == nil || !swept.Complete || reports[1].Err != nil {
		t.Fatalf("the sweep of the first rule: %+v, the second: %v", swept, reports[1].Err)
	}
	live, last := 0, back
	for i, s := range watched.seen {
		if !s.To.Before(back) {
			if wait := s.at.Sub(last); wait > w.rule.Interval+2*each {
				t.Errorf("search %d: the live windows had to wait for %s", i, wait)
			}
			live, last = live+1, s.at
		}
	}
	if elapsed := w.clock.Sub(back); live < 2*int(elapsed/w.rule.Interval-1) {
		t.Errorf("%d live windows of two rules within %s", live, elapsed)
	}
}
