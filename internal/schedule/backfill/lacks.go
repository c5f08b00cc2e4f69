package backfill

import (
	"fmt"
	"strings"

	"esrule/internal/detect"
	"esrule/internal/query/rule"
)

// lacks are the failures of searches, and which rules they are about.
type lacks struct {
	failures []detect.Failure
	rules    map[detect.Failure][]rule.ID
}

// add adds failures of a search for some rules.
func (l *lacks) add(failures []detect.Failure, rules []rule.ID) {
	if l.rules == nil {
		l.rules = map[detect.Failure][]rule.ID{}
	}
	for _, f := range failures {
		if _, known := l.rules[f]; !known {
			l.failures = append(l.failures, f)
		}
		l.rules[f] = append(l.rules[f], rules...)
	}
}

// named returns the failures, each once. One that is not about all of so many rules names those
// that it is about.
func (l *lacks) named(all int) []detect.Failure {
	const most = 3
	named := make([]detect.Failure, len(l.failures))
	for i, f := range l.failures {
		rules := l.rules[f]
		named[i] = f
		if len(rules) == all {
			continue
		}
		ids := make([]string, min(len(rules), most))
		for n := range ids {
			ids[n] = string(rules[n])
		}
		about := strings.Join(ids, ", ")
		if more := len(rules) - most; more > 0 {
			about += fmt.Sprintf(" and %d more", more)
		}
		named[i].Reason = fmt.Sprintf("for %d of %d rules (%s): %s", len(rules), all, about,
			f.Reason)
	}
	return named
}
