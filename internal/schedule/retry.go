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

// retryNext searches a piece again. An index that fails once more is left alone for the rest of the
// run.
func (s *ruleRun) retryNext(ctx context.Context, r retry) error {
	found, err := s.look(ctx, r.indices)
	if err != nil {
		return fmt.Errorf("ask which indices there are: %w", err)
	}
	t := detect.Target{Patterns: slices.Concat(s.patterns, found.hidden), Only: found.there}
	switch {
	case len(found.failed) > 0:
		r.indices = slices.Collect(maps.Keys(found.failed))
		return s.enterRetry(ctx, r, found.failed, nil)
	case len(found.gone) > 0: // their events may be in an index of any name
		r.indices, t.Only = found.gone, nil
		if remote := ofTheirClusters(s.patterns, found.gone); len(remote) > 0 {
			t.Patterns = remote
		}
	default:
		r.indices = found.there
	}
	out, err := s.searchPiece(ctx, t, r)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errTooDear):
		return nil
	case err != nil && len(r.indices) > 1:
		s.single = true // one of them may be why
		return nil
	}
	if err == nil && len(t.Only) == 0 {
		s.noteReached(r.piece, r.sweep, out)
	}
	failed, others := map[string]string{}, []detect.Failure(nil)
	for _, index := range r.indices {
		switch {
		case err != nil:
			failed[index] = err.Error()
		case len(t.Only) > 0 && !slices.Contains(out.Reached, index):
			failed[index] = "a search of the rule's patterns does not reach it: it is closed or " +
				"may not be read"
		}
	}
	for _, f := range out.Failures {
		if slices.Contains(r.indices, f.Index) {
			failed[f.Index] = f.Reason
		} else {
			others = append(others, f)
		}
	}
	for _, index := range found.left {
		if _, already := failed[index]; !already && slices.Contains(r.indices, index) {
			failed[index] = "it is there and in none of the rule's patterns any more (was an " +
				"alias moved?): put it back, or delete it"
		}
	}
	gone := slices.DeleteFunc(slices.Clone(found.gone), func(index string) bool {
		return slices.Contains(s.detection.Patterns, index) ||
			len(ofTheirClusters(s.patterns, []string{index})) > 0
	})
	if len(failed) == 0 {
		s.lookedElsewhere = append(s.lookedElsewhere, gone...)
	}
	return s.enterRetry(ctx, r, failed, others)
}

// ofTheirClusters returns those of a list of patterns that are of the remote clusters that indices
// are of; none where one of the indices is not remote.
func ofTheirClusters(patterns, indices []string) []string {
	var aliases, kept []string
	for _, index := range indices {
		if !indexpattern.IsRemote(index) {
			return nil
		}
		aliases = append(aliases, indexpattern.Cluster(index))
	}
	slices.Sort(aliases)
	for _, alias := range slices.Compact(aliases) {
		kept = append(kept, indexpattern.OfCluster(patterns, alias)...)
	}
	return kept
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

// whereabouts are the open indices of a retry, by where they are.
type whereabouts struct {
	there  []string
	gone   []string          // under this name: what they held may go on under another
	failed map[string]string // known to be unreadable, with the reason
	// left are those of the gone that are there, under a name that the patterns do not stand for
	// any more: what they hold may have gone on elsewhere, and may not.
	left []string
	// hidden are those that are there and that the patterns stand for by name, but for being
	// hidden: a pattern with * passes over them.
	hidden []string
}

func (s *ruleRun) look(ctx context.Context, indices []string) (whereabouts, error) {
	found := whereabouts{failed: map[string]string{}}
	all, err := s.findings.known(ctx, s.patterns)
	if err != nil {
		return found, err
	}
	for _, index := range indices {
		reason, unwell := s.findings.unwell[index]
		switch standing, there := all[index]; {
		case indexpattern.IsRemote(index): // whether it is still the same index is not told
			found.gone = append(found.gone, index)
		case there && unwell:
			found.failed[index] = reason
		case there && !s.replaced(index, standing):
			found.there = append(found.there, index)
		case there || strings.ContainsAny(index, "*:"):
			found.gone = append(found.gone, index)
		default:
			isIndex, err := s.isReal(ctx, index)
			switch {
			case err != nil:
				found.failed[index] = err.Error()
			case isIndex && indexpattern.Match(s.patterns, index):
				found.there, found.hidden = append(found.there, index), append(found.hidden, index)
			case isIndex && len(s.forbidden) > 0:
				found.failed[index] = "it may not be read, or is in none of the rule's patterns any more"
			case isIndex:
				found.gone, found.left = append(found.gone, index), append(found.left, index)
			default:
				found.gone = append(found.gone, index)
			}
		}
	}
	return found, nil
}

// replaced reports whether an index is another than the one that failed: it was made since.
func (s *ruleRun) replaced(index string, now search.Standing) bool {
	return slices.ContainsFunc(s.ledger.Open, func(o OpenIndex) bool {
		return o.Index == index && now.Created.After(o.Since)
	})
}

// isReal reports whether there is an index of that name, and no alias.
func (s *ruleRun) isReal(ctx context.Context, index string) (bool, error) {
	there, err := s.findings.Exists(ctx, index)
	if err != nil {
		return false, fmt.Errorf("ask whether it is still there: %w", err)
	}
	if !there {
		return false, nil
	}
	named, err := s.findings.known(ctx, []string{index})
	if err != nil {
		return false, fmt.Errorf("ask what it is now: %w", err)
	}
	_, isIndex := named[index]
	return isIndex, nil
}
