package signal

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"esrule/internal/event"
	"esrule/internal/query/eql"
	"esrule/internal/query/match"
)

func TestEventOfSignal(t *testing.T) {
	f := func(source, want string) {
		t.Helper()
		got, err := EventOf(signalOf(t, source).Document)
		if err != nil || string(got) != want {
			t.Errorf("%s:\n got %s, %v\nwant %s", source, got, err, want)
		}
	}
	f(`{}`, `{}`)
	f(`{"@timestamp":1772445600123}`, `{"@timestamp":"2026-03-02T10:00:00.123Z"}`)
	f(`{"@timestamp":["2026-03-02T12:00:00.123+02:00"],"a":1.50}`,
		`{"@timestamp":"2026-03-02T10:00:00.123Z","a":1.50}`)
	f(`{"@timestamp":"yesterday","a":1}`, `{"a":1}`)
	f(`{"event":{"kind":"event","id":"1"}}`, `{"event":{"id":"1","kind":"event"}}`)
	f(`{"event":{"kind":"signal"}}`, `{"event":{"kind":"signal"}}`)
	f(`{"event.kind":["a","b"],"x":1}`, `{"x":1,"event.kind":["a","b"]}`)
	f(`{"event.kind":"a","event":{"kind":"b","c":1}}`, `{"event":{"c":1,"kind":["a","b"]}}`)
	f(`{"event":[{"kind":"a","b":1},{"c":2}]}`, `{"event":[{"b":1},{"c":2}],"event.kind":"a"}`)
	f(`{"event":{"kind":{"x":1}}}`, `{"event":{"kind.x":1}}`)
	f(`{"event":"text"}`, `{"event":"text"}`)
	f(`{"event":{"kindred":1,"a":2}}`, `{"event":{"kindred":1,"a":2}}`)
	f(`{"kibana":{"alert":{"status":"closed"}},"signal":1,"kibana.alert.esrule.reduced":"x","event.original":"{}"}`, `{"event.original":"{}"}`)
	f(`{"event":{"original":"raw"},"message":"<&>\u2028"}`,
		`{"event":{"original":"raw"},"message":"<&>\u2028"}`)
}

// The writer reduces a signal that the alerts index refuses; its event is kept as one text.
func TestEventOfReducedSignal(t *testing.T) {
	f := func(source string) {
		t.Helper()
		signal := signalOf(t, source)
		document, err := signal.Reduced("400 document_parsing_exception")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := EventOf(document); err != nil || string(got) != source {
			t.Errorf("got %s, %v, want %s", got, err, source)
		}
	}
	f(`{"process":"x", "event":{"kind":"event"}, "@timestamp":1772445600123}`)
	f(`{"event":{"original":"raw"},"kibana":{"a":1}}`)
}

func TestEventOfNoSignal(t *testing.T) {
	f := func(document, want string) {
		t.Helper()
		if got, err := EventOf([]byte(document)); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %s, %v, want an error with %q", document, got, err, want)
		}
	}
	f(``, "read signal: unexpected EOF")
	f(`[]`, "not a JSON object")
	f(`{`, "unexpected EOF")
	f(`{"a":1`, "unexpected EOF")
	f(`{"kibana.x":{"a":`, "unexpected EOF")
	f(`{"a":1} 2`, "text after the JSON value")
	f(`{"a":1,}`, "invalid character")
	f(`{"kibana.alert.esrule.reduced":"400"}`, "no event.original")
	f(`{"kibana.alert.esrule.reduced":"400","event.original":["a"]}`, "no event.original")
}

// TestEventMatchesAsBefore: whatever an event holds, a rule judges the event of its signal as it
// judged the event.
func TestEventMatchesAsBefore(t *testing.T) {
	fields := &event.Fields{}
	var matchers []*match.Matcher
	for _, condition := range []string{
		`event.kind == "event"`, `event.kind : "?"`, `not event.kind == "signal"`,
		`event.kind.x == "1"`, `event.kind == null`,
		`@timestamp == "2026-03-02T10:00:00.123Z"`, `@timestamp > "2026-03-01"`,
		`@timestamp == null`, `event.name : "a*" or process.name : "a*"`,
		`process.kind != null and event.name == null`,
	} {
		q, err := eql.Parse("any where " + condition)
		if err != nil {
			t.Fatal(err)
		}
		m, err := match.Compile(q, fields, match.Options{})
		if err != nil {
			t.Fatal(err)
		}
		matchers = append(matchers, m)
	}
	judge := func(t *rapid.T, source []byte) (out []string) {
		e := match.NewEvaluation(fields, time.Now())
		if err := e.Read(nil, event.Document{Source: source}); err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		for _, m := range matchers {
			x := m.Explain(e)
			sortValues(x)
			text, err := json.MarshalIndent(x, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, string(text))
		}
		return out
	}
	rapid.Check(t, func(t *rapid.T) {
		source := []byte(drawObject(t, 3))
		s, err := New(matchOf(Event{Source: source}), exampleRun())
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		got, err := EventOf(s.Document)
		if err != nil {
			t.Fatalf("%s: %v", s.Document, err)
		}
		if diff := cmp.Diff(judge(t, source), judge(t, got)); diff != "" {
			t.Errorf("%s\nread back as %s\n%s", source, got, diff)
		}
		if diff := cmp.Diff(leavesOf(t, source), leavesOf(t, got)); diff != "" {
			t.Errorf("%s\nread back as %s\n%s", source, got, diff)
		}
	})
}

// sortValues puts values into one order: it depends on how a field is spelled. A time is shown as
// it was written.
func sortValues(x *match.Explanation) {
	for i := range x.Fields {
		slices.Sort(x.Fields[i].Values)
		if f := &x.Fields[i]; f.Path == timestampField {
			f.Values, f.NotTaken = nil, nil
		}
	}
	for _, operand := range x.Operands {
		sortValues(operand)
	}
}

// leavesOf lists an event's leaves but for what a signal does not keep; a time as its instant.
func leavesOf(t *rapid.T, source []byte) []string {
	n, err := parse(source)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	n = n.without("kibana").without("signal")
	var leaves []string
	n.leavesUnder(nil, func(path []byte, leaf *node) {
		kind, value := leaf.kind, leaf.text
		if string(path) == timestampField {
			at, ok := instant(value)
			if !ok {
				return
			}
			kind, value = text, iso(at)
		}
		leaves = append(leaves, fmt.Sprintf("%s=%d:%s", path, kind, value))
	})
	slices.Sort(leaves)
	return leaves
}

// drawObject draws an object, the root first: of each field one or several spellings, none of them
// twice.
func drawObject(t *rapid.T, depth int) string {
	keys := []string{"event", "event.kind", "process", "process.name", "kind", "name", "x",
		"kibana", "kibana.alert", "signal", "alert", "kind.x", "kindred"}
	var members []string
	if depth == 3 && rapid.Bool().Draw(t, "timed") {
		at := rapid.SampledFrom([]string{`"2026-03-02T10:00:00.123Z"`,
			`"2026-03-02T12:00:00.123+02:00"`, `1772445600123`, `["2026-03-02"]`,
			`"1772445600123"`}).Draw(t, "time")
		members = append(members, `"@timestamp":`+at)
	}
	for _, key := range rapid.SliceOfNDistinct(rapid.SampledFrom(keys), 0, 4,
		rapid.ID[string]).Draw(t, "keys") {
		members = append(members, fmt.Sprintf("%q:%s", key, drawValue(t, depth-1)))
	}
	return "{" + strings.Join(members, ",") + "}"
}

func drawValue(t *rapid.T, depth int) string {
	kinds := []string{"scalar", "scalars", "object", "array"}
	if depth == 0 {
		kinds = kinds[:2]
	}
	scalar := rapid.SampledFrom([]string{`"event"`, `"a"`, `"signal"`, `1`, `1.50`, `true`, `null`,
		`"<\u2028\ud83d\ude00"`})
	switch rapid.SampledFrom(kinds).Draw(t, "kind") {
	case "scalar":
		return scalar.Draw(t, "scalar")
	case "scalars":
		return "[" + strings.Join(rapid.SliceOfN(scalar, 0, 3).Draw(t, "scalars"), ",") + "]"
	case "object":
		return drawObject(t, depth)
	default:
		return "[" + drawValue(t, depth-1) + "," + drawValue(t, depth-1) + "]"
	}
}
