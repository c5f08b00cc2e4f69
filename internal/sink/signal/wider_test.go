package signal

import (
	"fmt"
	"strings"
	"testing"
)

// zeek is one of several requests of a connection, whose id is each event's.
const zeek = `{"@timestamp":"2026-03-02T10:00:00.123Z","event":{"id":"C1","category":["network"]},` +
	`"agent":{"id":"ag"},"source":{"ip":"10.0.0.1"},"url":{"original":"/a"},"user":{"name":"u"},"rule":{"name":"r"}}`

// A changed id is a second alert. Where this test fails, the code is wrong.
func TestSecondIdentityIsFixed(t *testing.T) {
	f := func(event string, want ID) {
		t.Helper()
		if got := signalOf(t, event).widerID; got != want {
			t.Errorf("%s\n got %s\nwant %s", event, got, want)
		}
	}
	f(zeek, "f6dd2eb5ce428852b5db5dc155c3a8d5531a8dd57818933d3e81233111ec6993")
	f(strings.Replace(zeek, ".123Z", ".123456Z", 1),
		"4f7ec9b9a0e3531e62c4f13216dabebe6d41c7d027e37ebb3ef25107c135cc0e")
	f(`{"@timestamp":"2026-03-02T10:00:00.123456789Z","file":{"path":"C:\\x"}}`,
		"9206897085dfcbf04615a97f51bf253766b9f4b83aee82de522582d5c52dafc1")
}

// A signal without a document is one that Add refuses: what is left unwritten is never missing.
func TestSeenLeavesOutDocuments(t *testing.T) {
	var seen, alone Seen
	f := func(name, event string, want bool) {
		t.Helper()
		var r Reading
		if err := r.Read(Event{Source: []byte(event)}); err != nil {
			t.Fatal(err)
		}
		x := exampleRun()
		whole, err := r.Signal(exampleRule(), x)
		if err != nil {
			t.Fatal(err)
		}
		x.Seen = &seen
		got, err := r.Signal(exampleRule(), x)
		if err != nil {
			t.Fatal(err)
		}
		if left := got.Document == nil; left == want {
			t.Errorf("%s: got no document %v, want a new signal %v", name, left, want)
		}
		given, isNew := seen.Add(got)
		wanted, wantNew := alone.Add(whole)
		if isNew != want || wantNew != want || given.ID != wanted.ID ||
			want && string(given.Document) != string(wanted.Document) {
			t.Errorf("%s: got %s, new %v, want %s, new %v, as without: %s, %s", name, given.ID,
				isNew, wanted.ID, want, given.Document, wanted.Document)
		}
	}
	// with the id of the first and a wider one each
	for i := range 3 {
		f(fmt.Sprint("path ", i), strings.Replace(zeek, "/a", fmt.Sprint("/", i), 1), true)
	}
	for i := range 3 {
		f(fmt.Sprint("path again ", i), strings.Replace(zeek, "/a", fmt.Sprint("/", i), 1), false)
	}
	f("Windows", windowsEvent, true)
	f("Windows again", windowsEvent, false)
	f("any", plainEvent, true)
	f("any again", plainEvent, false)
}
