package report_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"esrule/internal/query/cond"
	"esrule/internal/query/rule"
	"esrule/internal/report"
	"esrule/internal/sink/signal"
)

// The page says of a signal which event of which sequence it is, what was new, what was
// counted, and of whose signals it was made.
func TestSignalsOfSeveralEvents(t *testing.T) {
	query := rule.EventQuery{Query: &cond.Query{Text: "any"}}
	event := func(text string) signal.Event { return signal.Event{Source: []byte(text)} }
	of := func(body rule.Body) *rule.Rule {
		return &rule.Rule{Head: rule.Head{ID: "r", Name: "R", Severity: "low"}, Body: body}
	}
	x := signal.Execution{Now: func() time.Time { return time.UnixMilli(0) }}
	sequence, err := signal.NewSequence(signal.Match{Rule: of(&query), Events: []signal.Event{
		event(`{"@timestamp":"2026-01-01T00:00:00Z","host":{"name":"first"}}`),
		event(`{"@timestamp":"2026-01-01T00:00:01Z","host":{"name":"second"}}`)}}, x)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := signal.NewTerms(signal.Match{Rule: of(&rule.NewTermsQuery{EventQuery: query,
		Fields: []string{"host.name", "user.name"}}), Events: []signal.Event{
		event(`{"@timestamp":"2026-01-01T00:00:00Z"}`)}}, []string{"h", "u"}, x)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "r.html")
	w, err := report.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	burst := json.RawMessage(`{"@timestamp":"2026-01-01T00:00:00.000Z","kibana.alert.uuid":"b",
		"kibana.alert.rule.rule_id":"r","kibana.alert.threshold_result":{"count":4,"from":"2026-01-01",
		"terms":[{"field":"user.name","value":"bob"}],"cardinality":[{"field":"host.id","value":2}]}}`)
	chained, err := signal.New(signal.Match{Rule: of(&query), Events: []signal.Event{{
		Alert: true, Index: "signals", ID: "2", Source: []byte(`{"kibana.alert.uuid":"2",
		"kibana.alert.rule.uuid":"second","kibana.alert.depth":2,"kibana.alert.ancestors":[
		{"id":"1","type":"signal","index":"signals","depth":1,"rule":"first"}]}`)}}}, x)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range append(sequence, fresh, chained) {
		if err := w.Add(report.Signal{Document: one.Document}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Add(report.Signal{Document: burst}); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(report.Report{}); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	name := string(sequence[2].ID)[:12]
	for _, want := range []string{"Event 1 of sequence " + name + ".", "Event 2 of sequence " +
		name,
		"The whole of sequence " + name, "New for host.name, user.name: h, u.",
		"Made of signals of the rules first, second.",
		"4 events from 2026-01-01 on, user.name bob, 2 values of host.id."} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page has no %q", want)
		}
	}
}
