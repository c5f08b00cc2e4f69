package span_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"esrule/internal/span"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// at is a moment so many minutes after the epoch of these tests.
func at(minutes int) time.Time { return epoch.Add(time.Duration(minutes) * time.Minute) }

func spanOf(from, to int) span.Interval { return span.New(at(from), at(to)) }

// set makes a set out of pairs of minutes.
func set(minutes ...int) span.Intervals {
	var s span.Intervals
	for i := 0; i+1 < len(minutes); i += 2 {
		s = s.Union(spanOf(minutes[i], minutes[i+1]))
	}
	return s
}

// show writes a set as minutes: "0-5 7-9".
func show(s span.Intervals) string {
	var parts []string
	for _, i := range s {
		parts = append(parts, fmt.Sprintf("%g-%g", i.From.Sub(epoch).Minutes(),
			i.To.Sub(epoch).Minutes()))
	}
	return strings.Join(parts, " ")
}

func TestUnion(t *testing.T) {
	f := func(s span.Intervals, i span.Interval, want string) {
		t.Helper()
		if got := show(s.Union(i)); got != want {
			t.Errorf("%s with %s: got %q, want %q", show(s), i, got, want)
		}
	}
	f(set(), spanOf(1, 2), "1-2")
	f(set(1, 2), spanOf(2, 3), "1-3")
	f(set(1, 2), spanOf(3, 4), "1-2 3-4")
	f(set(3, 4), spanOf(1, 2), "1-2 3-4")
	f(set(1, 2, 3, 4), spanOf(2, 3), "1-4")
	f(set(1, 9), spanOf(3, 4), "1-9")
	f(set(3, 4), spanOf(1, 9), "1-9")
	f(set(1, 2), spanOf(5, 5), "1-2")
	f(set(1, 2), spanOf(9, 5), "1-2")
}

func TestMinus(t *testing.T) {
	f := func(s span.Intervals, i span.Interval, want string) {
		t.Helper()
		if got := show(s.Minus(i)); got != want {
			t.Errorf("%s without %s: got %q, want %q", show(s), i, got, want)
		}
	}
	f(set(1, 9), spanOf(3, 4), "1-3 4-9")
	f(set(1, 9), spanOf(0, 10), "")
	f(set(1, 9), spanOf(9, 10), "1-9")
	f(set(1, 9), spanOf(0, 1), "1-9")
	f(set(1, 3, 5, 9), spanOf(2, 6), "1-2 6-9")
	f(set(1, 9), spanOf(4, 4), "1-9")
	f(set(1, 9), spanOf(6, 4), "1-9")
	f(set(), spanOf(1, 2), "")
}

// TestIntervalsAreSets compares the sets with plain sets of minutes.
func TestIntervalsAreSets(t *testing.T) {
	const minutes = 30
	draw := func(t *rapid.T) (span.Intervals, [minutes]bool) {
		var s span.Intervals
		var plain [minutes]bool
		for range rapid.IntRange(0, 6).Draw(t, "n") {
			from, length := rapid.IntRange(0, minutes-1).Draw(t, "from"),
				rapid.IntRange(0, 5).Draw(t, "length")
			to := min(from+length, minutes)
			s = s.Union(spanOf(from, to))
			for m := from; m < to; m++ {
				plain[m] = true
			}
		}
		return s, plain
	}
	holds := func(s span.Intervals, minute int) bool {
		return len(s.Within(spanOf(minute, minute+1))) > 0
	}
	rapid.Check(t, func(t *rapid.T) {
		a, plainA := draw(t)
		b, plainB := draw(t)
		for m := range minutes {
			if got, want := holds(a.Union(b...), m), plainA[m] || plainB[m]; got != want {
				t.Fatalf("minute %d of %s with %s: got %v, want %v", m, show(a), show(b), got, want)
			}
			if got, want := holds(a.Minus(b...), m), plainA[m] && !plainB[m]; got != want {
				t.Fatalf("minute %d of %s without %s: got %v, want %v", m, show(a), show(b), got,
					want)
			}
		}
		for i, piece := range a.Union(b...) {
			if piece.Empty() || i > 0 && !a.Union(b...)[i-1].To.Before(piece.From) {
				t.Fatalf("%s with %s: not in normal form: %s", show(a), show(b),
					show(a.Union(b...)))
			}
		}
	})
}
