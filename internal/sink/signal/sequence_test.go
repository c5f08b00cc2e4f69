package signal

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// sequenceOf makes the signals of a sequence of events.
func sequenceOf(t testing.TB, sources ...string) []Signal {
	t.Helper()
	m := Match{Rule: exampleRule()}
	for i, source := range sources {
		m.Events = append(m.Events, Event{Index: "idx", ID: fmt.Sprint("doc-", i),
			Source: []byte(source)})
	}
	signals, err := NewSequence(m, exampleRun())
	if err != nil {
		t.Fatal(err)
	}
	return signals
}

// TestSequenceSignals pins what the signals of a sequence say beside those of single events.
func TestSequenceSignals(t *testing.T) {
	signals := sequenceOf(t,
		`{"@timestamp":"2026-03-01T10:00:00Z","event":{"id":"e1","category":["process"],"kind":"event"},
		  "host":{"name":"a","ip":["::1","10.0.0.1"]},"process":{"name":"cmd.exe"},"user.name":"eve"}`,
		`{"@timestamp":"2026-03-01T10:00:05.5Z","event":{"id":"e2","category":["file"],"kind":"event"},
		  "host":{"name":"a","ip":["::1","10.0.0.1"]},"file":{"name":"x.aspx"},"user":{"name":"eve"}}`)
	if len(signals) != 3 {
		t.Fatalf("got %d signals, want two building blocks and a shell", len(signals))
	}
	shell := string(signals[2].ID)
	f := func(at int, want map[string]string) {
		t.Helper()
		var document map[string]json.RawMessage
		if err := json.Unmarshal(signals[at].Document, &document); err != nil {
			t.Fatal(err)
		}
		for key, text := range want {
			if got := string(document[key]); got != text {
				t.Errorf("signal %d: %s is %s, want %s", at, key, got, text)
			}
		}
	}
	f(0, map[string]string{
		"kibana.alert.building_block_type": `"default"`, "kibana.alert.depth": "1",
		"kibana.alert.group.id": `"` + shell + `"`, "kibana.alert.group.index": "0",
		"kibana.alert.ancestors":     `[{"id":"doc-0","type":"event","index":"idx","depth":0}]`,
		"kibana.alert.original_time": `"2026-03-01T10:00:00.000Z"`,
		"process":                    `{"name":"cmd.exe"}`,
	})
	f(1, map[string]string{
		"kibana.alert.group.index": "1", "kibana.alert.group.id": `"` + shell + `"`,
		"kibana.alert.original_event.category": `["file"]`,
	})
	f(2, map[string]string{
		"kibana.alert.building_block_type": "", "kibana.alert.depth": "2",
		"kibana.alert.uuid": `"` + shell + `"`, "kibana.alert.group.id": `"` + shell + `"`,
		"kibana.alert.group.index": "", "kibana.alert.original_time": `"2026-03-01T10:00:05.500Z"`,
		"kibana.alert.original_event.kind": `"event"`, "kibana.alert.original_event.id": "",
		"host.name": `"a"`, "host.ip": `["::1","10.0.0.1"]`, "user.name": `"eve"`,
		"process.name": "", "file.name": "", "event.category": "",
		"kibana.alert.ancestors": `[{"id":"doc-0","type":"event","index":"idx","depth":0},` +
			ancestorText(signals[0]) + `,{"id":"doc-1","type":"event","index":"idx","depth":0},` +
			ancestorText(signals[1]) + `]`,
		"kibana.alert.reason": `"event by eve on a created medium alert Web Page Written by a ` +
			`Mail Server."`,
	})
}

func ancestorText(s Signal) string {
	return fmt.Sprintf(`{"id":%q,"type":"signal","depth":1,"rule":%q}`, s.ID, testRule)
}

// TestSequenceIdentity: a sequence is known by its events in their order, and by nothing else.
func TestSequenceIdentity(t *testing.T) {
	const a, b = `{"@timestamp":1,"event":{"id":"1"}}`, `{"@timestamp":2,"event":{"id":"2"}}`
	ids := func(signals []Signal) string {
		var list []string
		for _, s := range signals {
			list = append(list, string(s.ID))
		}
		return strings.Join(list, " ")
	}
	want := ids(sequenceOf(t, a, b))
	f := func(what string, same bool, sources ...string) {
		t.Helper()
		if got := ids(sequenceOf(t, sources...)); (got == want) != same {
			t.Errorf("%s: got the ids %s beside %s, want the same: %t", what, got, want, same)
		}
	}
	f("again", true, a, b)
	f("spelled otherwise", true, `{"event.id":"1","@timestamp":1}`, b)
	f("the other way round", false, b, a)
	f("one event more", false, a, b, b)
	f("a part", false, a)
	f("an event that only the wider identity tells apart", false, a,
		`{"@timestamp":2,"event":{"id":"2"},"user":{"name":"eve"}}`)
	if first := strings.Fields(want)[0]; first == string(signalOf(t, a).ID) {
		t.Errorf("a building block has the id %s of its event's own signal", first)
	}
	const pinned = "cc4dfb34ebe8cc7112797391cf369d8cec91a9ee229dada72e8da0df4a8067f3 " +
		"6e092793dc395f81cd911b61080abf5f2363cea95b8c12752abe3596a82861e4 " +
		"95eab6f669d4ea6ed736ffbd320361cc9ce0ca054e5bb496f589ea3ce248524c"
	if want != pinned {
		t.Errorf("the ids have changed: got %s, want %s", want, pinned)
	}
}
