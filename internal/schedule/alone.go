package schedule

import "context"

// A rule that failed where others did not is searched alone while something of it is open or sick.
// Its ledger says so, for the runs and processes that come: to find it among the others again would
// cost each of them many searches, and the others wait meanwhile.

// keepAlone enters that the rule is searched alone.
func (s *ruleRun) keepAlone(ctx context.Context) {
	if s.ledger.Alone {
		return
	}
	s.tellAlone("it is searched alone as long as something of it is not covered")
	s.err = both(s.err, s.update(ctx, s.known, func(l *Ledger) { l.Alone = true }))
}

func (s *ruleRun) tellAlone(what string) {
	s.log.Warn("the rule cannot be searched together with others; "+what, "rule",
		s.detection.Rule.ID, "name", s.detection.Rule.Name)
}

// ceaseAlone takes the rule back among the others where all of it is covered.
func (l *Ledger) ceaseAlone() {
	if len(l.Open)+len(l.Sick) == 0 {
		l.Alone = false
	}
}
