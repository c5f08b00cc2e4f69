package schedule

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"esrule/internal/query/rule"
)

// retry is a piece of time for which an index, or a pattern that could not be read, is searched again.
type retry struct {
	index string
	piece Interval
	sweep bool // it is owed to a late sweep
}

// dueRetries lists what failed in earlier runs and is due, in pieces. What may still not be read is not tried.
func (s *ruleRun) dueRetries() []retry {
	var due []retry
	for _, open := range s.ledger.Open {
		forbidden := slices.ContainsFunc(s.forbidden, func(f Failure) bool { return f.Index == open.Index })
		if open.Next.After(s.now) || forbidden {
			continue
		}
		for _, i := range open.Time {
			for from := i.From; from.Before(i.To); from = from.Add(longestPiece) {
				due = append(due, retry{index: open.Index, piece: NewInterval(from, earlier(i.To, from.Add(longestPiece)))})
			}
		}
		if open.SweepFrom.IsZero() {
			continue
		}
		for _, piece := range owedPieces(open.SweepFrom, s.now) {
			due = append(due, retry{index: open.Index, piece: piece, sweep: true})
		}
	}
	return due
}

// retryNext searches the next piece again. An index that fails once more is left alone for the rest of the run.
func (s *ruleRun) retryNext(ctx context.Context) error {
	next := s.retries[0]
	s.retries = s.retries[1:]
	failure := s.searchAgain(ctx, next)
	if err := ctx.Err(); err != nil {
		return err
	}
	if failure != nil {
		s.retries = slices.DeleteFunc(s.retries, func(r retry) bool { return r.index == next.index })
	}
	return s.update(ctx, s.known, func(l *Ledger) {
		enter := l.retried
		if next.sweep {
			enter = l.paid
		}
		enter(next.index, next.piece, failure, s.now, s.detection.Rule.Interval)
	})
}

// searchAgain gives nil where the piece is covered now, or there is nothing left to cover.
func (s *ruleRun) searchAgain(ctx context.Context, r retry) *Failure {
	// Through the rule's patterns, not by the index's own name: an alias may filter it, or be all that may be read.
	t := Target{Patterns: s.patterns, Only: r.index}
	if slices.Contains(s.detection.Patterns, r.index) {
		t = Target{Patterns: rule.Alone(s.detection.Patterns, r.index)} // a pattern that could not be read before
	}
	search := s.cover
	if r.sweep {
		search = s.sweep
	}
	out, err := search(ctx, t, r.piece)
	switch {
	case err != nil:
		return &Failure{Index: r.index, Reason: err.Error()}
	case len(out.Failures) > 0:
		return &Failure{Index: r.index, Reason: out.Failures[0].Reason}
	case t.Only != "" && !out.Reached:
		return s.outOfReach(ctx, r.index)
	}
	return nil
}

// outOfReach tells an index that is gone, for which there is nothing left to do, from one that is there and
// of which a search reads nothing: no answer stands for no event only where there is nothing to answer.
func (s *ruleRun) outOfReach(ctx context.Context, index string) *Failure {
	if strings.ContainsAny(index, "*:") {
		s.log.Warn("a pattern that was not searched is not the rule's any more; it is no longer waited for",
			"rule", s.detection.Rule.ID, "pattern", index)
		return nil
	}
	there, err := s.cluster.Exists(ctx, index)
	switch {
	case err != nil:
		return &Failure{Index: index, Reason: fmt.Sprintf("ask whether it is still there: %v", err)}
	case there:
		return &Failure{Index: index, Reason: "it is closed, may not be read, or is in none of the rule's patterns any more"}
	}
	s.log.Warn("an index was deleted before it was covered; it is no longer waited for", "rule", s.detection.Rule.ID, "index", index)
	return nil
}
