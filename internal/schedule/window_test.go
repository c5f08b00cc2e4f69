package schedule

import (
	"testing"
	"time"

	"esrule/internal/query/rule"
	"esrule/internal/span"
)

// minute counts from an arbitrary hour.
func minute(m int) time.Time {
	return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(m) * time.Minute)
}

func minutes(from, to int) span.Interval { return span.New(minute(from), minute(to)) }

var everyFive = &rule.Rule{Head: rule.Head{From: 9 * time.Minute, Interval: 5 * time.Minute}}

func ledgerOf(since int, covered ...span.Interval) *Ledger {
	l := NewLedger("r", "a rule", minute(since))
	l.Covered = l.Covered.Union(covered...)
	return l
}

func TestNextPiece(t *testing.T) {
	f := func(why string, l *Ledger, now int, before turn, want span.Interval) {
		t.Helper()
		got, ok := nextPiece(l, everyFive, minute(now), before, longestPiece)
		if ok == want.Empty() || ok && got != want {
			t.Errorf("%s: covered %v of %v up to minute %d: got %v %v, want %v", why, l.Covered,
				l.Since, now, got, ok, want)
		}
	}
	nothing := span.Interval{}
	f("the first run looks back", ledgerOf(-9), 0, nothingYet, minutes(-9, 0))
	f("a first run further back does the live window first", ledgerOf(-600), 0, nothingYet,
		minutes(-10, 0))
	f("then the oldest hour", ledgerOf(-600, minutes(-10, 0)), 1, liveWindow, minutes(-600, -540))
	f("then the next", ledgerOf(-600, minutes(-10, 0), minutes(-600, -540)), 2, gap,
		minutes(-540, -480))
	f("but the live window when it is due", ledgerOf(-600, minutes(-10, 0)), 5, gap, minutes(0, 5))
	f("and whole after a long turn", ledgerOf(-600, minutes(-10, 0)), 45, gap, minutes(0, 45))
	f("but no longer than a piece", ledgerOf(-600, minutes(-10, 0)), 90, gap, minutes(30, 90))
	f("the last piece ends at the live window", ledgerOf(-600, minutes(-600, -30), minutes(-10, 0)),
		1, gap, minutes(-30, -10))
	f("an ordinary poll", ledgerOf(-600, minutes(-600, 0)), 5, nothingYet, minutes(0, 5))
	f("a run too early still looks", ledgerOf(-600, minutes(-600, 0)), 1, nothingYet, minutes(0, 1))
	f("but once", ledgerOf(-600, minutes(-600, 0)), 1, liveWindow, nothing)
	f("a live window that took long leaves the gaps their turn", ledgerOf(-600, minutes(-10, 0)),
		20, liveWindow, minutes(-600, -540))
	f("and does not keep a run from its end", ledgerOf(-600, minutes(-600, 0)), 20, liveWindow,
		nothing)
	f("all covered", ledgerOf(-600, minutes(-600, 0)), 0, nothingYet, nothing)
	f("a hole in the middle", ledgerOf(-600, minutes(-600, -300), minutes(-290, 0)), 0, nothingYet,
		minutes(-300, -290))
	f("a clock that went back", ledgerOf(-600, minutes(-600, 30)), 0, nothingYet, nothing)
}

func TestReadingReachesBack(t *testing.T) {
	f := func(r *rule.Rule, want time.Duration) {
		t.Helper()
		i := minutes(0, 5)
		if got := i.From.Sub(reading(r, i).From); got != want || !reading(r, i).To.Equal(i.To) {
			t.Errorf("from now-%v every %v: read %v early, want %v", r.From, r.Interval, got, want)
		}
	}
	f(everyFive, 4*time.Minute)
	f(&rule.Rule{Head: rule.Head{From: 6 * time.Minute, Interval: 5 * time.Minute}}, 4*time.Minute)
	f(&rule.Rule{Head: rule.Head{From: time.Hour, Interval: 5 * time.Minute}}, 55*time.Minute)
	f(&rule.Rule{Head: rule.Head{From: 5 * time.Minute, Interval: time.Hour}}, 4*time.Minute)
}
