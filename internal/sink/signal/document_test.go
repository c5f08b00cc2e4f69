package signal

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/query/cond"
	"esrule/internal/query/rule"
)

var update = flag.Bool("update", false, "write the golden files of this package anew")

func exampleRule() *rule.Rule {
	return &rule.Rule{Head: rule.Head{
		ID: testRule, Name: "Web Page Written by a Mail Server", Description: "A page was written.",
		Severity: "medium", RiskScore: 47,
		Version: 3, Type: "eql", Language: "eql", License: "Apache-2.0",
		Author: []string{"Example Team"},
		Tags:   []string{"OS: Windows"}, References: []string{"https://example.org/a?b=1&c=2"},
		Note:  "Look at <it>.",
		Index: []string{"winlogbeat-*", "endgame-*"},
		From:  9 * time.Minute, Interval: 5 * time.Minute, TimestampOverride: "event.ingested",
		Threat: []rule.Threat{{
			Framework: "MITRE ATT&CK", Tactic: rule.ThreatEntry{ID: "TA0003", Name: "Persistence",
				Reference: "https://example.org/TA0003"},
			Technique: []rule.Technique{{
				ThreatEntry:  rule.ThreatEntry{ID: "T1505", Name: "Server Software Component"},
				Subtechnique: []rule.ThreatEntry{{ID: "T1505.003", Name: "Web Shell"}},
			}},
		}},
	}, Body: &rule.EventQuery{Query: &cond.Query{Text: `file where file.extension == "aspx"`}}}
}

func exampleRun() Execution {
	return Execution{
		ID: "f3d1c2a6", Version: "1.2.3",
		Intended: time.Date(2026, 3, 2, 10, 5, 0, 0, time.UTC),
		Now: func() time.Time {
			return time.Date(2026, 3, 2, 10, 5, 2, 314_000_000, time.UTC)
		},
	}
}

func matchOf(e Event) Match { return Match{Rule: exampleRule(), Events: []Event{e}} }

func signalOf(t testing.TB, source string) Signal {
	t.Helper()
	return signalFrom(t, "doc", source)
}

// signalFrom is the signal of an event that is the document of an id.
func signalFrom(t testing.TB, id, source string) Signal {
	t.Helper()
	m := matchOf(Event{Index: "idx", ID: id, Source: []byte(source)})
	s, err := New(m, exampleRun())
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	return s
}

// TestSignalDocument pins the whole document for one event of each shape that the rule's sources
// have.
func TestSignalDocument(t *testing.T) {
	for _, source := range []string{"winlogbeat", "sysmon_operational", "endpoint", "m365_defender",
		"sentinel_one", "endgame"} {
		t.Run(source, func(t *testing.T) {
			s, err := New(matchOf(Event{Index: ".ds-" + source, ID: "doc-1",
				Source: file(t, source+".event.json"),
				Fields: file(t, source+".fields.json")}), exampleRun())
			if err != nil {
				t.Fatal(err)
			}
			if bytes.ContainsRune(s.Document, '\n') {
				t.Error("the document is not on one line")
			}
			var got bytes.Buffer
			if err := json.Indent(&got, s.Document, "", "  "); err != nil {
				t.Fatalf("%v in %s", err, s.Document)
			}
			golden := filepath.Join("testdata", "signals", source+".signal.json")
			if *update {
				if err := os.WriteFile(golden, append(got.Bytes(), '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want := strings.TrimSuffix(string(file(t, source+".signal.json")), "\n")
			if diff := cmp.Diff(want, got.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", golden, diff)
			}
		})
	}
}

// file reads one of the example files; an optional one that is not there is nil.
func file(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "signals", name))
	if errors.Is(err, fs.ErrNotExist) && strings.HasSuffix(name, ".fields.json") {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestOriginalTimeOfTheIndex holds that the time that the index has goes before what _source says,
// and changes no id.
func TestOriginalTimeOfTheIndex(t *testing.T) {
	f := func(source string, at *time.Time, want string) {
		t.Helper()
		without := signalOf(t, source)
		signal, err := New(matchOf(Event{Source: []byte(source), Time: at}),
			exampleRun())
		if err != nil {
			t.Fatal(err)
		}
		var document map[string]any
		if err := json.Unmarshal(signal.Document, &document); err != nil {
			t.Fatal(err)
		}
		got, _ := document["kibana.alert.original_time"].(string)
		if got != want {
			t.Errorf("%s at %v: got %q, want %q", source, at, got, want)
		}
		if signal.ID != without.ID {
			t.Errorf("%s at %v: got the id %s, want %s", source, at, signal.ID, without.ID)
		}
	}
	at := time.Date(2026, 3, 2, 10, 0, 0, 123456789, time.UTC)
	year := time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC)
	f(`{"@timestamp":1772445600}`, &at, "2026-03-02T10:00:00.123Z")
	f(`{"@timestamp":"2026/03/02 10:00:00"}`, &at, "2026-03-02T10:00:00.123Z")
	f(`{"time":"2026-03-02"}`, &at, "2026-03-02T10:00:00.123Z")
	f(`{"@timestamp":"2026-03-02T10:00:00Z"}`, nil, "2026-03-02T10:00:00.000Z")
	f(`{"@timestamp":"2026-03-02T10:00:00Z"}`, &time.Time{}, "")
	f(`{"@timestamp":"+12026-01-01"}`, &year, "")
}

// TestEventFieldsInSignal looks at single keys of the document; want is JSON, and empty where the
// key must not be there.
func TestEventFieldsInSignal(t *testing.T) {
	f := func(event, key, want string) {
		t.Helper()
		var document map[string]json.RawMessage
		s := signalOf(t, event)
		if err := json.Unmarshal(s.Document, &document); err != nil {
			t.Fatalf("%s: %v in %s", event, err, s.Document)
		}
		if got := string(document[key]); got != want {
			t.Errorf("%s: %s: got %s, want %s", event, key, got, want)
		}
	}
	const originalTime = "kibana.alert.original_time"
	f(`{"@timestamp":"2026-03-02T12:00:00.5+02:00"}`, originalTime, `"2026-03-02T10:00:00.500Z"`)
	f(`{"@timestamp":[1772445600123]}`, originalTime, `"2026-03-02T10:00:00.123Z"`)
	f(`{"@timestamp":"1772445600123"}`, originalTime, `"2026-03-02T10:00:00.123Z"`)
	f(`{"@timestamp":"yesterday"}`, originalTime, "")
	f(`{"@timestamp":99999999999999999}`, originalTime, "")
	f(`{"@timestamp":{"a":1}}`, originalTime, "")
	f(`{}`, originalTime, "")
	f(`{"@timestamp":1}`, "@timestamp", `"2026-03-02T10:05:02.314Z"`)
	f(`{}`, "kibana.alert.intended_timestamp", `"2026-03-02T10:05:00.000Z"`)

	// event.kind is ours wherever the source put its own.
	f(`{"event":{"kind":"event","id":"1"}}`, "event", `{"id":"1"}`)
	f(`{"event.kind":"event"}`, "event.kind", `"signal"`)
	f(`{"event.kind":"event"}`, originalEvent+"kind", `"event"`)
	f(`{"event":[{"kind":"event"},{"kind":"b","a":1}]}`, "event", `[{},{"a":1}]`)
	f(`{"event":{"kind":{"x":1}}}`, "event", `{}`)
	f(`{"event":"text"}`, "event", `"text"`)

	f(`{"event":{"a":1.50}}`, originalEvent+"a", `1.50`)
	f(`{"event":{"a":["x"]}}`, originalEvent+"a", `["x"]`)
	f(`{"event":{"a":"x"},"event.a":["y","z"]}`, originalEvent+"a", `["x","y","z"]`)
	f(`{"event":{"a":{"b":true}}}`, originalEvent+"a.b", `true`)
	f(`{"event":{"a":null,"b":[]}}`, originalEvent+"a", "")
	f(`{"events":{"a":1}}`, originalEvent+"a", "")

	// No event sets what the program says.
	for _, forged := range []string{
		`{"kibana.alert.uuid":"x"}`, `{"kibana":{"alert":{"uuid":"x"}}}`,
		`{"kibana.alert":{"uuid":"x"}}`, `{"kibana":{"alert.uuid":"x"}}`,
		`{"kibana":"x"}`, `{"kibana":[{"alert":1}]}`, `{"kibana.":1}`, `{"signal":1}`,
		`{"signal.status":"closed"}`, `{"signal":{"a":1}}`,
	} {
		f(forged, "kibana.alert.uuid", `"`+string(signalOf(t, forged).ID)+`"`)
		f(forged, "kibana", "")
		f(forged, "kibana.", "")
		f(forged, "signal", "")
		f(forged, "signal.status", "")
	}
	f(`{"signals":1,"kibanana":2}`, "signals", `1`)
	f(`{"a":{"kibana":{"b":1},"signal":2}}`, "a", `{"kibana":{"b":1},"signal":2}`)

	f(`{"a":1e400,"b":123456789012345678901234567890}`, "a", `1e400`)
	f(`{"a":"<&>"}`, "a", `"<&>"`)
	f(`{"a":"`+"\xff"+`x"}`, "a", `"`+"\ufffd"+`x"`)
	f(`{"a":"\ud800"}`, "a", `"`+"\ufffd"+`"`)
}

func TestReason(t *testing.T) {
	f := func(event, want string) {
		t.Helper()
		n, err := parse([]byte(event))
		if err != nil {
			t.Fatal(err)
		}
		if got := reason(n); got != want {
			t.Errorf("%s\n got %s\nwant %s", event, got, want)
		}
	}
	const created = "created "
	f(`{}`, "event "+created)
	f(`{"host":{"name":"h"},"event":{"category":"configuration"}}`, "configuration event on h "+
		created)
	f(`{"event.category":["process","file"],"process":{"name":"p","parent.name":"pp"}}`,
		"process, file event with process p, parent process pp, "+created)
	f(`{"source":{"ip":"10.0.0.1"},"user":{"name":"u"},"host.name":["h"]}`,
		"event with source 10.0.0.1 by u on h "+created)
	f(`{"source":{"ip":"10.0.0.1","port":"80"},"destination":{"ip":"10.0.0.2","port":[443]}}`,
		"event with source 10.0.0.1:80, destination 10.0.0.2:443, "+created)
	f(`{"source":{"ip":"10.0.0.1","port":80}}`, "event with source 10.0.0.1 "+created)
	f(`{"file":{"name":"f"},"user":{"name":"-"},"host":{"name":""}}`, "event with file f, "+created)
	f(`{"file":"x","user":{"name":{"first":"a"}},"host":{"name":null}}`, "event "+created)
}

func TestDateMath(t *testing.T) {
	f := func(d time.Duration, want string) {
		t.Helper()
		if got := dateMath(d); got != want {
			t.Errorf("%v: got %s, want %s", d, got, want)
		}
	}
	f(9*time.Minute, "9m")
	f(90*time.Second, "90s")
	f(24*time.Hour, "1d")
	f(36*time.Hour, "36h")
}

func TestUnreadableEvent(t *testing.T) {
	f := func(source string) {
		t.Helper()
		if s, err := New(matchOf(Event{Source: []byte(source)}),
			exampleRun()); err == nil {
			t.Errorf("%.40s: got %s, want an error", source, s.Document)
		}
	}
	f(``)
	f(`{`)
	f(`[]`)
	f(`"x"`)
	f(`{"a":1} {"b":2}`)
	f(`{"a" 1}`)
	f(`{"a":` + strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth) + `}`)
}

// TestOneEvent: a signal of one event never passes for one of several.
func TestOneEvent(t *testing.T) {
	f := func(n int) {
		t.Helper()
		m := Match{Rule: exampleRule()}
		for range n {
			m.Events = append(m.Events, Event{Source: []byte(`{}`)})
		}
		if s, err := New(m, exampleRun()); !errors.Is(err, errSeveral) || s.ID != "" {
			t.Errorf("%d events: got signal %q and the error %v, want none and %v", n, s.ID, err,
				errSeveral)
		}
	}
	f(0)
	f(2)
}

// TestDeepEvent: whatever is nested as deep as an event may be gives a signal, in time and space in
// proportion to it.
func TestDeepEvent(t *testing.T) {
	f := func(open, leaf, shut string) {
		t.Helper()
		n := maxDepth - 1
		s := signalOf(t, `{"event":`+strings.Repeat(open, n-1)+leaf+strings.Repeat(shut, n-1)+`}`)
		if len(s.Document) > 10*maxDepth+10_000 {
			t.Errorf("%s: the document has %d bytes", open, len(s.Document))
		}
	}
	f(`{"a":`, `1`, `}`)
	f(`[`, `1`, `]`)
}

func FuzzNewSignal(f *testing.F) {
	for _, s := range []string{fullEvent, windowsEvent, plainEvent,
		`{"event":[{"kind":"x"}],"kibana":1}`, `{"a.":{"":1},"a":"b","a":2}`} {
		f.Add([]byte(s), []byte(`{"event.module":["x"]}`))
	}
	f.Fuzz(func(t *testing.T, source, fields []byte) {
		s, err := New(matchOf(Event{Source: source, Fields: fields}),
			exampleRun())
		if err != nil {
			return
		}
		id, err := Identify(testRule, Event{Source: source})
		if err != nil || id != s.ID {
			t.Errorf("%q: the signal's id is %s, the event's %s, %v", source, s.ID, id, err)
		}
		if !json.Valid(s.Document) || bytes.ContainsRune(s.Document, '\n') {
			t.Errorf("%q: not JSON on a line: %s", source, s.Document)
		}
	})
}
