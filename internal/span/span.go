// Package span is half-open intervals of time, and sets of them. What is covered, open, searched or
// planned is said in them everywhere. The package knows no clock.
package span

import (
	"fmt"
	"slices"
	"time"
)

// Interval is a half-open span of time [From, To), in UTC and whole milliseconds, as dates are
// indexed.
type Interval struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// New returns the interval between two moments, cut to milliseconds.
func New(from, to time.Time) Interval {
	return Interval{From: from.UTC().Truncate(time.Millisecond),
		To: to.UTC().Truncate(time.Millisecond)}
}

// Empty reports whether no moment is in the interval.
func (i Interval) Empty() bool { return !i.From.Before(i.To) }

// Unbounded reports whether the interval has no end: its To is the zero time.
func (i Interval) Unbounded() bool { return i.To.IsZero() }

// Length is the time from the start to the end, 0 where the interval is empty.
func (i Interval) Length() time.Duration {
	if i.Empty() {
		return 0
	}
	return i.To.Sub(i.From)
}

// String is for logs: both ends in RFC 3339.
func (i Interval) String() string {
	return fmt.Sprintf("[%s, %s)", i.From.Format(time.RFC3339Nano), i.To.Format(time.RFC3339Nano))
}

func (i Interval) intersect(o Interval) Interval {
	return Interval{From: Later(i.From, o.From), To: Earlier(i.To, o.To)}
}

// Intervals is a set of moments: intervals in order, none empty, none touching the next.
// The zero value is the empty set. Its methods give new sets and leave the old as they are.
type Intervals []Interval

// Union is the set with every moment of either.
func (s Intervals) Union(o ...Interval) Intervals {
	all := slices.DeleteFunc(slices.Concat(s, o), Interval.Empty)
	slices.SortFunc(all, func(a, b Interval) int { return a.From.Compare(b.From) })
	var united Intervals
	for _, i := range all {
		if last := len(united) - 1; last >= 0 && !i.From.After(united[last].To) {
			united[last].To = Later(united[last].To, i.To)
			continue
		}
		united = append(united, i)
	}
	return united
}

// Minus is the set without the moments of o.
func (s Intervals) Minus(o ...Interval) Intervals {
	rest := s
	for _, cut := range o {
		if cut.Empty() {
			continue
		}
		var next Intervals
		for _, i := range rest {
			for _, piece := range []Interval{
				{From: i.From, To: Earlier(i.To, cut.From)},
				{From: Later(i.From, cut.To), To: i.To},
			} {
				if !piece.Empty() {
					next = append(next, piece)
				}
			}
		}
		rest = next
	}
	return rest
}

// Within is the part of the set inside an interval.
func (s Intervals) Within(o Interval) Intervals {
	var inside Intervals
	for _, i := range s {
		if piece := i.intersect(o); !piece.Empty() {
			inside = append(inside, piece)
		}
	}
	return inside
}

// Length is the time that the set covers.
func (s Intervals) Length() time.Duration {
	var sum time.Duration
	for _, i := range s {
		sum += i.Length()
	}
	return sum
}

// End is the end of the last interval, or the zero time.
func (s Intervals) End() time.Time {
	if len(s) == 0 {
		return time.Time{}
	}
	return s[len(s)-1].To
}

// Later returns the later of two moments.
func Later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Earlier returns the earlier of two moments.
func Earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
