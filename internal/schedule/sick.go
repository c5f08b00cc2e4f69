package schedule

import (
	"context"
	"fmt"
	"slices"
	"time"

	"esrule/internal/detect"
	"esrule/internal/elastic/search"
	"esrule/internal/span"
)

// leastSick is the length from which on a sick piece is not halved any more.
const leastSick = 5 * time.Minute

// SickPiece is a piece of time that failed as a whole: no index of it is covered. Its time is a
// gap, or owed to a late sweep. The account of it keeps the other pieces from waiting for it.
type SickPiece struct {
	span.Interval
	// Late says that the piece is a late sweep's. The last one of a sweep has no end.
	Late   bool   `json:"late,omitempty"`
	Reason string `json:"reason"`
	// Since is when it first failed, Tries how often it has since, Next when it is tried again at
	// the earliest.
	Since time.Time `json:"since"`
	Tries int       `json:"tries"`
	Next  time.Time `json:"next"`
}

func (p SickPiece) is(i span.Interval, late bool) bool {
	return p.Late == late && p.From.Equal(i.From) && p.To.Equal(i.To)
}

// sickTime is the time of the gaps that failed as a whole.
func (l *Ledger) sickTime() span.Intervals {
	var all span.Intervals
	for _, p := range l.Sick {
		if !p.Late {
			all = all.Union(p.Interval)
		}
	}
	return all
}

// fail enters that a piece failed as a whole. Live windows that fail one after the other are one
// piece, as long as it is not longer than longestPiece.
func (l *Ledger) fail(i span.Interval, late bool, reason string, now time.Time,
	interval time.Duration) {
	at := slices.IndexFunc(l.Sick, func(p SickPiece) bool { return p.is(i, late) })
	if at >= 0 {
		p := &l.Sick[at]
		p.Tries++
		p.Reason, p.Next = reason, now
		if p.Tries > 0 {
			p.Next = now.Add(backoff(p.Tries, interval))
		}
		return
	}
	if n := len(l.Sick) - 1; n >= 0 && !late && l.Sick[n].extends(i, reason) {
		l.Sick[n].To = i.To
		return
	}
	l.Sick = append(l.Sick, SickPiece{Interval: i, Late: late, Reason: reason, Since: now,
		Next: now})
}

func (p SickPiece) extends(i span.Interval, reason string) bool {
	return !p.Late && p.To.Equal(i.From) && p.Reason == reason && i.To.Sub(p.From) <= longestPiece
}

// heal takes out of the account what is covered by now. Pieces that failed for the same reason as
// one that does not any more are due.
func (l *Ledger) heal(now time.Time) {
	var healed []string
	var left []SickPiece
	for _, p := range l.Sick {
		if p.Late {
			left = append(left, p)
			continue
		}
		rest := span.Intervals{p.Interval}.Minus(l.Covered...)
		if len(rest) == 0 {
			healed = append(healed, p.Reason)
		}
		for _, i := range rest {
			p.Interval = i
			left = append(left, p)
		}
	}
	l.Sick = left
	l.dueAgain(healed, now)
}

// healLate takes a piece of a late sweep out of the account.
func (l *Ledger) healLate(i span.Interval, now time.Time) {
	at := slices.IndexFunc(l.Sick, func(p SickPiece) bool { return p.is(i, true) })
	if at < 0 {
		return
	}
	reason := l.Sick[at].Reason
	l.Sick = slices.Delete(l.Sick, at, at+1)
	l.dueAgain([]string{reason}, now)
}

func (l *Ledger) dueAgain(reasons []string, now time.Time) {
	for i := range l.Sick {
		if p := &l.Sick[i]; slices.Contains(reasons, p.Reason) {
			p.Next = span.Earlier(p.Next, now)
		}
	}
}

// halve puts the two halves of a sick piece in its place, to find out which of them is sick.
func (l *Ledger) halve(i span.Interval, late bool, now time.Time) {
	at := slices.IndexFunc(l.Sick, func(p SickPiece) bool { return p.is(i, late) })
	if at < 0 || !isDivisible(i, now) {
		return
	}
	first := l.Sick[at]
	first.Next = now
	first.Tries-- // the halves are tried in the run that the whole was tried in: that counts once
	second := first
	middle := now.Add(-leastSick)
	if !i.Unbounded() {
		middle = i.From.Add(i.Length() / 2)
	}
	middle = middle.Truncate(time.Millisecond)
	first.To, second.From = middle, middle
	l.Sick = slices.Replace(l.Sick, at, at+1, first, second)
}

// isDivisible reports whether a piece is long enough to be halved.
func isDivisible(i span.Interval, now time.Time) bool {
	if i.Unbounded() {
		i.To = now
	}
	return i.Length() > leastSick
}

// cutSick takes out of the account what lies after now.
func (l *Ledger) cutSick(now time.Time, interval time.Duration) {
	l.Sick = slices.DeleteFunc(l.Sick, func(p SickPiece) bool { return !p.From.Before(now) })
	for i := range l.Sick {
		p := &l.Sick[i]
		p.Since = span.Earlier(p.Since, now)
		if !p.Unbounded() {
			p.To = span.Earlier(p.To, now)
		}
		if p.Next.After(now.Add(backoff(max(p.Tries, 1), interval))) {
			p.Next = now
		}
	}
}

// nextSick returns the sick piece that is due. One that failed in this run is not tried again, but
// its halves are, where others were covered.
func (s *ruleRun) nextSick() (SickPiece, bool) {
	var divided *SickPiece
	for i, p := range s.ledger.Sick {
		switch failed := s.failing.has(p.Interval, p.Late); {
		case !failed && !p.Next.After(s.now):
			return p, true
		case failed && s.failing.othersWell && isDivisible(p.Interval, s.now) && divided == nil:
			divided = &s.ledger.Sick[i]
		}
	}
	if divided == nil {
		return SickPiece{}, false
	}
	return *divided, true
}

// retryingSick is the job of searching a sick piece again, or of halving it.
func (s *ruleRun) retryingSick(p SickPiece, taken func()) job {
	next := job{do: func(ctx context.Context) error {
		taken()
		return s.searchSick(ctx, p)
	}}
	if s.failing.has(p.Interval, p.Late) {
		return next
	}
	target := s.target(detect.Target{Patterns: s.patterns}, p.Interval)
	if p.Late {
		target = s.sweepTarget(detect.Target{Patterns: s.patterns}, p.Interval)
	}
	next.target = &target
	return next
}

// searchSick searches a sick piece again, or halves it.
func (s *ruleRun) searchSick(ctx context.Context, p SickPiece) error {
	i := p.Interval
	switch {
	case s.failing.has(i, p.Late):
		return s.update(ctx, s.known, func(l *Ledger) { l.halve(i, p.Late, s.now) })
	case !p.Late:
		one := newPace(i.Length(), i.Length())
		return s.coverPiece(ctx, i, &one)
	}
	one := newPace(i.Length(), i.Length())
	out, err := s.measured(&one, func(func(*search.Page) error) (detect.Outcome, error) {
		return s.sweep(ctx, detect.Target{Patterns: s.patterns}, i)
	})
	if err != nil {
		return s.enter(ctx, i, true, out, fmt.Errorf("late sweep %s: %w", sweepText(i), err),
			func(*Ledger) {})
	}
	return s.enter(ctx, i, true, out, nil, func(l *Ledger) {
		for _, f := range s.uncovered(out) {
			l.owe(f, i.From, s.now)
		}
		l.healLate(i, s.now)
	})
}
