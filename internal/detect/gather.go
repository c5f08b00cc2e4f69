package detect

import (
	"context"
	"errors"
	"fmt"
	"time"

	"esrule/internal/elastic/search"
	"esrule/internal/query/prefilter"
	"esrule/internal/span"
)

// crowd is how many accepted events are held at most to judge them together. Where a window has
// more, it is read in shorter pieces, one after the other.
const crowd = 50_000

// gatherer takes the events of a window that rules accept to signals, where no event is decided by
// itself. The window is read in pieces, each in any order: what is accepted of a piece is held, and
// decided once the piece is over.
type gatherer interface {
	// begin forgets what is held: a piece is read, for the first time or anew.
	begin()
	// note holds an event, of a hit, that some matchers accept. It returns [errCrowded] where it
	// has no room: the piece is read anew as shorter ones; and [errMany] where it is to be read
	// anew after [gathering.narrow].
	note(hit *search.Hit, accepted []int) error
	// decide judges what is held of a piece and writes the signals.
	decide(ctx context.Context, piece span.Interval) error
	// end judges what the last piece left undecided and writes the signals.
	end(ctx context.Context) error
}

// gathers reports whether the group's rules need a [gatherer]: all of them do, or none.
func (g *Group) gathers() bool { return g.matchers.Compiled[0].Together() }

// around is how long before a window its events must be read, and how long after it.
func (g *Group) around() (before, after time.Duration) {
	for _, c := range g.matchers.Compiled {
		switch {
		case c.Sequence != nil:
			before = max(before, c.Sequence.Span())
		case c.Threshold != nil:
			before, after = max(before, c.Threshold.Span), max(after, c.Threshold.Span)
		}
	}
	return before, after
}

// Kind is equal for rules that a group may have together: those that judge each event alone, those
// that join events in the same order, and those that count them, where they read about as far
// around a window. None reads signals that another does not.
func (d *Detection) Kind() string {
	steps := func(within time.Duration) (n int) {
		for span := time.Minute; span < within; span *= 4 {
			n++
		}
		return n
	}
	switch {
	case d.Sequence != nil:
		return fmt.Sprint("joined by ", d.Order.tiebreaker, " within ", steps(d.Sequence.Span()),
			d.Signals)
	case d.NewTerms != nil:
		return "new terms" + d.Signals
	case d.Threshold != nil:
		return fmt.Sprint("counted within ", steps(d.Threshold.Span), d.Signals)
	}
	return d.Signals
}

// gathering is what gatherers share: where the events of one search are.
type gathering struct {
	*judge
	pit     *search.PointInTime
	classes []search.Class
	asks    []*ask // of the classes
	lacks   bool   // an index of the target is not searched
	// keys narrow the search for rules that count events; nil as long as it was not asked for them.
	keys map[int]keys
}

// gather reads the window with its lead-in, piece by piece, and leaves no signal in hand.
func (j *judge) gather(ctx context.Context, pit *search.PointInTime, classes []search.Class,
	lacks bool) error {
	s := &gathering{judge: j, pit: pit, classes: classes, lacks: lacks}
	for _, c := range classes {
		s.asks = asked(s.asks, prefilter.Class{Indices: c.Indices}, c.Mapping,
			j.group.wanted(c.Mapping))
	}
	before, after := j.group.around()
	whole := j.target.Window
	whole.From = whole.From.Add(-before)
	if !whole.Unbounded() {
		whole.To = whole.To.Add(after)
	}
	if err := s.begin(ctx, whole); err != nil {
		return err
	}
	piece := whole
	for {
		err := s.readPiece(ctx, piece)
		if errors.Is(err, errCrowded) {
			if piece, err = s.firstHalf(piece); err != nil {
				return err
			}
			continue
		}
		if errors.Is(err, errMany) {
			if err := s.narrow(ctx, whole); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		if err := j.gatherer.decide(ctx, piece); err != nil {
			return err
		}
		if piece.To.Equal(whole.To) { // both zero where there is no end
			return j.gatherer.end(ctx)
		}
		next := span.Interval{From: piece.To, To: piece.To.Add(2 * piece.Length())}
		if piece = next; !whole.Unbounded() {
			piece.To = span.Earlier(next.To, whole.To)
		} else if next.To.After(j.target.Now) {
			piece.To = time.Time{}
		}
	}
}

// begin makes the gatherer of the group's kind, for a window with what is around it.
func (s *gathering) begin(ctx context.Context, around span.Interval) error {
	switch c := &s.group.matchers.Compiled[0]; {
	case c.Threshold != nil:
		tally, err := newTally(ctx, s, around)
		s.gatherer = tally
		return err
	case c.NewTerms != nil:
		s.gatherer = newNewTermsGatherer(s)
	default:
		s.gatherer = newJoin(s)
	}
	return nil
}

// readPiece reads a piece until it is over, or [errCrowded] or [errMany].
func (s *gathering) readPiece(ctx context.Context, piece span.Interval) error {
	j := s.judge
	whole := j.plan.whole
	if len(s.keys) > 0 {
		whole = ""
	}
	j.plan = j.group.plan(s.classes, j.target.Timestamps, piece, j.coverer.Own, whole,
		known{keys: s.keys})
	j.gatherer.begin()
	return j.read(ctx, s.pit)
}

// errCrowded ends the reading of a piece that holds too many events to judge them together.
var errCrowded = errors.New("too many events to hold at once")

// firstHalf returns the first half of a piece that is crowded.
func (s *gathering) firstHalf(piece span.Interval) (span.Interval, error) {
	to := piece.To
	if piece.Unbounded() {
		to = span.Later(s.target.Now, piece.From.Add(time.Hour))
		return span.New(piece.From, to), nil
	}
	half := to.Sub(piece.From) / 2
	if half < time.Millisecond {
		return piece, fmt.Errorf("more than %d events, with their keys, that rules judge together "+
			"happened at %s: they cannot be held at once", crowd,
			piece.From.Format(time.RFC3339Nano))
	}
	return span.New(piece.From, piece.From.Add(half).Truncate(time.Millisecond)), nil
}

// unjudged is why a rule could not be judged any more. The others of its group may be.
func (s *gathering) unjudged(rule int, err error) error {
	r := s.group.detections[rule].Rule
	return &judgeError{fmt.Errorf("rule %q (%s): %w", r.Name, r.ID, err)}
}

// looks returns what the rules need of the event at hand, of a hit, that some matchers accept.
func (s *gathering) looks(hit *search.Hit, accepted []int) ([]RuleLook, error) {
	looks, err := s.group.matchers.Looks(s.event, accepted)
	if err != nil {
		return nil, fmt.Errorf("document %s of index %s: %w", hit.ID(), hit.Index, err)
	}
	return looks, nil
}

// complete reports whether everything was read so far that the rules ask about.
func (s *gathering) complete() bool {
	return !s.lacks && len(s.pit.Failures())+len(s.partial)+len(s.unanswered)+len(s.unknown)+
		len(s.unplaced)+len(s.plan.uncovered) == 0
}
