package signal

import (
	"strings"
	"testing"

	"github.com/valyala/fastjson"

	"esrule/internal/query/rule"
)

// ratedRule takes its severity, risk score and name from the event.
func ratedRule() *rule.Rule {
	r := exampleRule()
	r.SeverityMapping = []rule.SeverityMapping{
		{Field: "event.severity", Operator: "equals", Value: "73", Severity: "high"},
		{Field: "vendor.level", Operator: "equals", Value: "LOW", Severity: "low"},
		{Field: "vendor.level", Operator: "equals", Value: "5", Severity: "critical"},
	}
	r.RiskScoreMapping = []rule.RiskScoreMapping{
		{Field: "event.risk_score", Operator: "equals"}, {Field: "other", Operator: "equals"}}
	r.NameOverride = "message"
	return r
}

// A signal says what its event says where the rule takes it from there; its id stays.
func TestOverride(t *testing.T) {
	f := func(event, severity string, score float64, name string) {
		t.Helper()
		m := matchOf(Event{Index: "idx", ID: "doc", Source: []byte(event)})
		plain, err := New(m, exampleRun())
		if err != nil {
			t.Fatal(err)
		}
		m.Rule = ratedRule()
		s, err := New(m, exampleRun())
		if err != nil {
			t.Fatal(err)
		}
		if s.ID != plain.ID {
			t.Errorf("%s: the id is %s, and %s without overrides", event, s.ID, plain.ID)
		}
		doc, err := fastjson.ParseBytes(s.Document)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{
			"kibana.alert.severity": severity, "kibana.alert.rule.name": name,
			"kibana.alert.rule.severity":           "medium",
			"kibana.alert.rule.rule_name_override": "message",
		}
		for key, text := range want {
			if got := string(doc.GetStringBytes(key)); got != text {
				t.Errorf("%s: %s is %q, want %q", event, key, got, text)
			}
		}
		if got := doc.GetFloat64("kibana.alert.risk_score"); got != score {
			t.Errorf("%s: the risk score is %v, want %v", event, got, score)
		}
		said := "created " + severity + " alert " + name + "."
		if got := string(doc.GetStringBytes(reasonField)); !strings.HasSuffix(got, said) {
			t.Errorf("%s: the reason is %q, want %q at its end", event, got, said)
		}
	}
	const name = "Web Page Written by a Mail Server"
	f(`{}`, "medium", 47, name)
	f(`{"event":{"severity":73}}`, "high", 47, name)
	f(`{"event.severity":[1,73.0]}`, "high", 47, name)
	f(`{"event":{"severity":"73"}}`, "medium", 47, name) // a text there is no severity
	f(`{"event":{"severity":73.5}}`, "medium", 47, name)
	f(`{"vendor":{"level":"LOW"}}`, "low", 47, name)
	f(`{"vendor":{"level":"low"}}`, "medium", 47, name)
	f(`{"vendor":{"level":5},"event":{"severity":73}}`, "critical", 47, name)
	f(`{"vendor":{"level":true}}`, "medium", 47, name)

	f(`{"event":{"risk_score":99}}`, "medium", 99, name)
	f(`{"event":{"risk_score":["12.5",7,101]}}`, "medium", 12.5, name)
	f(`{"event":{"risk_score":0}}`, "medium", 0, name)
	f(`{"event":{"risk_score":-1},"other":5}`, "medium", 47, name)
	f(`{"event":{"risk_score":"high"}}`, "medium", 47, name)
	f(`{"event":{"risk_score":""}}`, "medium", 47, name)
	f(`{"event":{"risk_score":null}}`, "medium", 47, name)
	f(`{"event":{"risk_score":{"value":5}}}`, "medium", 47, name)

	f(`{"message":"Malware found"}`, "medium", 47, "Malware found")
	f(`{"message":["Malware found"]}`, "medium", 47, name)
	f(`{"message":7}`, "medium", 47, name)
	f(`{"message":" "}`, "medium", 47, name)
}

// A rule over alerts takes from them what its own signals have under the same names.
func TestOverrideByAlert(t *testing.T) {
	m := matchOf(Event{Index: "idx", ID: "doc",
		Source: []byte(`{"kibana.alert.rule.name":"Of the alert"}`)})
	m.Rule.NameOverride = "kibana.alert.rule.name"
	s, err := New(m, exampleRun())
	if err != nil {
		t.Fatal(err)
	}
	got := fastjson.GetString(s.Document, "kibana.alert.rule.name")
	if got != "Of the alert" {
		t.Errorf("the name is %q, want that of the alert", got)
	}
}

// The parameters have the mappings as Elastic writes them.
func TestOverrideParameters(t *testing.T) {
	f := func(key, want string) {
		t.Helper()
		m := matchOf(Event{Source: []byte(`{}`)})
		m.Rule = ratedRule()
		m.Rule.SeverityMapping = m.Rule.SeverityMapping[:1]
		m.Rule.RiskScoreMapping = m.Rule.RiskScoreMapping[:1]
		s, err := New(m, exampleRun())
		if err != nil {
			t.Fatal(err)
		}
		doc, err := fastjson.ParseBytes(s.Document)
		if err != nil {
			t.Fatal(err)
		}
		if got := doc.Get("kibana.alert.rule.parameters", key).String(); got != want {
			t.Errorf("%s: got %s, want %s", key, got, want)
		}
	}
	f("severity_mapping",
		`[{"field":"event.severity","operator":"equals","value":"73","severity":"high"}]`)
	f("risk_score_mapping", `[{"field":"event.risk_score","operator":"equals","value":""}]`)
	f("rule_name_override", `"message"`)
	f("severity", `"medium"`)
}

// What is written without the event has no name from it, and a sequence takes nothing from events.
func TestNoOverride(t *testing.T) {
	const source = `{"message":"Malware found","event":{"severity":73}}`
	m := matchOf(Event{Index: "idx", ID: "doc", Source: []byte(source)})
	m.Rule = ratedRule()
	s, err := New(m, exampleRun())
	if err != nil {
		t.Fatal(err)
	}
	without, err := s.WithoutEvent("too large")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(without), "Malware") {
		t.Errorf("the form without the event quotes it: %s", without)
	}
	all, err := NewSequence(m, exampleRun())
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range all {
		severity := fastjson.GetString(s.Document, "kibana.alert.severity")
		name := fastjson.GetString(s.Document, ruleNameField)
		if severity != "medium" || name != m.Rule.Name {
			t.Errorf("signal %d of a sequence: severity %q, name %q: want the rule's own", i,
				severity, name)
		}
	}
}
