package schedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"esrule/internal/detect"
	"esrule/internal/elastic"
	"esrule/internal/elastic/search"
	"esrule/internal/span"
)

// work is a kind of what a run does behind the live window. The kinds take turns, a piece each, so
// that none waits for another's end.
type work uint8

const (
	closeGaps work = iota
	sweepLate
	retrySick
	retryOpen
	kindsOfWork
)

// step covers one piece: the live window where it is due, else the next kind of work. It returns
// false where nothing is left to do, or nothing more can be done.
func (s *ruleRun) step(ctx context.Context) bool {
	if s.err == nil {
		s.err = s.findings.gone()
	}
	if s.err != nil {
		return false
	}
	defer s.timed()()
	ctx = elastic.WithStalls(ctx, func(waited time.Duration) { s.stalled.Add(int64(waited)) })
	if s.err = s.wakeUp(ctx); s.err != nil {
		return false
	}
	next, ok := s.next(ctx)
	if !ok {
		return false
	}
	if s.err = next.do(ctx); s.err == nil {
		_, s.err = s.askTime(ctx)
	}
	return s.err == nil
}

// job is what a rule does next.
type job struct {
	do func(context.Context) error
	// target is what it searches where that can be searched for other rules at once, with the pace
	// of its kind, nil where it has none.
	target *detect.Target
	pace   *pace
}

// next returns what is to be done; ok is false where nothing is left.
func (s *ruleRun) next(ctx context.Context) (next job, ok bool) {
	piece, ok := nextPiece(s.ledger, s.detection.Rule, s.now, s.before, s.gapPace.length)
	if ok && piece.To.Equal(s.now) && !s.failing.has(piece, false) {
		return s.covering(piece, nil, func() { s.before = liveWindow }), true
	}
	if s.failing.enough() {
		return job{}, false
	}
	for i := range kindsOfWork {
		kind := (s.turn + i) % kindsOfWork
		taken := func() { s.before, s.turn = gap, (kind+1)%kindsOfWork }
		if next, ok := s.workOf(ctx, kind, piece, ok, taken); ok {
			return next, true
		}
	}
	return job{}, false
}

// workOf returns the next piece of a kind of work, if there is one. taken is called when it is
// done.
func (s *ruleRun) workOf(ctx context.Context, kind work, piece span.Interval, isGap bool,
	taken func()) (job, bool) {
	switch kind {
	case closeGaps:
		if isGap {
			return s.covering(piece, &s.gapPace, taken), true
		}
	case sweepLate:
		if u, due := s.nextSweep(); due {
			return s.sweeping(u, taken), true
		}
	case retrySick:
		if p, due := s.nextSick(); due {
			return s.retryingSick(p, taken), true
		}
	case retryOpen:
		if r, due := s.nextRetry(); due {
			return s.retrying(ctx, r, taken), true
		}
	case kindsOfWork:
	}
	return job{}, false
}

// covering is the job of covering a piece.
func (s *ruleRun) covering(piece span.Interval, p *pace, taken func()) job {
	target := s.target(detect.Target{Patterns: s.patterns}, piece)
	return job{target: &target, pace: p, do: func(ctx context.Context) error {
		taken()
		return s.coverPiece(ctx, piece, p)
	}}
}

// coverPiece covers one interval and enters it into the ledger. One that fails as a whole is
// entered as sick. p is the pace of its kind, nil where it has none.
func (s *ruleRun) coverPiece(ctx context.Context, piece span.Interval, p *pace) error {
	out, err := s.measured(p, func(limit func(*search.Page) error) (detect.Outcome, error) {
		return s.cover(ctx, detect.Target{Patterns: s.patterns, EachPage: limit}, piece)
	})
	if errors.Is(err, errTooDear) {
		return nil
	}
	if err != nil {
		err = fmt.Errorf("cover %s: %w", piece, err)
	}
	return s.enter(ctx, piece, false, out, err, func(l *Ledger) {
		l.cover(piece, s.uncovered(out), s.started.UTC())
	})
}

// enter enters what became of a piece: covered by change, or failed with err. What a failed sweep
// entered is owed beside.
func (s *ruleRun) enter(
	ctx context.Context, i span.Interval, late bool, out detect.Outcome, err error,
	change func(*Ledger),
) error {
	if ctx.Err() != nil && err != nil {
		return err
	}
	s.findings.doubt(err)
	if err == nil {
		s.failing.well()
		s.noteReached(i, late, out)
		return s.update(ctx, s.known, change)
	}
	reason := causeOf(err)
	entered := s.update(ctx, s.known, func(l *Ledger) {
		if late {
			change(l)
		}
		l.fail(i, late, reason, s.now, s.detection.Rule.Interval)
	})
	if entered != nil {
		return errors.Join(err, entered)
	}
	s.failing.note(i, late, err)
	level := slog.LevelDebug
	if s.findings.first(reason) { // the end of the run says it of all pieces and rules
		level = slog.LevelWarn
	}
	s.log.Log(ctx, level, "a piece of time could not be searched; the others are, and it is "+
		"tried again",
		"rule", s.detection.Rule.ID, "name", s.detection.Rule.Name, "error", err)
	return nil
}

// measured searches a piece and lets its pace learn from it.
func (s *ruleRun) measured(p *pace,
	search func(limit func(*search.Page) error) (detect.Outcome, error)) (detect.Outcome, error) {
	if len(s.patterns) == 0 {
		return detect.Outcome{}, nil
	}
	if p == nil {
		return search(nil)
	}
	began := s.options.Now()
	ahead := s.ahead
	out, err := search(p.limit(s.options.Now))
	took, candidates := s.options.Now().Sub(began), out.Candidates
	if ahead != nil && ahead.taken { // what it took for all rules, so that they keep in step
		took, candidates = took+ahead.took, ahead.candidates
	}
	switch {
	case err == nil:
		p.after(took, candidates)
	case errors.Is(err, errTooDear):
		p.failed()
	default:
		s.failing.took += took
		p.failed()
	}
	return out, err
}

// uncovered are the failures of a piece: the indices that did not answer, and what was not asked.
func (s *ruleRun) uncovered(out detect.Outcome) []detect.Failure {
	failures := append(out.Failures[:len(out.Failures):len(out.Failures)], s.forbidden...)
	return append(failures, s.shut.open...)
}

// cover searches an interval, with its overlap, and counts what came of it. The overlap does not
// reach into a gap: what is in it is searched yet, and may be why it is one. What a rule looks back
// beyond its interval does not reach beyond the beginning of its coverage: so the first runs of all
// rules have one window.
func (s *ruleRun) cover(ctx context.Context, t detect.Target,
	i span.Interval) (detect.Outcome, error) {
	t = s.target(t, i)
	out, err := s.read(ctx, t)
	s.count(out, t.Window)
	return out, err
}

// target adds to a target what is read to cover an interval.
func (s *ruleRun) target(t detect.Target, i span.Interval) detect.Target {
	t.Window, t.Timestamps, t.Now = reading(s.detection.Rule, i), s.detection.Timestamps(),
		s.started
	earliest := span.Later(s.ledger.Since.Add(-detect.LeastOverlap), s.ledger.Gaps(i.From).End())
	t.Window.From = span.Later(t.Window.From, earliest)
	return t
}

// read searches a target, and remembers which indices cannot be read.
func (s *ruleRun) read(ctx context.Context, t detect.Target) (detect.Outcome, error) {
	t.Began, t.Accounted = s.theirs, s.accounted
	out, ready, err := s.taken(t)
	if !ready {
		out, err = s.coverer.Cover(ctx, s.detection, t, s.execution)
		s.run.Searches += float64(out.Searches)
		s.findings.noteSearched(out)
	}
	s.findings.note(out.Failures)
	return out, err
}

// failing is the account of the pieces that failed in a run.
type failing struct {
	pieces []SickPiece
	errs   []error
	inARow int
	took   time.Duration
	// othersWell says that some piece was covered: what fails is sick, and not the cluster.
	othersWell bool
}

// A run ends before its backlog does where so many pieces failed one after the other, or failing
// took so long: the cause is not in the pieces.
const (
	mostInARow  = 8
	mostFailing = 2 * time.Minute
)

func (f *failing) note(i span.Interval, late bool, err error) {
	f.pieces = append(f.pieces, SickPiece{Interval: i, Late: late})
	f.errs = append(f.errs, err)
	f.inARow++
}

func (f *failing) well() { f.inARow, f.othersWell = 0, true }

func (f *failing) enough() bool { return f.inARow >= mostInARow || f.took > mostFailing }

// has reports whether a piece failed in this run already.
func (f *failing) has(i span.Interval, late bool) bool {
	for _, p := range f.pieces {
		if p.is(i, late) {
			return true
		}
	}
	return false
}
