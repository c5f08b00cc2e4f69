package signal

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"esrule/internal/query/cond"
	"esrule/internal/query/rule"
)

// thresholdSignal makes the signal of three events with the same values.
func thresholdSignal(t *testing.T, change func(*Threshold)) Signal {
	t.Helper()
	r := *exampleRule()
	r.Type, r.Language = "threshold", "kuery"
	r.Body = &rule.ThresholdQuery{EventQuery: rule.EventQuery{Query: &cond.Query{Text: "a: b"}},
		Fields: []string{"host.name", "process.pid"}, Value: 2,
		Cardinality: []rule.Cardinality{{Field: "user.name", Value: 2}}}
	m := Threshold{Rule: &r, Index: []string{"a-*", "b-*"}, Values: []string{"h", "7"},
		From: time.Date(2026, 3, 1, 10, 0, 0, 5e6, time.UTC),
		Last: time.Date(2026, 3, 1, 10, 4, 0, 0, time.UTC), Count: 3, Distinct: []int{2}}
	if change != nil {
		change(&m)
	}
	s, err := NewThreshold(m, exampleRun())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestThresholdSignal pins what the signal of a threshold says, and its id.
func TestThresholdSignal(t *testing.T) {
	s := thresholdSignal(t, nil)
	const id = "bea5b0e0f18466b90eec42b645badf2c9a38cd25f1b2725dcf22cd850df7a129"
	if s.ID != id {
		t.Errorf("the id is %s, want %s: an id never changes", s.ID, id)
	}
	var document map[string]json.RawMessage
	if err := json.Unmarshal(s.Document, &document); err != nil {
		t.Fatal(err)
	}
	f := func(key, want string) {
		t.Helper()
		if got := string(document[key]); got != want {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}
	f("host.name", `"h"`)
	f("process.pid", `"7"`)
	f("kibana.alert.threshold_result", `{"terms":[{"field":"host.name","value":"h"},`+
		`{"field":"process.pid","value":"7"}],"cardinality":[{"field":"user.name","value":2}],`+
		`"count":3,"from":"2026-03-01T10:00:00.005Z"}`)
	f("kibana.alert.original_time", `"2026-03-01T10:04:00.000Z"`)
	f("kibana.alert.depth", "1")
	f("kibana.alert.ancestors", `[{"id":"`+id+`","type":"event","index":"a-*,b-*","depth":0}]`)
	f("kibana.alert.rule.rule_type_id", `"siem.thresholdRule"`)
	f("kibana.alert.rule.category", `"Threshold Rule"`)
	f("kibana.alert.rule.type", `"threshold"`)
	f("kibana.alert.reason", `"event on h created medium alert `+s.Match.Rule.Name+`."`)
	var parameters struct{ Threshold json.RawMessage }
	if err := json.Unmarshal(document["kibana.alert.rule.parameters"], &parameters); err != nil {
		t.Fatal(err)
	}
	if got, want := string(parameters.Threshold), `{"cardinality":[{"field":"user.name",`+
		`"value":2}],"field":["host.name","process.pid"],"value":2}`; got != want {
		t.Errorf("the parameters have the threshold %s, want %s", got, want)
	}
	for name, other := range map[string]Signal{
		"values": thresholdSignal(t, func(m *Threshold) { m.Values = []string{"h", "8"} }),
		"from":   thresholdSignal(t, func(m *Threshold) { m.From = m.From.Add(time.Millisecond) }),
	} {
		if other.ID == s.ID {
			t.Errorf("with other %s it has the same id", name)
		}
	}
	if later := thresholdSignal(t, func(m *Threshold) {
		m.Last, m.Count, m.Distinct = m.Last.Add(time.Minute), 9, []int{5}
	}); later.ID != s.ID {
		t.Errorf("found again with more events it has another id")
	}
}

// TestReadThreshold reads back what state is made of, of every form of a signal.
func TestReadThreshold(t *testing.T) {
	s := thresholdSignal(t, nil)
	reduced, err := s.Reduced("why")
	if err != nil {
		t.Fatal(err)
	}
	bare, err := s.WithoutEvent("why")
	if err != nil {
		t.Fatal(err)
	}
	f := func(form string, document []byte, fields []string, want bool) {
		t.Helper()
		got, ok := ReadThreshold(document, func(rule.ID) []string { return fields })
		if ok != want {
			t.Errorf("%s: got %v, want %v: %s", form, ok, want, document)
		}
		if ok && (got.ID != s.ID || !slices.Equal(got.Values, []string{"h", "7"}) ||
			!got.From.Equal(time.Date(2026, 3, 1, 10, 0, 0, 5e6, time.UTC))) {
			t.Errorf("%s: got %+v", form, got)
		}
	}
	fields := []string{"host.name", "process.pid"}
	f("whole", s.Document, fields, true)
	f("reduced", reduced, fields, true)
	f("without event", bare, fields, true)
	f("of a rule that was changed", s.Document, []string{"host.name"}, false)
	f("of an event", []byte(`{"kibana.alert.uuid":"x"}`), fields, false)
	if text := string(bare); !strings.Contains(text, "values that its events have in common") {
		t.Errorf("got %s", text)
	}
}
