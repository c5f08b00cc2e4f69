package main

import (
	"strings"
	"time"

	"esrule/demo/samples"
	"esrule/internal/detect"
	"esrule/internal/event"
	"esrule/internal/query/match"
	"esrule/internal/query/prefilter"
)

// preFilter is what esrule would send for the indices of one mapping, without the window.
func preFilter(d *detect.Detection, m *event.Mapping) any {
	return prefilter.Build(d.Matchers[0].Condition(), m).Clause
}

// branchOf asks the matcher which alternative of the rule's path condition made the event match,
// and gives the end of its path pattern.
func branchOf(d *detect.Detection, e samples.Event) string {
	ev := match.NewEvaluation(d.Fields, time.Now())
	if err := ev.Read(nil, event.Document{Source: e.JSON}); err != nil {
		return ""
	}
	return patternIn(d.Matchers[0].Explain(ev))
}

// patternIn finds the path pattern that decided: the first one on the way down through what is
// decisive.
func patternIn(x *match.Explanation) string {
	if !x.Decisive || !x.Holds {
		return ""
	}
	if x.Kind == "leaf" && strings.HasPrefix(x.Text, "file.path") {
		return tail(x.Text)
	}
	for _, operand := range x.Operands {
		if found := patternIn(operand); found != "" {
			return found
		}
	}
	return ""
}

// tail gives the last folders of the pattern in a leaf such as file.path : "?:\\a\\b\\c\\*".
func tail(leaf string) string {
	_, pattern, _ := strings.Cut(leaf, `"`)
	folders := strings.Split(strings.TrimSuffix(pattern, `"`), `\\`)
	return strings.Join(folders[max(0, len(folders)-3):], `\`)
}
