package schedule

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"esrule/internal/detect"
	"esrule/internal/elastic/indexpattern"
	"esrule/internal/elastic/search"
	"esrule/internal/span"
)

// retry is a piece of time for which open indices, or a pattern that could not be read, are
// searched again. Indices that are open for the same time are searched together.
type retry struct {
	indices []string
	piece   span.Interval
	sweep   bool // it is owed to a late sweep
}

// nextRetry returns the oldest piece for which some open index is due.
func (s *ruleRun) nextRetry() (retry, bool) {
	due := s.dueIndices()
	var oldest, owed time.Time
	for _, o := range due {
		if len(o.Time) > 0 && (oldest.IsZero() || o.Time[0].From.Before(oldest)) {
			oldest = o.Time[0].From
		}
		if from := o.SweepFrom; !from.IsZero() && (owed.IsZero() || from.Before(owed)) {
			owed = from
		}
	}
	switch {
	case !oldest.IsZero():
		return s.openPiece(due, oldest), true
	case !owed.IsZero():
		return s.owedPiece(due, owed), true
	}
	return retry{}, false
}

// dueIndices are the open indices that are tried again in this run. What may still not be read is
// not tried, nor what is closed, nor what failed in this run already; where none of the patterns
// may be read, nothing is.
func (s *ruleRun) dueIndices() []OpenIndex {
	if len(s.patterns) == 0 {
		return nil
	}
	forbidden := make([]string, 0, len(s.forbidden))
	for _, f := range s.forbidden {
		forbidden = append(forbidden, f.Index)
	}
	return slices.DeleteFunc(slices.Clone(s.ledger.Open), func(o OpenIndex) bool {
		return o.Next.After(s.now) || !s.due[o.Index] || s.shut.has(o.Index) ||
			slices.Contains(forbidden, o.Index) ||
			indexpattern.IsRemote(o.Index) && s.unanswered(o.Index)
	})
}

// unanswered reports whether the cluster of a remote index or pattern does not answer for some
// pattern of the rule, or does not say which of its indices are closed.
func (s *ruleRun) unanswered(name string) bool {
	same := func(other string) bool {
		return indexpattern.IsRemote(other) &&
			indexpattern.Match([]string{indexpattern.Cluster(other)}, indexpattern.Cluster(name))
	}
	for index := range s.shut.names {
		if strings.Contains(index, "*") && same(index) {
			return true
		}
	}
	return slices.ContainsFunc(s.forbidden, func(f detect.Failure) bool { return same(f.Index) })
}

// openPiece is the piece that begins at a moment, with all who are open from then on, up to where
// one of them is not any more.
func (s *ruleRun) openPiece(due []OpenIndex, from time.Time) retry {
	r := retry{piece: span.Interval{From: from, To: from.Add(s.retryPace.length)}}
	for _, o := range due {
		switch {
		case len(o.Time) == 0:
		case !o.Time[0].From.Equal(from):
			r.piece.To = span.Earlier(r.piece.To, o.Time[0].From)
		case len(r.indices) == 0 || !s.single:
			r.indices = append(r.indices, o.Index)
			r.piece.To = span.Earlier(r.piece.To, o.Time[0].To)
		}
	}
	return r
}

// owedPiece is the piece of a late sweep that begins at a moment, with all who owe it from then on.
func (s *ruleRun) owedPiece(due []OpenIndex, from time.Time) retry {
	r := retry{piece: (SweepUnderWay{Next: from}).piece(s.now, s.sweepPace.length), sweep: true}
	for _, o := range due {
		switch owed := o.SweepFrom; {
		case owed.IsZero():
		case !owed.Equal(from):
			if r.piece.Unbounded() || owed.Before(r.piece.To) {
				r.piece.To = owed
			}
		case len(r.indices) == 0 || !s.single:
			r.indices = append(r.indices, o.Index)
		}
	}
	return r
}

// aimed is a retry with what is searched for it.
type aimed struct {
	retry
	target detect.Target // but for what is read of it
	found  whereabouts
}

// aim asks where the indices of a retry are. Its indices are then those that the search is about,
// or those that are known to be unreadable.
func (s *ruleRun) aim(ctx context.Context, r retry) (aimed, error) {
	found, err := s.look(ctx, r.indices)
	if err != nil {
		return aimed{}, fmt.Errorf("ask which indices there are: %w", err)
	}
	t := detect.Target{Patterns: slices.Concat(s.patterns, found.hidden), Only: found.there}
	switch {
	case len(found.failed) > 0:
		r.indices = slices.Collect(maps.Keys(found.failed))
	case len(found.gone) > 0: // their events may be in an index of any name
		r.indices, t.Only = found.gone, nil
		if remote := ofTheirClusters(s.patterns, found.gone); len(remote) > 0 {
			t.Patterns = remote
		}
	default:
		r.indices = found.there
	}
	return aimed{r, t, found}, nil
}

// retrying is the job of searching a piece again.
func (s *ruleRun) retrying(ctx context.Context, r retry, taken func()) job {
	next := job{do: func(ctx context.Context) error {
		taken()
		return s.retryNext(ctx, r)
	}}
	a, err := s.aim(ctx, r)
	if err != nil || len(a.found.failed) > 0 { // its step says so
		return next
	}
	target, p := s.target(a.target, r.piece), &s.retryPace
	if r.sweep {
		target, p = s.sweepTarget(a.target, r.piece), &s.sweepPace
	}
	next.target, next.pace = &target, p
	return next
}

// retryNext searches a piece again. An index that fails once more is left alone for the rest of the
// run.
func (s *ruleRun) retryNext(ctx context.Context, r retry) error {
	a, err := s.aim(ctx, r)
	if err != nil {
		return err
	}
	if len(a.found.failed) > 0 {
		return s.enterRetry(ctx, a.retry, a.found.failed, nil)
	}
	out, err := s.searchPiece(ctx, a.target, a.retry)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errTooDear):
		return nil
	case err != nil && len(a.indices) > 1:
		s.single = true // one of them may be why
		return nil
	}
	if err == nil && len(a.target.Only) == 0 {
		s.noteReached(a.piece, a.sweep, out)
	}
	failed, others := a.failures(out, err)
	if len(failed) == 0 {
		s.lookedElsewhere = append(s.lookedElsewhere, s.nowhere(a.found.gone)...)
	}
	return s.enterRetry(ctx, a.retry, failed, others)
}

// failures returns what failed of a retry: its own indices, and others that are open for its piece
// from then on.
func (a aimed) failures(out detect.Outcome,
	err error) (failed map[string]string, others []detect.Failure) {
	failed = map[string]string{}
	for _, index := range a.indices {
		switch {
		case err != nil:
			failed[index] = err.Error()
		case len(a.target.Only) > 0 && !slices.Contains(out.Reached, index):
			failed[index] = "a search of the rule's patterns does not reach it: it is closed or " +
				"may not be read"
		}
	}
	for _, f := range out.Failures {
		if slices.Contains(a.indices, f.Index) {
			failed[f.Index] = f.Reason
		} else {
			others = append(others, f)
		}
	}
	for _, index := range a.found.left {
		if _, already := failed[index]; !already && slices.Contains(a.indices, index) {
			failed[index] = "it is there and in none of the rule's patterns any more (was an " +
				"alias moved?): put it back, or delete it"
		}
	}
	return failed, others
}

// nowhere returns those of the indices that are gone that are neither a pattern of the rule nor of
// a remote cluster.
func (s *ruleRun) nowhere(gone []string) []string {
	return slices.DeleteFunc(slices.Clone(gone), func(index string) bool {
		return slices.Contains(s.detection.Patterns, index) ||
			len(ofTheirClusters(s.patterns, []string{index})) > 0
	})
}

func (s *ruleRun) searchPiece(ctx context.Context, t detect.Target,
	r retry) (detect.Outcome, error) {
	p, look := &s.retryPace, s.cover
	if r.sweep {
		p, look = &s.sweepPace, s.sweep
	}
	return s.measured(p, func(limit func(*search.Page) error) (detect.Outcome, error) {
		t.EachPage = limit
		return look(ctx, t, r.piece)
	})
}

// letGo tells the findings which open indices were not there under their names, and are not waited
// for any more: all their time was searched again in all of the rule's patterns.
func (s *ruleRun) letGo() {
	for _, index := range s.lookedElsewhere {
		open := slices.ContainsFunc(s.ledger.Open, func(o OpenIndex) bool {
			return o.Index == index
		})
		if !open {
			s.findings.letGo(index, s.detection.Rule.ID)
		}
	}
}

// enterRetry enters what became of a retry. others are open for its piece too.
func (s *ruleRun) enterRetry(ctx context.Context, r retry, failed map[string]string,
	others []detect.Failure) error {
	for index := range failed {
		delete(s.due, index)
	}
	return s.update(ctx, s.known, func(l *Ledger) {
		enter, open := l.retried, func(f detect.Failure) { l.open(f, r.piece, s.now) }
		if r.sweep {
			enter, open = l.paid, func(f detect.Failure) { l.owe(f, r.piece.From, s.now) }
		}
		for _, index := range r.indices {
			var failure *detect.Failure
			if reason, again := failed[index]; again {
				failure = &detect.Failure{Index: index, Reason: reason}
			}
			enter(index, r.piece, failure, s.now, s.detection.Rule.Interval)
		}
		for _, f := range others {
			open(f)
		}
	})
}
