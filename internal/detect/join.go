package detect

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"esrule/internal/detect/sequence"
	"esrule/internal/elastic/search"
	"esrule/internal/span"
)

const (
	// mostPending is how many events and keys the rules of one search keep pending, together: of
	// some 250 bytes each.
	mostPending = 500_000
	// writtenTogether is how many sequences are written at once: their events are read again.
	writtenTogether = 50
)

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
	*gathering
	judges []*sequence.Judge[place] // of the rules, by their places in the group
	seen   []seen                   // of the piece at hand
	held   int                      // what they take up
	found  []foundSequence
}

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

func newJoin(g *gathering) *join {
	s := &join{gathering: g}
	room := sequence.NewRoom(mostPending)
	for _, c := range g.group.matchers.Compiled {
		s.judges = append(s.judges,
			sequence.NewJudge[place](c.Sequence, g.target.Window, room))
	}
	return s
}

// begin forgets the events of a piece.
func (s *join) begin() {
	clear(s.seen)
	s.seen, s.held = s.seen[:0], 0
}

// errIncomplete is why a sequence cannot be judged whose truth hangs on what is not there.
var errIncomplete = errors.New("an index could not be read whole, and the rule asks for events " +
	"that are not there (![…] or until): they may be in that index")

// note holds an event that some matchers accept.
func (s *join) note(hit *search.Hit, accepted []int) error {
	if len(accepted) == 0 {
		return nil
	}
	at, ok := s.group.matchers.Compiled[0].Order.Position(s.event)
	if !ok {
		s.unplaced[hit.Index] = hit.ID()
		return nil
	}
	looks, err := s.looks(hit, accepted)
	if err != nil {
		return err
	}
	size := 1
	for _, l := range looks {
		size += l.Look.Size() - 1
	}
	if s.held > 0 && s.held+size > crowd {
		return errCrowded
	}
	s.held += size
	s.seen = append(s.seen, seen{Position: at, place: place{hit.Index, hit.ID()}, looks: looks})
	return nil
}

// decide shows the piece's events to the judges, in order, and writes the sequences that are found.
func (s *join) decide(ctx context.Context, piece span.Interval) error {
	slices.SortFunc(s.seen, func(a, b seen) int {
		return cmp.Or(a.Compare(b.Position), cmp.Compare(a.index, b.index), cmp.Compare(a.id, b.id))
	})
	for i := range s.seen {
		one := &s.seen[i]
		if i%1000 == 0 { // a judge lets go of what has run out when it is told the time
			s.advance(one.At)
		}
		for _, l := range one.looks {
			matches, err := s.judges[l.Rule].See(l.Look, one.At,
				func() place { return one.place })
			s.take(l.Rule, matches)
			if err != nil {
				return errors.Join(s.write(ctx), s.unjudged(l.Rule, err))
			}
		}
		if len(s.found) >= writtenTogether {
			if err := s.write(ctx); err != nil {
				return err
			}
		}
	}
	if !piece.Unbounded() {
		s.advance(piece.To)
	}
	return s.write(ctx)
}

// advance tells the judges that all events before a moment were seen.
func (s *join) advance(now time.Time) {
	for i, judge := range s.judges {
		s.take(i, judge.Advance(now))
	}
}

// end ends the judges' windows.
func (s *join) end(ctx context.Context) error {
	for i, judge := range s.judges {
		s.take(i, judge.End())
	}
	return s.write(ctx)
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
