package schedule

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/detect"
	"esrule/internal/span"
)

func TestCoveredUpTo(t *testing.T) {
	f := func(why string, l *Ledger, want int) {
		t.Helper()
		if got := l.CoveredUpTo(); !got.Equal(minute(want)) {
			t.Errorf("%s: got %v, want %v", why, got, minute(want))
		}
	}
	open := func(l *Ledger, i span.Interval) *Ledger {
		l.cover(i, []detect.Failure{{Index: "sick", Reason: "no shard"}}, i.To)
		return l
	}
	f("nothing covered", ledgerOf(0), 0)
	f("all covered", ledgerOf(0, minutes(0, 60)), 60)
	f("a gap in the middle", ledgerOf(0, minutes(0, 20), minutes(30, 60)), 20)
	f("a gap at the start", ledgerOf(0, minutes(30, 60)), 0)
	f("an index is open", open(ledgerOf(0, minutes(0, 60)), minutes(40, 50)), 40)
}

func TestCutFuture(t *testing.T) {
	l := ledgerOf(0, minutes(0, 60))
	l.cover(minutes(50, 60), []detect.Failure{{Index: "sick", Reason: "no shard"}}, minute(600))
	if cut := l.CutFuture(minute(45), 5*time.Minute); cut != 15*time.Minute ||
		!l.Covered.End().Equal(minute(45)) {
		t.Errorf("cut %v, covered up to %v", cut, l.Covered.End())
	}
	if cut := l.CutFuture(minute(45), 5*time.Minute); cut != 0 {
		t.Errorf("a second cut took %v more", cut)
	}
	if o := l.Open[0]; o.Since.After(minute(45)) || o.Next.After(minute(45).Add(longestPause)) {
		t.Errorf("at minute 45 an index is open since %v and tried again at %v", o.Since, o.Next)
	}
}

func TestOpenIndexIsDue(t *testing.T) {
	f := func(tries, next, now int, want bool) {
		t.Helper()
		l := Ledger{Open: []OpenIndex{{Tries: tries, Next: minute(next)}}}
		l.CutFuture(minute(now), 5*time.Minute)
		if got := !l.Open[0].Next.After(minute(now)); got != want {
			t.Errorf("%d tries, the next one in minute %d: due in minute %d: got %v, want %v",
				tries, next, now, got, want)
		}
	}
	f(0, 10, 10, true)
	f(0, 10, 12, true)
	f(1, 10, 9, false)
	f(1, 10, 10, true)
	f(3, 20, 0, false)
	f(9, 60, 0, false)
	// entered by a clock that was ahead
	f(0, 11, 10, true)
	f(0, 60, 10, true)
	f(1, 16, 10, true)
	f(3, 21, 0, true)
	f(9, 61, 0, true)
}

func TestOpenIndexIsRetriedWithBackoff(t *testing.T) {
	l := ledgerOf(0)
	sick := detect.Failure{Index: "sick", Reason: "no shard"}
	l.cover(minutes(0, 5), []detect.Failure{sick}, minute(5))
	l.cover(minutes(5, 10), []detect.Failure{sick}, minute(10))
	if len(l.Open) != 1 || l.Open[0].Time.Length() != 10*time.Minute {
		t.Fatalf("after two failures of one index: %+v", l.Open)
	}
	var waits []time.Duration
	for range 6 {
		l.retried("sick", minutes(0, 10), &sick, minute(10), 5*time.Minute)
		waits = append(waits, l.Open[0].Next.Sub(minute(10)))
	}
	want := []time.Duration{5, 10, 20, 40, 60, 60}
	for i := range want {
		want[i] *= time.Minute
	}
	if diff := cmp.Diff(want, waits); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
	l.retried("sick", minutes(0, 7), nil, minute(11), 5*time.Minute)
	if len(l.Open) != 1 || l.Open[0].Time.Length() != 3*time.Minute {
		t.Fatalf("after a part was covered: %+v", l.Open)
	}
	l.retried("sick", minutes(7, 10), nil, minute(11), 5*time.Minute)
	if len(l.Open) != 0 {
		t.Errorf("after all was covered: %+v", l.Open)
	}
}

func TestMeaning(t *testing.T) {
	l := ledgerOf(0)
	f := func(fingerprint string, want bool) {
		t.Helper()
		if got := l.meaning(fingerprint, minute(1)); got != want {
			t.Errorf("%s: changed %v, want %v", fingerprint, got, want)
		}
	}
	f("a", false) // the first meaning is no change
	f("a", false)
	f("b", true)
	if l.PreviousFingerprint != "a" {
		t.Errorf("previous fingerprint: got %q, want a", l.PreviousFingerprint)
	}
}
