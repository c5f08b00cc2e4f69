package schedule

import (
	"slices"
	"testing"
	"time"

	"esrule/internal/detect"
)

func TestCosts(t *testing.T) {
	f := func(why string, run Run, want ...CostReason) {
		t.Helper()
		var got []CostReason
		for _, c := range (RuleReport{Run: run}).Costs() {
			got = append(got, c.Reason)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %+v: got %q, want %q", why, run, got, want)
		}
	}
	const window = 9 * time.Minute
	f("nothing searched", Run{})
	f("few candidates", Run{Searched: window, Counts: detect.Counts{Candidates: 9_999}})
	f("many candidates, none matches",
		Run{Searched: window, Counts: detect.Counts{Candidates: 10_000}}, CostCandidates)
	f("many candidates, too few match",
		Run{Searched: window, Counts: detect.Counts{Candidates: 10_001, Matched: 10}},
		CostCandidates)
	f("many candidates, one in a thousand matches",
		Run{Searched: window, Counts: detect.Counts{Candidates: 10_000, Matched: 10}})
	f("many candidates over days",
		Run{Searched: 72 * time.Hour, Counts: detect.Counts{Candidates: 700_000}})
	f("too many candidates over days",
		Run{Searched: 72 * time.Hour, Counts: detect.Counts{Candidates: 720_000}},
		CostCandidates)
	f("quick", Run{Searched: window, Duration: 20 * time.Millisecond})
	f("slower than a tenth, but over at once",
		Run{Searched: time.Minute, Duration: 9 * time.Second})
	f("a tenth of the time", Run{Searched: window, Duration: 54 * time.Second})
	f("more than a tenth of the time", Run{Searched: window, Duration: 55 * time.Second}, CostTime)
	f("days in minutes", Run{Searched: 72 * time.Hour, Duration: 10 * time.Minute})
	f("both", Run{Searched: window, Duration: time.Hour, Counts: detect.Counts{Candidates: 50_000}},
		CostCandidates,
		CostTime)
	stalled := RuleReport{Run: Run{Searched: window, Duration: time.Hour},
		Stalled: time.Hour - 54*time.Second}
	if got := stalled.Costs(); len(got) > 0 {
		t.Errorf("an hour, of which a hung node took all but 54 s: got %q, want nothing", got)
	}
}
