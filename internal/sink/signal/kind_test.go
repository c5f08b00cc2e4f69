package signal

import (
	"testing"

	"github.com/valyala/fastjson"
)

// A signal says of what type its rule is, in Elastic's words.
func TestSignalOfType(t *testing.T) {
	f := func(kind, category, typeID string) {
		t.Helper()
		m := matchOf(Event{Index: "idx", ID: "doc", Source: []byte(`{"a": 1}`)})
		m.Rule.Type = kind
		s, err := New(m, exampleRun())
		if err != nil {
			t.Fatal(err)
		}
		document, err := fastjson.ParseBytes(s.Document)
		if err != nil {
			t.Fatal(err)
		}
		for key, want := range map[string]string{"type": kind, "category": category,
			"rule_type_id": typeID} {
			if got := string(document.GetStringBytes("kibana.alert.rule." + key)); got != want {
				t.Errorf("a rule of type %s: %s is %q, want %q", kind, key, got, want)
			}
		}
	}
	f("eql", "Event Correlation Rule", "siem.eqlRule")
	f("query", "Custom Query Rule", "siem.queryRule")
}
