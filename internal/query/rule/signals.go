package rule

import (
	"slices"
	"strings"

	"esrule/internal/query/cond"
)

// ReadsSignals tells whether the rule is meant to see alerts when it runs over these patterns: one
// of them names an alerts index, or the condition names a field that only alerts and their kind
// have. Every other rule leaves out what is an alert already.
func (r *Rule) ReadsSignals(patterns []string) bool {
	if slices.ContainsFunc(patterns, namesAlerts) {
		return true
	}
	return slices.ContainsFunc(cond.Fields(r.Parsed.Where), func(f *cond.Field) bool {
		return f.Path == "event.kind" || strings.HasPrefix(f.Path, "kibana.alert.")
	})
}

// namesAlerts knows the alerts indices of Kibana 8 and 7, and our own.
func namesAlerts(pattern string) bool {
	return slices.ContainsFunc([]string{"alerts-security", "siem-signals", "esrule-signals"},
		func(name string) bool {
			return strings.Contains(pattern, name)
		})
}
