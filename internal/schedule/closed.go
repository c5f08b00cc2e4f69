package schedule

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"esrule/internal/detect"
	"esrule/internal/elastic/indexpattern"
	"esrule/internal/elastic/search"
)

// shutIndices are the indices of a rule's patterns that a search passes over without a word: closed
// or frozen ones.
type shutIndices struct {
	names map[string]bool
	// open are those that stay open in the ledger until they are opened. The others are set aside.
	open []detect.Failure
}

func (i shutIndices) has(index string) bool { return i.names[index] }

// askShut learns which indices are closed, and opens those in the ledger that were set aside and
// are not any more.
func (s *ruleRun) askShut(ctx context.Context) error {
	if len(s.patterns) == 0 {
		return nil
	}
	all, err := s.findings.known(ctx, s.patterns)
	if err != nil {
		return err
	}
	s.reached.know(all)
	s.swept.know(all)
	shut, reasons := s.shutOf(all)
	s.shut.names = shut
	aside, err := s.setAside(ctx, all)
	if err != nil {
		return err
	}
	for _, index := range slices.Sorted(maps.Keys(shut)) {
		if !slices.Contains(aside, index) {
			s.shut.open = append(s.shut.open, detect.Failure{Index: index, Reason: reasons[index]})
		}
	}
	if before := s.ledger.SetAside; before != nil && slices.Equal(*before, aside) {
		return nil
	}
	return s.update(ctx, s.known, func(l *Ledger) { l.enterShut(aside, s.shut.open, all, s.now) })
}

// setAsideAdvice is what may be done about a closed index. It names no index, so that many are one
// message.
const setAsideAdvice = `, leave it out with "-name" after the rule's pattern, or name it in ` +
	"ESRULE_SET_ASIDE if it is to be searched only when it is opened"

// shutOf sorts out which indices are closed, and what is said of them.
func (s *ruleRun) shutOf(all map[string]search.Standing) (shut map[string]bool,
	reasons map[string]string) {
	shut, reasons = map[string]bool{}, map[string]string{}
	for index, standing := range all {
		if standing.Shut != "" && !slices.Contains(s.detection.Unread(s.options.Own), index) {
			shut[index] = true
			reasons[index] = standing.Shut + setAsideAdvice
		}
	}
	return shut, reasons
}

// setAside returns the closed indices that the operator knows of and does not wait for. When an
// index was closed, nothing in the cluster says, so that none is set aside that was not named. One
// that the patterns do not stand for any more stays set aside while it is there: it may come back
// open.
func (s *ruleRun) setAside(ctx context.Context, all map[string]search.Standing) ([]string, error) {
	var before, added []string
	if s.ledger.SetAside != nil {
		before = *s.ledger.SetAside
	}
	aside := []string{}
	for index := range s.shut.names {
		if indexpattern.Match(s.options.SetAside, index) && !all[index].Unanswered {
			aside = append(aside, index)
			if !slices.Contains(before, index) {
				added = append(added, index)
			}
		}
	}
	for _, index := range before {
		if _, there := all[index]; there || s.newMeaning {
			continue
		}
		exists, err := s.findings.Exists(ctx, index)
		if err != nil {
			return nil, fmt.Errorf("ask whether %s is still there: %w", index, err)
		}
		if exists {
			aside = append(aside, index)
		}
	}
	slices.Sort(aside)
	if len(added) > 0 {
		slices.Sort(added)
		s.say(slog.LevelInfo, "closed indices are set aside (ESRULE_SET_ASIDE): they are not "+
			"searched until they are opened", "index_count", len(added), "indices",
			added[:min(len(added), listed)])
	}
	return aside, nil
}

// enterShut enters which indices are set aside: nothing of them is waited for. One that was and is
// not any more owes all that is covered; so does a closed one where nobody asked before.
func (l *Ledger) enterShut(aside []string, shut []detect.Failure, all map[string]search.Standing,
	now time.Time) {
	if l.SetAside == nil {
		for _, f := range shut {
			l.openCovered(f, now)
		}
		l.SetAside = &[]string{}
	}
	for _, index := range *l.SetAside {
		if _, there := all[index]; there && !slices.Contains(aside, index) {
			f := detect.Failure{Index: index, Reason: "it was closed until now"}
			if at := slices.IndexFunc(shut, func(s detect.Failure) bool {
				return s.Index == index
			}); at >= 0 {
				f = shut[at]
			}
			l.openCovered(f, now)
		}
	}
	l.Open = slices.DeleteFunc(l.Open, func(o OpenIndex) bool {
		return slices.Contains(aside, o.Index)
	})
	l.SetAside = &aside
}

func (l *Ledger) openCovered(f detect.Failure, now time.Time) {
	for _, i := range l.Covered {
		l.open(f, i, now)
	}
}
