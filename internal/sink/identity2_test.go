package sink

import (
	"strings"
	"testing"
)

// zeek is one of several requests of a connection, whose id is each event's.
const zeek = `{"@timestamp":"2026-03-02T10:00:00.123Z","event":{"id":"C1","category":["network"]},` +
	`"agent":{"id":"ag"},"source":{"ip":"10.0.0.1"},"url":{"original":"/a"},"user":{"name":"u"},"rule":{"name":"r"}}`

// A changed id is a second alert. Where this test fails, the code is wrong.
func TestSecondIdentityIsFixed(t *testing.T) {
	f := func(event string, want SignalID) {
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

// TestTwoEventsOneID: an event that has its signal gets no second one, by whichever release it was
// written, and the others that share the id get theirs.
func TestTwoEventsOneID(t *testing.T) {
	c, i := set(t)
	w := NewWriter(c.Client, options(i))
	other := strings.Replace(zeek, `"/a"`, `"/b"`, 1)
	a, b := signalFrom(t, "1", zeek), signalFrom(t, "2", other)
	if a.ID != b.ID || a.widerID == b.widerID {
		t.Fatalf("got the ids %s and %s, wider %s and %s", a.ID, b.ID, a.widerID, b.widerID)
	}
	write(t, w, []Signal{a}, Result{Created: 1})
	write(t, w, []Signal{a, b}, Result{Created: 1, Duplicates: 1})
	write(t, w, []Signal{a, b}, Result{Duplicates: 2})
	write(t, w, []Signal{signalFrom(t, "reindexed", zeek)}, Result{Duplicates: 1})

	fine := func(id, at string) Signal {
		return signalFrom(t, id, `{"@timestamp":"2026-03-02T10:00:01.`+at+`Z","event":{"id":"x"}}`)
	}
	write(t, w, []Signal{fine("1", "0001")}, Result{Created: 1})
	write(t, w, []Signal{fine("1", "0001"), fine("2", "0002")}, Result{Created: 1, Duplicates: 1})
	write(t, w, []Signal{fine("3", "000"), fine("2", "0002")}, Result{Created: 1, Duplicates: 1})
	write(t, w, []Signal{fine("3", "000"), fine("4", "000")}, Result{Duplicates: 2})

	// A signal of an older release says nothing below a millisecond: its event must not be alerted
	// again.
	old := fine("1", "0071")
	old.Document = []byte(strings.Replace(string(old.Document), `,"`+finerTimeField+`":100000`, "",
		1))
	write(t, w, []Signal{old}, Result{Created: 1})
	write(t, w, []Signal{fine("1", "0071"), fine("2", "0072")}, Result{Duplicates: 2})

	// An event that lacks what told the first one apart comes after it.
	bare := signalFrom(t, "3",
		strings.Replace(zeek, `,"url":{"original":"/a"},"user":{"name":"u"},"rule":{"name":"r"}`,
			"", 1))
	write(t, w, []Signal{bare}, Result{Created: 1})
	write(t, w, []Signal{bare, a, b}, Result{Duplicates: 3})

	// A reduced one holds its event as text.
	odd := signalFrom(t, "1", strings.Replace(strings.Replace(zeek, "C1", "C2", 1), `{"name":"u"}`,
		`"text"`, 1))
	write(t, w, []Signal{odd}, Result{Reduced: 1})
	write(t, w, []Signal{odd}, Result{Duplicates: 1})
}
