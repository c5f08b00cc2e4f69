package rule_test

import (
	"strings"
	"testing"

	"esrule/internal/query/eql"
	"esrule/internal/query/rule"
)

func TestReadsSignals(t *testing.T) {
	f := func(patterns, query string, want bool) {
		t.Helper()
		q, err := eql.Parse(query)
		if err != nil {
			t.Fatal(err)
		}
		r := &rule.Rule{Body: &rule.EventQuery{Query: q}}
		if got := r.ReadsSignals(strings.Fields(patterns)); got != want {
			t.Errorf("%s over %s: got %t, want %t", query, patterns, got, want)
		}
	}
	f("logs-*", `any where true`, false)
	f("logs-*", `any where event.kind == "alert"`, true)
	f("logs-*", `any where kibana.alert.rule.name == "a"`, true)
	f("logs-* .alerts-security.alerts-default", `any where true`, true)
	f(".siem-signals-*", `any where true`, true)
	f("* -.alerts-security.*", `any where true`, false)
}
