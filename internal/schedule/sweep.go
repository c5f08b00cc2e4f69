package schedule

import (
	"slices"
	"time"

	"esrule/internal/detect"
	"esrule/internal/span"
)

const (
	// sweepEvery is the time from one late sweep to the next.
	sweepEvery = time.Hour
	// sweepPiece is how much of a late sweep is searched at once, at first. Nearly all of it was
	// searched before, so it is longer than the piece of a gap; between two pieces the live windows
	// have their turn.
	sweepPiece = 6 * time.Hour
)

// Sweep is the account of the late sweeps: what was read again by the time at which it happened,
// for the events that came long after it.
type Sweep struct {
	// Start is when the last complete sweep began: every event that was searchable then was read,
	// by it or by what came before it. Where none was complete yet it is when the rule's first run
	// began.
	Start time.Time `json:"start"`
	// CompletedAt is when that sweep ended; zero where none was complete yet.
	CompletedAt time.Time `json:"completed_at,omitzero"`
	// Due is when the next one begins, at the earliest.
	Due time.Time `json:"due"`
	// UnderWay is the sweep that has begun and is not complete.
	UnderWay *SweepUnderWay `json:"under_way,omitempty"`
	// LongestGap is the longest time between two runs since the clocks were last found to have been
	// ahead. A clock that is set forward looks the same, so none was ever ahead by more at once.
	LongestGap time.Duration `json:"longest_gap_ns,omitempty"`
}

// SweepUnderWay is how far a sweep has come. Whoever goes on with it, however much later, completes
// it as of its start: what lies before Next was read since then.
type SweepUnderWay struct {
	Start time.Time `json:"start"`
	Next  time.Time `json:"next"`
}

// beginSweeps makes the account of a ledger that has none: of a new one, whose first run is about
// to read everything from Since on, or of an earlier release's, which read nothing twice since its
// last run.
func (l *Ledger) beginSweeps(now time.Time) {
	if l.Sweep != nil {
		return
	}
	now = now.UTC().Truncate(time.Millisecond)
	l.Sweep = &Sweep{Start: now, Due: now.Add(sweepEvery)}
	if len(l.Covered) > 0 {
		l.Sweep.Start, l.Sweep.Due = span.Earlier(l.Covered.End(), now), now
	}
}

// sweepBegins is the sweep to go on with or to begin, if one is due: of every event that happened
// so long before the start of the last complete one, and not from before the rule's coverage
// begins. A little more is read, as much as clocks may differ.
func (l *Ledger) sweepBegins(now time.Time, late time.Duration) (SweepUnderWay, bool) {
	switch {
	case l.Sweep.UnderWay != nil:
		return *l.Sweep.UnderWay, true
	case now.Before(l.Sweep.Due):
		return SweepUnderWay{}, false
	}
	return SweepUnderWay{Start: now, Next: span.Later(l.Sweep.Start.Add(-late-detect.LeastOverlap),
		l.Since)}, true
}

// piece is what of a sweep is searched next. The last one has no end: events dated in the future
// are found too.
func (u SweepUnderWay) piece(now time.Time, length time.Duration) span.Interval {
	if to := u.Next.Add(length); to.Before(now) {
		return span.Interval{From: u.Next, To: to}
	}
	return span.Interval{From: u.Next}
}

// swept enters a piece of a sweep as read, except for the failures, whose indices owe it from then
// on. What another instance entered meanwhile stands where it goes further.
func (l *Ledger) swept(u SweepUnderWay, piece span.Interval, failures []detect.Failure,
	now time.Time) {
	for _, f := range failures {
		l.owe(f, piece.From, now)
	}
	s := l.Sweep
	if s.UnderWay == nil && !u.Start.Before(s.Due) {
		s.UnderWay = &u
	}
	if at := s.UnderWay; at == nil || !at.Start.Equal(u.Start) || !at.Next.Equal(piece.From) {
		return
	}
	if !piece.Unbounded() {
		s.UnderWay = &SweepUnderWay{Start: u.Start, Next: piece.To}
		return
	}
	s.UnderWay = nil
	s.Start, s.Due, s.CompletedAt = u.Start, u.Start.Add(sweepEvery),
		now.UTC().Truncate(time.Millisecond)
}

// owe enters that an index did not answer a sweep from some time on.
func (l *Ledger) owe(f detect.Failure, from, now time.Time) {
	o := l.opened(f, now)
	if o.SweepFrom.IsZero() || from.Before(o.SweepFrom) {
		o.SweepFrom = from
	}
}

// paid enters what became of a second look at a piece of a sweep that one index owes.
func (l *Ledger) paid(index string, piece span.Interval, failure *detect.Failure, now time.Time,
	interval time.Duration) {
	at := slices.IndexFunc(l.Open, func(o OpenIndex) bool { return o.Index == index })
	if at < 0 {
		return
	}
	o := &l.Open[at]
	switch {
	case failure != nil:
		o.failed(*failure, now, interval)
	case o.SweepFrom.Equal(piece.From):
		o.SweepFrom = piece.To // zero behind the last piece
		l.close(at)
	}
}

// afterGap remembers the longest time between two runs.
func (l *Ledger) afterGap(now time.Time) {
	if len(l.Covered) > 0 {
		l.Sweep.LongestGap = max(l.Sweep.LongestGap, now.Sub(l.Covered.End()))
	}
}

// setBack puts the account right where the clocks were ahead, so that the ledger ends in the
// future. How long ago the last sweep really began is not known, but no longer than its time says
// less what the clocks were ahead, and that is no more than the longest time that ever seemed to
// pass between two runs. The next sweep begins at once, from there: it finds what happened while
// the ledger had its time as searched already. It gives how far the clocks were ahead at least.
func (l *Ledger) setBack(now, latest time.Time) (ahead time.Duration) {
	s := l.Sweep
	end := span.Later(l.Covered.End(), s.Start)
	if ahead = end.Sub(now); ahead <= detect.LeastOverlap {
		return 0 // every search reaches that much further back
	}
	inside := s.LongestGap >= ahead // of the ledger's life they were set forward
	back := s.LongestGap
	if !inside {
		// what was ahead before the first run is in no gap; since the last run one like those
		// before has passed
		back += ahead
	}
	s.Start = span.Earlier(s.Start.Add(-back), now)
	s.Due, s.UnderWay = now, nil
	if !end.After(latest) {
		return ahead // or one of the two clocks is behind: the ledger's beginning is right
	}
	if !inside || l.Since.After(latest) {
		l.Since = l.Since.Add(-back)
	}
	s.LongestGap = 0
	return ahead
}
