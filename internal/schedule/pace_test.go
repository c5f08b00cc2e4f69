package schedule

import (
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	f := func(why string, took time.Duration, candidates, pieces int, want time.Duration) {
		t.Helper()
		p := newPace(time.Hour, time.Hour/4)
		for range pieces {
			p.after(took, candidates)
		}
		if p.length != want {
			t.Errorf("%s: got %s, want %s", why, p.length, want)
		}
	}
	f("cheap", time.Second, 10, 3, 8*time.Hour)
	f("cheap for long", time.Second, 10, 100, 24*time.Hour)
	f("many candidates", time.Second, 10_000, 3, time.Hour)
	f("slow", 30*time.Second, 10, 3, time.Hour)
	f("dear", 2*time.Minute, 10, 1, 30*time.Minute)
	f("dear for long", 2*time.Minute, 10, 100, 15*time.Minute)
}

func TestHalves(t *testing.T) {
	now := minute(100)
	l := ledgerOf(0, minutes(60, 100))
	l.fail(minutes(0, 60), false, "x", now, time.Minute)
	l.halve(minutes(0, 60), false, now)
	l.fail(minutes(0, 30), false, "x", now, time.Minute)
	l.cover(minutes(30, 60), nil, now)
	// due in the next run
	if len(l.Sick) != 1 || l.Sick[0].Interval != minutes(0, 30) || l.Sick[0].Tries != 0 ||
		l.Sick[0].Next.After(now) {
		t.Errorf("sick: %+v", l.Sick)
	}
	if piece, ok := nextPiece(l, everyFive, now, gap, time.Hour); ok {
		t.Errorf("a gap besides the sick piece: %v", piece)
	}
}
