package signal

import (
	"bytes"
	"testing"
)

// A reading that read other events before makes the same signals, and what it reads later changes
// none that it made.
func TestReadingIsUsedAgain(t *testing.T) {
	var r Reading
	var all, want [][]byte
	f := func(e Event) {
		t.Helper()
		if err := r.Read(e); err != nil {
			t.Fatal(err)
		}
		for range 2 { // of two rules
			got, err := r.Signal(exampleRule(), exampleRun())
			if err != nil {
				t.Fatal(err)
			}
			alone, err := New(matchOf(e), exampleRun())
			if err != nil {
				t.Fatal(err)
			}
			if got.ID != alone.ID || got.widerID != alone.widerID ||
				!bytes.Equal(got.Document, alone.Document) {
				t.Errorf("%s: got %s, want %s", e.Source, got.Document, alone.Document)
			}
			reduced, err := got.Reduced("why")
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, got.Document, reduced)
			want = append(want, bytes.Clone(got.Document), bytes.Clone(reduced))
		}
	}
	for _, source := range []string{fullEvent, plainEvent, `{}`, windowsEvent,
		`{"event":{"id":"\u0061\"","kind":"alert"},"kibana":{"a":1},"user":{"name":["é","b"]}}`,
		fullEvent, `{"a":[[{"b":null}],{"event.kind":1}]}`, plainEvent} {
		f(Event{Source: []byte(source)})
		f(Event{Index: "i", ID: "1", Source: []byte(source),
			Fields: []byte(`{"event.dataset":["x"],"host.name":["h"]}`)})
	}
	for i := range all {
		if !bytes.Equal(all[i], want[i]) {
			t.Errorf("a later event changed a signal: got %s, want %s", all[i], want[i])
		}
	}
}
