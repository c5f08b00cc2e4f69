package report

import (
	"testing"
	"time"
)

func TestTimelineCountsEverySignalOnce(t *testing.T) {
	base := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f := func(why string, wantBars int, wantStep time.Duration, after ...time.Duration) {
		t.Helper()
		line := newTimeline()
		for i, d := range after {
			line.add(base.Add(d), i%len(severities))
		}
		bars, most := line.bars()
		sum, largest := 0, 0
		for i, b := range bars {
			sum += b.Signals
			largest = max(largest, b.Signals)
			if i > 0 && !b.Start.Equal(bars[i-1].End) {
				t.Errorf("%s: bar %d begins at %v, the one before ends at %v", why, i, b.Start,
					bars[i-1].End)
			}
		}
		if sum != len(after) || most != largest || len(bars) != wantBars {
			t.Fatalf("%s: %d bars with %d signals, most %d; want %d bars with %d signals, most %d",
				why, len(bars), sum, most, wantBars, len(after), largest)
		}
		if len(bars) > 0 && bars[0].End.Sub(bars[0].Start) != wantStep {
			t.Errorf("%s: a bar is %v, want %v", why, bars[0].End.Sub(bars[0].Start), wantStep)
		}
	}
	var dense []time.Duration
	for i := range 3 * manyBuckets {
		dense = append(dense, time.Duration(i)*time.Minute)
	}
	f("none", 0, 0)
	f("one", 1, time.Second, 0)
	f("a second", 2, time.Second, 0, time.Second)
	f("a minute", 61, time.Second, 0, time.Minute)
	f("two minutes", 25, 5*time.Second, 0, 2*time.Minute)
	f("a day", 25, time.Hour, 0, 24*time.Hour, time.Hour, time.Hour)
	f("before 1970", 27, 28*24*time.Hour, -60*365*24*time.Hour, -58*365*24*time.Hour)
	f("two centuries", 22, 3640*24*time.Hour, 0, 200*365*24*time.Hour, 210*365*24*time.Hour)
	f("more times than are kept", 69, 3*time.Hour, dense...)
}

func TestTimelineStaysSmall(t *testing.T) {
	line := newTimeline()
	for i := range 200_000 {
		line.add(time.Unix(int64(i)*7_919_123%4_000_000_000, 0), 0)
		if len(line.buckets) > manyBuckets+1 {
			t.Fatalf("%d buckets after %d signals", len(line.buckets), i+1)
		}
	}
}

func TestTallyStaysSmall(t *testing.T) {
	counts := newTally()
	counts.limit = 3
	for _, name := range []string{"a", "b", "c", "d", "e", "a", "d"} {
		counts.add([]string{name})
	}
	counts.add(nil)
	counts.add([]string{"x", "y", "x"}) // both are others: one signal
	got := counts.top(10)
	if len(got) != 4 || got[0].Name != otherNames || got[0].Signals != 4 || got[1].Name != "a" ||
		got[1].Signals != 2 || counts.none != 1 {
		t.Errorf("got %+v, %d without", got, counts.none)
	}
}
