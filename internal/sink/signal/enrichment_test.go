package signal_test

import (
	"encoding/json"
	"testing"

	"esrule/internal/query/cond"
	"esrule/internal/query/rule"
	"esrule/internal/sink/signal"
)

// TestEnrichments adds indicators to a signal of an event, beside those that it has, and leaves its
// identity as it is.
func TestEnrichments(t *testing.T) {
	of := &rule.Rule{Head: rule.Head{ID: "r", Name: "R", Type: "threat_match", Severity: "low"},
		Body: &rule.IndicatorQuery{EventQuery: rule.EventQuery{Query: &cond.Query{}},
			Threat: rule.EventQuery{Query: &cond.Query{}}}}
	one := signal.Enrichment{Field: "source.ip", Value: "10.0.0.1", Index: "ti", ID: "1",
		Path: "threat.indicator", Source: []byte(`{"threat": {"feed": {"name": "F"},
			"indicator": {"ip": "10.0.0.1", "confidence": 1.0}}}`)}
	const matched = `"matched":{"atomic":"10.0.0.1","field":"source.ip","id":"1","index":"ti",` +
		`"type":"indicator_match_rule"}}`
	const whole = `{"indicator":{"ip":"10.0.0.1","confidence":1.0},"feed":{"name":"F"},` + matched
	f := func(event string, change func(*signal.Enrichment), key, want string) {
		t.Helper()
		e := one
		if change != nil {
			change(&e)
		}
		m := signal.Match{Rule: of, Events: []signal.Event{{Source: []byte(event)}}}
		bare, err := signal.New(m, signal.Execution{})
		if err != nil {
			t.Fatal(err)
		}
		m.Enrichments = []signal.Enrichment{e}
		made, err := signal.New(m, signal.Execution{})
		if err != nil {
			t.Fatal(err)
		}
		var document map[string]json.RawMessage
		if err := json.Unmarshal(made.Document, &document); err != nil {
			t.Fatal(err)
		}
		if got := string(document[key]); got != want || made.ID != bare.ID {
			t.Errorf("%s\ngot %s %s\nwant %s; id %s, of the event alone %s", event, key, got, want,
				made.ID, bare.ID)
		}
	}
	f(`{"a": 1}`, nil, "threat", `{"enrichments":[`+whole+`]}`)
	f(`{"threat": {"x": 1}}`, nil, "threat", `{"x":1,"enrichments":[`+whole+`]}`)
	f(`{"threat": {"enrichments": {"b": 1}}}`, nil, "threat",
		`{"enrichments":[{"b":1},`+whole+`]}`)
	f(`{"threat.enrichments": [{"b": 1}, 2]}`, nil, "threat", `{"enrichments":[{"b":1},2,`+whole+
		`]}`)
	f(`{"threat": "x"}`, nil, "threat.enrichments", `[`+whole+`]`)
	f(`{"threat": "x"}`, nil, "threat", `"x"`)
	f(`{}`, func(e *signal.Enrichment) { e.Source = nil }, "threat",
		`{"enrichments":[{"indicator":{},"feed":{},`+matched+`]}`)
	f(`{}`, func(e *signal.Enrichment) { e.Path = "threat" }, "threat",
		`{"enrichments":[{"indicator":{"feed":{"name":"F"},"indicator":{"ip":"10.0.0.1",`+
			`"confidence":1.0}},"feed":{"name":"F"},`+matched+`]}`)
	f(`{}`, func(e *signal.Enrichment) { e.Source = []byte(`{"threat.indicator": [1, {"a": 2}]}`) },
		"threat", `{"enrichments":[{"indicator":{"a":2},"feed":{},`+matched+`]}`)
	f(`{}`, func(e *signal.Enrichment) { e.Source = []byte(`{"threat.indicator.ip": "x"}`) },
		"threat", `{"enrichments":[{"indicator":{"ip":"x"},"feed":{},`+matched+`]}`)
}
