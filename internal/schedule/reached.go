package schedule

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"esrule/internal/detect"
	"esrule/internal/elastic/indexpattern"
	"esrule/internal/elastic/search"
	"esrule/internal/span"
)

// reach is the account of what the searches of a run reached, so that an index that none of them
// held can be told at its end.
type reach struct {
	all span.Intervals            // that were searched
	by  map[string]span.Intervals // by index that was ever there: for which it was reached
}

// know enters indices that are there before the first search.
func (r *reach) know(indices map[string]search.Standing) {
	r.by = map[string]span.Intervals{}
	for index := range indices {
		r.by[index] = nil
	}
}

// note enters what a search of an interval reached. Of two searches of the same time the later
// counts.
func (r *reach) note(i span.Interval, reached []string) {
	r.all = r.all.Union(i)
	for index, time := range r.by {
		r.by[index] = time.Minus(i)
	}
	for _, index := range reached {
		r.by[index] = r.by[index].Union(i)
	}
}

// missed is the searched time for which an index was not reached.
func (r *reach) missed(index string) span.Intervals { return r.all.Minus(r.by[index]...) }

// gone reports whether an index that was there is not among those that are now.
func (r *reach) gone(now map[string]search.Standing) bool {
	for index := range r.by {
		if _, there := now[index]; !there {
			return true
		}
	}
	return false
}

// accounted reports whether an index that no search holds is in the ledger by other means: it was
// closed when the run began, or it is one of a pattern of which only a part may be read.
func (s *ruleRun) accounted(index string) bool {
	return s.shut.has(index) || slices.ContainsFunc(s.forbidden, func(f detect.Failure) bool {
		return indexpattern.Match(indexpattern.Alone(s.detection.Patterns, f.Index), index)
	})
}

// noteReached enters what a piece reached, its failures included: they are in the ledger.
func (s *ruleRun) noteReached(i span.Interval, late bool, out detect.Outcome) {
	reached := slices.Clone(out.Reached)
	for _, f := range out.Failures {
		reached = append(reached, f.Index)
	}
	account := &s.reached
	if late {
		account = &s.swept
	}
	if i.Unbounded() {
		i.To = endless
	}
	account.note(i, reached)
}

// endless stands for the end of a late sweep, which has none, where intervals are reckoned with.
var endless = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// noteMissed asks at the end of a run which indices there are: one that no search of a piece held,
// and that is older than the run, may hold events of that piece. One that was made meanwhile is
// like any other that comes between two runs, unless another is gone: then it may go on under its
// name.
func (s *ruleRun) noteMissed(ctx context.Context) error {
	if len(s.patterns) == 0 || s.ledger == nil || len(s.reached.all)+len(s.swept.all) == 0 {
		return nil
	}
	if s.findings.silent != nil {
		return s.findings.silent
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), missedTime)
	defer cancel()
	all, err := s.findings.known(ctx, s.patterns)
	if err != nil {
		s.findings.silent = fmt.Errorf("ask which indices there are at the end of the run: %w", err)
		return s.findings.silent
	}
	gone := s.reached.gone(all) || s.swept.gone(all)
	var missed []string
	own := s.detection.Unread(s.options.Own)
	for _, index := range slices.Sorted(maps.Keys(all)) {
		one := all[index]
		isNew := !one.Created.IsZero() && !one.Created.Before(s.theirs) && !gone
		if slices.Contains(own, index) || s.accounted(index) || one.Shut != "" || isNew {
			continue
		}
		if len(s.reached.missed(index))+len(s.swept.missed(index)) > 0 {
			missed = append(missed, index)
		}
	}
	if len(missed) == 0 {
		return nil
	}
	return s.update(ctx, s.known, func(l *Ledger) {
		for _, index := range missed {
			f := detect.Failure{Index: index, Reason: detect.MissedReason}
			for _, i := range s.reached.missed(index) {
				l.open(f, i, s.now)
			}
			if owed := s.swept.missed(index); len(owed) > 0 {
				l.owe(f, owed[0].From, s.now)
			}
		}
	})
}

// missedTime bounds the question at the end of a run, which a shutdown waits for.
const missedTime = 20 * time.Second
