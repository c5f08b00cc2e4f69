package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"esrule/internal/detect"
	"esrule/internal/schedule/backfill"
	"esrule/internal/span"
)

// Where there is no terminal a line says how far a backfill is, how fast, and how long it will
// take.
func TestProgressLine(t *testing.T) {
	f := func(elapsed time.Duration, before, after int64, want string) {
		t.Helper()
		var said bytes.Buffer
		began := time.Date(2021, 3, 1, 0, 0, 0, 0, time.UTC)
		h := &history{app: &app{now: func() time.Time { return began.Add(elapsed) }},
			log: slog.New(slog.NewTextHandler(&said, nil)), began: began}
		at := func(done int64) backfill.Progress {
			return backfill.Progress{Totals: backfill.Totals{Slices: 40, Done: 3, Failed: 1,
				Weight: 1000, DoneWeight: done, Counts: detect.Counts{Created: 5, Reduced: 1}}}
		}
		h.progressLine(at(after), at(before))
		if got := said.String(); !strings.Contains(got, want) {
			t.Errorf("%s after %d of 1000, %d now:\n got %s\nwant %s", elapsed, before, after, got,
				want)
		}
	}
	f(10*time.Second, 0, 200,
		`slices=3/40 failed=1 candidates=200/1000 rate=20/s left=40s signals=6`)
	// what was done before says nothing of the speed
	f(10*time.Second, 400, 500, `candidates=500/1000 rate=10/s left=50s`)
	f(10*time.Second, 400, 400, `candidates=400/1000 rate=0/s left=unknown`)
	f(0, 0, 0, `rate=0/s left=unknown`)
}

func TestLengthOf(t *testing.T) {
	f := func(from, to, want string) {
		t.Helper()
		at := func(text string) time.Time {
			when, err := time.Parse(time.RFC3339, text)
			if err != nil {
				t.Fatal(err)
			}
			return when
		}
		if got := lengthOf(span.New(at(from), at(to))); got != want {
			t.Errorf("from %s to %s: got %s, want %s", from, to, got, want)
		}
	}
	f("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", "31 days")
	f("2026-03-01T00:00:00Z", "2026-03-03T01:30:00Z", "2 days 1h30m0s")
	f("2026-03-01T00:00:00Z", "2026-03-02T12:00:00Z", "36h0m0s")
	f("2026-03-01T00:00:00Z", "2026-03-01T00:00:01Z", "1s")
	// 292 years end a time.Duration
	f("0001-01-01T00:00:00Z", "2026-03-01T00:00:00Z", "739675 days")
}
