package schedule

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"esrule/internal/query/search"
)

// shutIndices are the indices of a rule's patterns that a search passes over without a word: closed or
// frozen ones.
type shutIndices struct {
	names map[string]bool
	// open are those whose events may be wanted: they stay open in the ledger until they are opened. The
	// others are set aside.
	open []Failure
}

func (i shutIndices) has(index string) bool { return i.names[index] }

// askShut learns which indices are closed, and opens those in the ledger that were set aside and are not
// any more.
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
	aside := s.setAside(all)
	for _, index := range slices.Sorted(maps.Keys(shut)) {
		if !slices.Contains(aside, index) {
			s.shut.open = append(s.shut.open, Failure{Index: index, Reason: reasons[index]})
		}
	}
	if before := s.ledger.SetAside; before != nil && slices.Equal(*before, aside) {
		return nil
	}
	return s.update(ctx, s.known, func(l *Ledger) { l.enterShut(aside, s.shut.open, all, s.now) })
}

// shutOf sorts out which indices are closed, and what is said of them.
func (s *ruleRun) shutOf(all map[string]search.Standing) (shut map[string]bool, reasons map[string]string) {
	shut, reasons = map[string]bool{}, map[string]string{}
	for index, standing := range all {
		if standing.Shut != "" && !slices.Contains(s.options.Own, index) {
			shut[index] = true
			reasons[index] = shutReason(index, standing)
		}
	}
	return shut, reasons
}

func shutReason(index string, s search.Standing) string {
	return s.Shut + `, or leave it out with "-` + index + `" after the rule's pattern`
}

// setAside returns the closed indices that are not waited for: those of an archive, which were closed when
// the rule was run first, are older than its coverage, and closed since. Where no index is open at all,
// none is set aside: the rule would see nothing and say nothing.
func (s *ruleRun) setAside(all map[string]search.Standing) []string {
	aside := []string{}
	if before := s.ledger.SetAside; before != nil {
		for _, index := range *before {
			if s.shut.has(index) {
				aside = append(aside, index)
			}
		}
		return aside
	}
	begins := s.ledger.Since
	if s.ledger.PreviousFingerprint != "" {
		begins = s.ledger.FingerprintAt // the patterns that it has now are searched since then
	}
	if len(s.shut.names) == len(all) {
		return aside
	}
	for _, index := range slices.Sorted(maps.Keys(s.shut.names)) {
		created := all[index].Created
		open := slices.ContainsFunc(s.ledger.Open, func(o OpenIndex) bool { return o.Index == index })
		if !open && !created.IsZero() && created.Before(begins) {
			aside = append(aside, index)
		}
	}
	if len(aside) > 0 {
		s.log.Warn("indices were closed before the rule's coverage began: they are not searched until they are opened; "+
			`to have them searched, open them; to leave them out, add "-name" after the rule's pattern`,
			"rule", s.detection.Rule.ID, "index_count", len(aside), "indices", aside[:min(len(aside), listed)])
	}
	return aside
}

// enterShut enters which indices are set aside. One that was and is open now owes all that is covered; so
// does a closed one where nobody asked before.
func (l *Ledger) enterShut(aside []string, shut []Failure, all map[string]search.Standing, now time.Time) {
	if before := l.SetAside; before == nil {
		for _, f := range shut {
			l.openCovered(f, now)
		}
	} else {
		for _, index := range *before {
			if _, there := all[index]; there && !slices.Contains(aside, index) {
				l.openCovered(Failure{Index: index, Reason: "it was closed until now"}, now)
			}
		}
	}
	l.SetAside = &aside
}

func (l *Ledger) openCovered(f Failure, now time.Time) {
	for _, i := range l.Covered {
		l.open(f, i, now)
	}
}

// checkClosed names the closed indices of a pattern.
func checkClosed(ctx context.Context, c Counter, check *PatternCheck, patterns []string) error {
	closed, err := c.Closed(ctx, patterns)
	if err != nil || len(closed) == 0 {
		return err
	}
	check.Notes = append(check.Notes, fmt.Sprintf(
		`closed, so not searched until opened: %s (%d in all): open them, or leave them out with "-name" after the pattern`,
		strings.Join(closed[:min(len(closed), shownClosed)], ", "), len(closed)))
	return nil
}

// shownClosed is how many closed indices check names.
const shownClosed = 5
