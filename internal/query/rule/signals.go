package rule

import (
	"slices"
	"strings"

	"esrule/internal/elastic/indexpattern"
	"esrule/internal/query/cond"
)

// ReadsSignals reports whether the rule is meant to see alerts when it runs over these patterns:
// one of them names an alerts index, or a condition names a field that only alerts and their kind
// have. Every other rule leaves out what is an alert already.
func (r *Rule) ReadsSignals(patterns []string) bool {
	if slices.ContainsFunc(patterns, NamesAlerts) {
		return true
	}
	ofAlerts := func(f *cond.Field) bool {
		return f.Path == "event.kind" || strings.HasPrefix(f.Path, "kibana.alert.")
	}
	return slices.ContainsFunc(r.Body.Queries(), func(q *cond.Query) bool {
		return slices.ContainsFunc(cond.Fields(q.Where), ofAlerts)
	})
}

// NamesAlerts reports whether a pattern names one of the alerts indices of Kibana 8 and 7, and our
// own. An exclusion of them names none.
func NamesAlerts(pattern string) bool {
	return !indexpattern.Excludes(pattern) && slices.ContainsFunc([]string{"alerts-security", "siem-signals", "esrule-signals"},
		func(name string) bool {
			return strings.Contains(pattern, name)
		})
}
