package schedule

import (
	"context"
	"errors"
	"fmt"
	"time"

	"esrule/internal/detect"
	"esrule/internal/elastic/search"
	"esrule/internal/span"
)

// nextSweep gives the piece of a late sweep that is searched next, if one is due. A run completes
// one sweep at most: where it lasts longer than the time between two, it would not end.
func (s *ruleRun) nextSweep() (SweepUnderWay, bool) {
	if s.options.Late == 0 || s.run.Swept != nil && s.run.Swept.Complete {
		return SweepUnderWay{}, false
	}
	return s.ledger.sweepBegins(s.now, s.options.Late)
}

// sweeping is the job of searching the next piece of a late sweep.
func (s *ruleRun) sweeping(u SweepUnderWay, taken func()) job {
	target := s.sweepTarget(detect.Target{Patterns: s.patterns},
		u.piece(s.now, s.sweepPace.length))
	return job{target: &target, pace: &s.sweepPace, do: func(ctx context.Context) error {
		taken()
		return s.sweepNext(ctx, u)
	}}
}

// sweepTarget adds to a target what is read of a piece of a late sweep.
func (s *ruleRun) sweepTarget(t detect.Target, piece span.Interval) detect.Target {
	t.Window, t.Timestamps, t.Now = piece, s.detection.Happened(), s.started
	return t
}

// sweepNext searches one piece of a late sweep and enters it into the ledger. One that fails as a
// whole is owed, and the sweep goes on.
func (s *ruleRun) sweepNext(ctx context.Context, u SweepUnderWay) error {
	piece := u.piece(s.now, s.sweepPace.length)
	if s.run.Swept == nil {
		s.run.Swept = &Swept{From: piece.From}
	}
	out, err := s.measured(&s.sweepPace,
		func(limit func(*search.Page) error) (detect.Outcome, error) {
			return s.sweep(ctx, detect.Target{Patterns: s.patterns, EachPage: limit}, piece)
		})
	if errors.Is(err, errTooDear) {
		return nil
	}
	if err != nil {
		err = fmt.Errorf("late sweep %s: %w", sweepText(piece), err)
	}
	failures := s.uncovered(out)
	change := func(l *Ledger) { l.swept(u, piece, failures, s.started.UTC()) }
	if err := s.enter(ctx, piece, true, out, err, change); err != nil {
		return err
	}
	s.run.Swept.Complete = piece.Unbounded()
	return nil
}

// sweep searches a piece of time without overlap, and counts what came of it.
func (s *ruleRun) sweep(ctx context.Context, t detect.Target,
	piece span.Interval) (detect.Outcome, error) {
	out, err := s.read(ctx, s.sweepTarget(t, piece))
	searched := piece
	if piece.Unbounded() {
		searched.To = s.now
	}
	s.count(out, searched)
	if swept := s.run.Swept; swept != nil {
		swept.Candidates += out.Candidates
		swept.Matched += out.Matched
		swept.Created += out.Created
	}
	return out, err
}

func sweepText(piece span.Interval) string {
	if piece.Unbounded() {
		return "from " + piece.From.Format(time.RFC3339Nano) + " on"
	}
	return piece.String()
}
