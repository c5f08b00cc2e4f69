package detect_test

import (
	"testing"
	"time"

	"esrule/internal/detect"
	"esrule/internal/finding"
	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
	"esrule/internal/query/kql"
	"esrule/internal/query/rule"
)

// A rule that nothing in an event looks up is named once, whatever its language and patterns.
func TestJudgesEverything(t *testing.T) {
	f := func(parse func(string) (*cond.Query, error), query string, want bool) {
		t.Helper()
		q, err := parse(query)
		if err != nil {
			t.Fatal(err)
		}
		d, err := detect.New(&rule.Rule{Head: rule.Head{ID: "r", Name: query,
			Index: []string{"logs-a-*", "logs-b-*"}}, Body: &rule.EventQuery{Query: q}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, one := range d.CheckAlone(time.Now()).All() {
			if one.Code == finding.JudgesEverything {
				got++
			}
		}
		if got > 1 || got == 1 != want {
			t.Errorf("%s: got %d findings, want it named once: %v", query, got, want)
		}
	}
	f(eql.Parse, `any where true`, true)
	f(eql.Parse, `any where not process.name : "a"`, true)
	f(eql.Parse, `any where process.name : "a" or process.pid == null`, true)
	f(eql.Parse, `any where process.name : "a" or user.name != null`, false)
	f(eql.Parse, `any where process.name : "*"`, false)
	f(eql.Parse, `any where length(process.name) > 3`, true)
	f(eql.Parse, `process where not process.name : "a"`, false)
	f(kql.Parse, `not process.name : a`, true)
	f(kql.Parse, `process.* : a`, true)
	f(kql.Parse, `process.name : a*`, false)
}
