package scan

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"esrule/internal/query/eql"
	"esrule/internal/query/rule"
	"esrule/internal/sink/signal"
)

func TestEventThatDoesNotMatchAllocatesNothing(t *testing.T) {
	rules := NewRules()
	for _, text := range []string{
		`file where host.os.type == "windows" and file.path : "?:\\inetpub\\*" and process.name in~ ("a.exe", "b.exe")`,
		`any where length(process.name) > 100 or process.pid == 1`,
	} {
		q, err := eql.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := rules.Add(&rule.Rule{Head: rule.Head{Name: text},
			Body: &rule.EventQuery{Query: q}}); err != nil {
			t.Fatal(err)
		}
	}
	f := func(line string) {
		t.Helper()
		w := newWorker(rules, signal.Execution{}, time.Unix(0, 0))
		lines := chunk{text: []byte(strings.Repeat(line+"\n", 100))}
		n := testing.AllocsPerRun(10, func() {
			if j := w.judge(lines); j.events != 100 || len(j.signals) != 0 || len(j.bad) != 0 {
				t.Fatalf("%s: %d events, %d signals, %v", line, j.events, len(j.signals), j.bad)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations in 100 lines, want 0", line, n)
		}
	}
	f(`{"event":{"category":["file"]},"host":{"os":{"type":"windows"}},"file":{"path":"C:\\Windows\\x"},"process":{"name":"C.EXE","pid":2}}`)
	f(`{"event.category":"file","host.os.type":"windows","file.path":"C:\\Windows\\x","process.name":"C.EXE","process.pid":2}`)
	f(`{"_index":"i","_id":"1","_source":{"event":{"category":"file"},"host":{"os":{"type":"windows"}},"process":{"name":"x","pid":2}}}`)
}

// A chunk's memory is read into again while its signals wait for their turn.
func TestSignalKeepsNothingOfItsChunk(t *testing.T) {
	q, err := eql.Parse(`any where process.name : "*"`)
	if err != nil {
		t.Fatal(err)
	}
	rules := NewRules()
	if err := rules.Add(&rule.Rule{Head: rule.Head{ID: "r", NameOverride: "process.name"},
		Body: &rule.EventQuery{Query: q}}); err != nil {
		t.Fatal(err)
	}
	f := func(line string) {
		t.Helper()
		w := newWorker(rules, signal.Execution{}, time.Unix(0, 0))
		text := []byte(line)
		j := w.judge(chunk{text: text})
		if len(j.signals) != 1 {
			t.Fatalf("%s: got %d signals, want 1", line, len(j.signals))
		}
		made := j.signals[0].signal
		before := bytes.Clone(made.Document)
		for i := range text {
			text[i] = 'X'
		}
		w.judge(chunk{text: []byte(strings.ReplaceAll(line, "name", "pid"))})
		if got := made.Widened().Document; len(made.Match.Events) > 0 ||
			!bytes.Equal(made.Document, before) || bytes.Contains(got, []byte("XX")) {
			t.Errorf("%s: got %d events and %s, want none and %s", line, len(made.Match.Events),
				got, before)
		}
	}
	f(`{"@timestamp":"2026-03-02T10:00:00.123Z","process":{"name":"a\"b","pid":1}}`)
	f(`{"_index":"i","_id":"1","_source":{"process":{"name":"a"}},"fields":{"host.name":["h"]}}`)
	f(`{"_index":"i","_id":"1","fields":{"process.name":["a"]}}`)
}
