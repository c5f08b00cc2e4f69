package detect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"esrule/internal/detect/sequence"
	"esrule/internal/elastic/search"
	"esrule/internal/query/prefilter"
	"esrule/internal/span"
)

const (
	// mostPending is how many events and keys the rules of one search keep pending, together: of
	// some 250 bytes each.
	mostPending = 500_000
	// crowd is how many accepted events are held at most to put them in order. Where a window has
	// more, it is read in shorter pieces, one after the other.
	crowd = 50_000
	// writtenTogether is how many sequences are written at once: their events are read again.
	writtenTogether = 50
)

// joins reports whether the group's rules ask for several events together. All of them do, or none.
func (g *Group) joins() bool { return g.matchers.Compiled[0].Sequence != nil }

// leadIn is how long before a window its events must be read.
func (g *Group) leadIn() (longest time.Duration) {
	for _, c := range g.matchers.Compiled {
		if c.Sequence != nil {
			longest = max(longest, c.Sequence.Span())
		}
	}
	return longest
}

// Kind is equal for rules that a group may have together: those that judge each event alone, and
// those that join events in the same order and read about as far before a window.
func (d *Detection) Kind() string {
	if d.Sequence == nil {
		return ""
	}
	steps := 0
	for span := time.Minute; span < d.Sequence.Span(); span *= 4 {
		steps++
	}
	return fmt.Sprint("joined by ", d.Order.tiebreaker, " within ", steps)
}

// Settles is how long after a moment it is decided what was there: what a rule wants not to be
// there may come as late as any event.
func (d *Detection) Settles() time.Duration {
	if d.Sequence != nil && d.Sequence.Waits() {
		return LeastOverlap
	}
	return 0
}

// join takes the events of a window that rules want together to sequences. Events come in any
// order: what is accepted of a piece of the window is held, put in order and judged, and the judges
// go on with the next piece.
type join struct {
	judge   *judge
	classes []search.Class
	asks    []*ask                   // of the classes
	lacks   bool                     // an index of the target is not searched
	judges  []*sequence.Judge[place] // of the rules, by their places in the group
	seen    []seen                   // of the piece at hand
	found   []foundSequence
}

// place is where an event is.
type place struct{ index, id string }

// seen is an accepted event of a piece.
type seen struct {
	Position
	place
	looks []RuleLook
}

// foundSequence is a complete sequence of a rule.
type foundSequence struct {
	rule   int
	events []place
}

func newJoin(j *judge, classes []search.Class, lacks bool) *join {
	g := j.group
	s := &join{judge: j, classes: classes, lacks: lacks}
	for _, c := range classes {
		s.asks = asked(s.asks, prefilter.Class{Indices: c.Indices}, c.Mapping,
			g.wanted(c.Mapping))
	}
	for _, c := range g.matchers.Compiled {
		s.judges = append(s.judges, sequence.NewJudge[place](c.Sequence, j.target.Window,
			mostPending/len(g.matchers.Compiled)))
	}
	return s
}

// errIncomplete is why a sequence cannot be judged whose truth hangs on what is not there.
var errIncomplete = errors.New("an index could not be read whole, and the rule asks for events " +
	"that are not there (![…] or until): they may be in that index")

// read reads the window with its lead-in, piece by piece, and leaves no sequence in hand.
func (s *join) read(ctx context.Context, pit *search.PointInTime) error {
	whole := s.judge.target.Window
	whole.From = whole.From.Add(-s.judge.group.leadIn())
	piece := whole
	for {
		err := s.readPiece(ctx, pit, piece)
		if errors.Is(err, errCrowded) {
			if piece, err = s.firstHalf(piece); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		if err := s.decide(ctx, pit, piece); err != nil {
			return err
		}
		if piece.To.Equal(whole.To) { // both zero where there is no end
			return s.end(ctx, pit)
		}
		next := span.Interval{From: piece.To, To: piece.To.Add(2 * piece.Length())}
		if piece = next; !whole.Unbounded() {
			piece.To = span.Earlier(next.To, whole.To)
		} else if next.To.After(s.judge.target.Now) {
			piece.To = time.Time{}
		}
	}
}

// readPiece reads a piece until it is over, or [errCrowded].
func (s *join) readPiece(ctx context.Context, pit *search.PointInTime, piece span.Interval) error {
	j := s.judge
	j.plan = j.group.plan(s.classes, j.target.Timestamps, piece, j.coverer.Own, j.plan.whole)
	s.seen = s.seen[:0]
	return j.read(ctx, pit)
}

// errCrowded ends the reading of a piece that holds too many events to put them in order.
var errCrowded = errors.New("too many events to hold at once")

// firstHalf returns the first half of a piece that is crowded.
func (s *join) firstHalf(piece span.Interval) (span.Interval, error) {
	to := piece.To
	if piece.Unbounded() {
		to = span.Later(s.judge.target.Now, piece.From.Add(time.Hour))
		return span.New(piece.From, to), nil
	}
	half := to.Sub(piece.From) / 2
	if half < time.Millisecond {
		return piece, fmt.Errorf("more than %d events that sequences ask for happened at %s: they "+
			"cannot be put in order", crowd, piece.From.Format(time.RFC3339Nano))
	}
	return span.New(piece.From, piece.From.Add(half).Truncate(time.Millisecond)), nil
}

// note holds an event that some matchers accept.
func (s *join) note(hit *search.Hit, accepted []int) error {
	if len(accepted) == 0 {
		return nil
	}
	j := s.judge
	at, ok := j.group.matchers.Compiled[0].Order.Position(j.event)
	if !ok {
		j.unplaced[hit.Index] = hit.ID()
		return nil
	}
	if len(s.seen) == crowd {
		return errCrowded
	}
	s.seen = append(s.seen, seen{Position: at, place: place{hit.Index, hit.ID()},
		looks: j.group.matchers.Looks(j.event, accepted)})
	return nil
}

// decide shows the piece's events to the judges, in order, and writes the sequences that are found.
func (s *join) decide(ctx context.Context, pit *search.PointInTime, piece span.Interval) error {
	slices.SortFunc(s.seen, func(a, b seen) int {
		return cmp.Or(a.Compare(b.Position), cmp.Compare(a.index, b.index), cmp.Compare(a.id, b.id))
	})
	for i := range s.seen {
		one := &s.seen[i]
		for _, l := range one.looks {
			matches, err := s.judges[l.Rule].See(l.Look, one.At,
				func() place { return one.place })
			s.take(l.Rule, matches)
			if err != nil {
				return err
			}
		}
		if len(s.found) >= writtenTogether {
			if err := s.write(ctx, pit); err != nil {
				return err
			}
		}
	}
	if !piece.Unbounded() {
		for i, judge := range s.judges {
			s.take(i, judge.Advance(piece.To))
		}
	}
	return s.write(ctx, pit)
}

// end ends the judges' windows.
func (s *join) end(ctx context.Context, pit *search.PointInTime) error {
	for i, judge := range s.judges {
		s.take(i, judge.End())
	}
	return s.write(ctx, pit)
}

func (s *join) take(rule int, matches []sequence.Match[place]) {
	for _, m := range matches {
		f := foundSequence{rule: rule}
		for _, taken := range m.Events {
			f.events = append(f.events, taken.Event)
		}
		s.found = append(s.found, f)
	}
}
