package schedule

import (
	"math"
	"time"

	"esrule/internal/detect"
)

// Sum is what the runs of many rules came to together.
type Sum struct {
	detect.Counts
	// Together are the rules that shared a search with others, Alone those that shared none;
	// WholeWindow are those for which every event of a window was read. Where there is no index,
	// nothing is searched.
	Together, Alone, WholeWindow int
	// Searches is how many searches were sent for all of them, Shared how many of these for the
	// rules that shared some.
	Searches, Shared int
	// Searched and Lag are those of the rule that has most.
	Searched, Lag time.Duration
	// NotCovered are rules.
	NotCovered int
	// Sweeps are rules whose run had a part of a late sweep.
	Sweeps, SweepsComplete, LateCandidates, LateCreated int
}

// Sum adds up what the run came to for all rules.
func (r Report) Sum() Sum {
	var s Sum
	searches, shared := 0.0, 0.0
	for _, one := range r.Rules {
		run := one.Run
		s.Add(run.Counts)
		searches += run.Searches
		switch {
		case run.Together > 1:
			s.Together++
			shared += run.Searches
		case run.Together == 1:
			s.Alone++
		}
		if run.WholeWindow != "" {
			s.WholeWindow++
		}
		s.Searched, s.Lag = max(s.Searched, run.Searched), max(s.Lag, one.Lag)
		if !one.Covered() {
			s.NotCovered++
		}
		if swept := run.Swept; swept != nil {
			s.Sweeps++
			if swept.Complete {
				s.SweepsComplete++
			}
			s.LateCandidates += swept.Candidates
			s.LateCreated += swept.Created
		}
	}
	s.Searches, s.Shared = int(math.Round(searches)), int(math.Round(shared))
	return s
}
