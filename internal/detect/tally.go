package detect

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"esrule/internal/detect/threshold"
	"esrule/internal/elastic/search"
	"esrule/internal/query/rule"
	"esrule/internal/sink/signal"
	"esrule/internal/span"
)

// tally takes the events of a window that rules count to bursts. Events come in any order: what is
// accepted of a piece of the window is held, put in order and judged, and the judges go on with the
// next piece.
type tally struct {
	*gathering
	judges []*threshold.Judge // of the rules, by their places in the group
	seen   []counted          // of the piece at hand
	held   int                // keys and values in seen
	read   int                // events of the window that were read
	found  []signal.FoundThreshold
	ids    []string // of the signals that were written
}

// counted is an accepted event of a piece, under one rule.
type counted struct {
	at time.Time
	RuleLook
}

// newTally reads what was found before of a window with what is around it.
func newTally(ctx context.Context, g *gathering, around span.Interval) (*tally, error) {
	s := &tally{gathering: g}
	room := threshold.NewRoom(mostPending)
	for _, c := range g.group.matchers.Compiled {
		s.judges = append(s.judges, threshold.NewJudge(c.Threshold, g.target.Window, room))
	}
	before, err := g.coverer.Bursts.read(ctx, g.coverer.Cluster, g.group, around)
	if err != nil {
		return nil, fmt.Errorf(
			"read which bursts have a signal, so that no event counts for two: %w",
			err)
	}
	for _, one := range before {
		for i, d := range g.group.detections {
			if d.Rule.ID == one.Rule {
				s.judges[i].Taken(threshold.Taken{Values: one.Values, From: one.From})
			}
		}
	}
	return s, nil
}

// begin forgets the events of a piece.
func (s *tally) begin() {
	clear(s.seen)
	s.seen, s.held = s.seen[:0], 0
}

// note holds an event that some matchers accept.
func (s *tally) note(hit *search.Hit, accepted []int) error {
	if s.read++; s.read > fewEvents && s.keys == nil {
		return errMany
	}
	looks, err := s.looks(hit, accepted)
	if err != nil {
		return err
	}
	for _, l := range looks {
		at, ok := s.group.matchers.Compiled[l.Rule].Order.Position(s.event)
		if !ok {
			s.unplaced[hit.Index] = hit.ID()
			return nil
		}
		if s.held > 0 && s.held+l.Count.Size() > crowd {
			return errCrowded
		}
		if s.group.where().Signals != "" {
			l.Count.Mark(MarksOf(s.chain))
		}
		s.held += l.Count.Size()
		s.seen = append(s.seen, counted{at.At, l})
	}
	return nil
}

// decide shows the piece's events to the judges, in order, and writes the bursts that are over.
func (s *tally) decide(ctx context.Context, _ span.Interval) error {
	slices.SortStableFunc(s.seen, func(a, b counted) int { return a.at.Compare(b.at) })
	for _, one := range s.seen {
		bursts, err := s.judges[one.Rule].See(one.Count, one.at)
		if taken := s.take(one.Rule, bursts); taken != nil {
			return taken
		}
		if err != nil {
			// What has reached the threshold has reached it, whatever comes.
			if taken := s.take(one.Rule, s.judges[one.Rule].End()); taken != nil {
				return taken
			}
			if written := s.write(ctx); written != nil {
				return written
			}
			return s.unjudged(one.Rule, err)
		}
		if len(s.signals) >= flushAt {
			if err := s.write(ctx); err != nil {
				return err
			}
		}
	}
	return s.write(ctx)
}

// end writes the bursts that were not over.
func (s *tally) end(ctx context.Context) error {
	for i, judge := range s.judges {
		if err := s.take(i, judge.End()); err != nil {
			return err
		}
	}
	if err := s.write(ctx); err != nil {
		return err
	}
	return s.coverer.Bursts.settle(ctx, s.coverer.Cluster, s.ids)
}

// take makes signals of the bursts of a rule.
func (s *tally) take(rule int, bursts []threshold.Burst) error {
	d := s.group.detections[rule]
	for _, b := range bursts {
		made, err := signal.NewThreshold(signal.Threshold{Rule: d.Rule, Index: d.Patterns,
			Values: b.Values, From: b.From, Last: b.Last, Count: b.Count, Distinct: b.Distinct,
			Signals: d.Signals, Links: LinksOf(b.Marks)}, s.executions[rule])
		if err != nil {
			return fmt.Errorf("make the signal of %d events with the values %q: %w", b.Count,
				b.Values, err)
		}
		s.add(rule, made)
		s.found = append(s.found, signal.FoundThreshold{ID: made.ID, Rule: d.Rule.ID,
			Values: b.Values, From: b.From})
	}
	return nil
}

// write writes the signals in hand. What is acknowledged is remembered.
func (s *tally) write(ctx context.Context) error {
	if err := s.flush(ctx); err != nil {
		return err
	}
	s.coverer.Bursts.remember(s.found)
	for _, one := range s.found {
		s.ids = append(s.ids, string(one.ID))
	}
	s.found = s.found[:0]
	return nil
}

// MarksOf writes the links of a signal as marks of it, see [threshold.Look.Mark].
func MarksOf(c signal.Chain) []string {
	marks := make([]string, len(c.Links))
	for i, one := range c.Links {
		marks[i] = fmt.Sprintf("%d %s", one.Depth, one.Rule)
	}
	return marks
}

// LinksOf reads marks back.
func LinksOf(marks []string) (links []signal.Link) {
	for _, mark := range marks {
		depth, id, _ := strings.Cut(mark, " ")
		n, _ := strconv.Atoi(depth) // as it was written
		links = append(links, signal.Link{Rule: rule.ID(id), Depth: n})
	}
	return links
}
