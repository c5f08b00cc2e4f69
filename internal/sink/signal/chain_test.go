package signal

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A rule judges no signal of its own, none that comes from one, and none at the end of a long
// chain.
func TestChainStops(t *testing.T) {
	f := func(document string, want bool) {
		t.Helper()
		why := ReadChain([]byte(document)).Stops("r")
		if (why != "") != want {
			t.Errorf("%s: got %q, want a reason: %t", document, why, want)
		}
	}
	f(`{}`, false)
	f(`{"kibana.alert.rule.uuid":"r"}`, false) // no signal
	f(`{"kibana.alert.uuid":"1","kibana.alert.rule.uuid":"a"}`, false)
	f(`{"kibana.alert.uuid":"1","kibana.alert.rule.uuid":"r"}`, true)
	f(`{"kibana.alert.uuid":"1","kibana.alert.rule.uuid":"a","kibana.alert.depth":2,
		"kibana.alert.ancestors":[{"id":"e","type":"event","depth":0,"rule":"r"},
		{"id":"s","type":"signal","depth":1,"rule":"b"}]}`, false)
	f(`{"kibana.alert.uuid":"1","kibana.alert.rule.uuid":"a","kibana.alert.depth":2,
		"kibana.alert.ancestors":[{"id":"e","type":"event","depth":0},
		{"id":"s","type":"signal","depth":1,"rule":"r"}]}`, true)
	f(`{"kibana.alert.uuid":"1","kibana.alert.rule.uuid":"a","kibana.alert.depth":9}`, false)
	f(`{"kibana.alert.uuid":"1","kibana.alert.rule.uuid":"a","kibana.alert.depth":10}`, true)
}

// A signal that is read as an event is known by its own id alone; the same document, read as an
// event of somebody else, by what it holds, as before.
func TestIdentityOfAlert(t *testing.T) {
	id := func(document string, isAlert bool) ID {
		t.Helper()
		s, err := New(Match{Rule: exampleRule(), Events: []Event{{Source: []byte(document),
			Alert: isAlert}}}, Execution{})
		if err != nil {
			t.Fatal(err)
		}
		same, err := Identify(testRule, Event{Source: []byte(document), Alert: isAlert})
		if err != nil || s.ID != same || isAlert && s.Widens() {
			t.Errorf("%s: got %s and %s, %v", document, s.ID, same, err)
		}
		return s.ID
	}
	const one = `{"@timestamp":"2026-01-01T00:00:00Z","event":{"id":"e"},"agent":{"id":"a"},
		"kibana.alert.uuid":"1"}`
	const other = `{"@timestamp":"2026-01-01T00:00:00Z","event":{"id":"e"},"agent":{"id":"a"},
		"kibana.alert.uuid":"2"}`
	if id(one, true) == id(other, true) {
		t.Error("two alerts of one event have one identity")
	}
	if id(one, false) != id(other, false) {
		t.Error("two copies of an event have two identities")
	}
	// fixed for good
	if got, want := id(one, true), ID(
		"4813b4ac45f6e23bb0144589ffb72e3126ae294cb166a50e8b0bc1cbb65ffb9e"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// The events of a sequence may be alerts of any depth.
func TestSequenceOfAlerts(t *testing.T) {
	alert := func(id string, depth int) Event {
		source, err := json.Marshal(map[string]any{"kibana.alert.uuid": id,
			"kibana.alert.rule.uuid": "a", "kibana.alert.depth": depth})
		if err != nil {
			t.Fatal(err)
		}
		return Event{Index: "signals", ID: id, Source: source, Alert: true}
	}
	all, err := NewSequence(Match{Rule: exampleRule(), Events: []Event{alert("1", 3), alert("2", 1),
		{Source: []byte(`{"kibana.alert.depth":7}`)}}}, Execution{})
	if err != nil {
		t.Fatal(err)
	}
	var depths []int
	for _, s := range all {
		depths = append(depths, s.about.depth)
	}
	if diff := cmp.Diff([]int{4, 2, 1, 5}, depths); diff != "" {
		t.Errorf("depths (-want +got):\n%s", diff)
	}
}
