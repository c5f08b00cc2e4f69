package signal

import (
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
