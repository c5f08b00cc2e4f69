package sink

import (
	"strings"
	"testing"

	"esrule/internal/sink/signal"
)

// zeek is one of several requests of a connection, whose id is each event's.
const zeek = `{"@timestamp":"2026-03-02T10:00:00.123Z","event":{"id":"C1","category":["network"]},` +
	`"agent":{"id":"ag"},"source":{"ip":"10.0.0.1"},"url":{"original":"/a"},"user":{"name":"u"},"rule":{"name":"r"}}`

// TestTwoEventsOneID: an event that has its signal gets no second one, by whichever release it was
// written, and the others that share the id get theirs.
func TestTwoEventsOneID(t *testing.T) {
	c, i := set(t)
	w := NewWriter(c.Client, options(i))
	other := strings.Replace(zeek, `"/a"`, `"/b"`, 1)
	a, b := signalFrom(t, "1", zeek), signalFrom(t, "2", other)
	if a.ID != b.ID || a.Widened().ID == b.Widened().ID {
		t.Fatalf("got the ids %s and %s, wider %s and %s", a.ID, b.ID, a.Widened().ID,
			b.Widened().ID)
	}
	write(t, w, []signal.Signal{a}, fates{Created: 1})
	write(t, w, []signal.Signal{a, b}, fates{Created: 1, Duplicate: 1})
	write(t, w, []signal.Signal{a, b}, fates{Duplicate: 2})
	write(t, w, []signal.Signal{signalFrom(t, "reindexed", zeek)}, fates{Duplicate: 1})

	fine := func(id, at string) signal.Signal {
		return signalFrom(t, id, `{"@timestamp":"2026-03-02T10:00:01.`+at+`Z","event":{"id":"x"}}`)
	}
	write(t, w, []signal.Signal{fine("1", "0001")}, fates{Created: 1})
	write(t, w, []signal.Signal{fine("1", "0001"), fine("2", "0002")},
		fates{Created: 1, Duplicate: 1})
	write(t, w, []signal.Signal{fine("3", "000"), fine("2", "0002")},
		fates{Created: 1, Duplicate: 1})
	write(t, w, []signal.Signal{fine("3", "000"), fine("4", "000")}, fates{Duplicate: 2})

	// A signal of an older release says nothing below a millisecond: its event must not be alerted
	// again.
	old := fine("1", "0071")
	old.Document = []byte(strings.Replace(string(old.Document),
		`,"kibana.alert.esrule.original_time_nanos":100000`, "",
		1))
	write(t, w, []signal.Signal{old}, fates{Created: 1})
	write(t, w, []signal.Signal{fine("1", "0071"), fine("2", "0072")}, fates{Duplicate: 2})

	// An event that lacks what told the first one apart comes after it.
	bare := signalFrom(t, "3",
		strings.Replace(zeek, `,"url":{"original":"/a"},"user":{"name":"u"},"rule":{"name":"r"}`,
			"", 1))
	write(t, w, []signal.Signal{bare}, fates{Created: 1})
	write(t, w, []signal.Signal{bare, a, b}, fates{Duplicate: 3})

	// A reduced one holds its event as text.
	odd := signalFrom(t, "1", strings.Replace(strings.Replace(zeek, "C1", "C2", 1), `{"name":"u"}`,
		`"text"`, 1))
	write(t, w, []signal.Signal{odd}, fates{Reduced: 1})
	write(t, w, []signal.Signal{odd}, fates{Duplicate: 1})
}
