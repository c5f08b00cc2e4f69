package scan

import (
	"slices"

	"esrule/internal/detect"
	"esrule/internal/detect/threshold"
	"esrule/internal/sink/signal"
	"esrule/internal/span"
)

// countRule judges one rule that counts events, on all its events. An error is what was not judged.
func (s *joiner) countRule(i int, events []held,
	give func(rule int, signals []signal.Signal) error) error {
	if len(events) == 0 {
		return nil
	}
	slices.SortStableFunc(events, func(a, b held) int { return a.at.At.Compare(b.at.At) })
	judge := threshold.NewJudge(s.rules.matchers.Compiled[i].Threshold,
		span.Interval{From: events[0].at.At}, threshold.NewRoom(mostPending))
	r := s.rules.rules[i]
	each := func(bursts []threshold.Burst) error {
		for _, b := range bursts {
			made, err := signal.NewThreshold(signal.Threshold{Rule: r, Index: r.Index,
				Values: b.Values, From: b.From, Last: b.Last, Count: b.Count,
				Distinct: b.Distinct, Signals: s.rules.signals[i],
				Links: detect.LinksOf(b.Marks)}, s.x)
			if err != nil {
				return err
			}
			if err := give(i, []signal.Signal{made}); err != nil {
				return err
			}
		}
		return nil
	}
	for _, one := range events {
		bursts, err := judge.See(one.look.Count, one.at.At)
		if taken := each(bursts); taken != nil {
			return taken
		}
		if err != nil {
			if taken := each(judge.End()); taken != nil {
				return taken
			}
			return err
		}
	}
	return each(judge.End())
}
