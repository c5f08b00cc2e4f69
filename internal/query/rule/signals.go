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

// ThreatIndex returns the patterns of a rule's indicators; none of a rule of another type.
func (r *Rule) ThreatIndex() []string {
	if body, ok := r.Body.(*IndicatorQuery); ok {
		return body.ThreatIndex
	}
	return nil
}

// NamesAlerts reports whether a pattern names alerts indices of Kibana 8 or 7, or our own. An
// exclusion of them names none, nor does a pattern of everything. What a pattern such as
// logs-endpoint.alerts-* names is events.
func NamesAlerts(pattern string) bool {
	if indexpattern.Excludes(pattern) {
		return false
	}
	_, index, isRemote := strings.Cut(pattern, ":")
	if !isRemote {
		index = pattern
	}
	begins := func(with string) bool { return strings.HasPrefix(index, with) }
	contains := func(name string) bool { return strings.Contains(index, name) }
	return slices.ContainsFunc([]string{".alerts", ".internal.alerts", ".siem"}, begins) ||
		slices.ContainsFunc([]string{"alerts-security", "siem-signals", "esrule-signals"}, contains)
}
