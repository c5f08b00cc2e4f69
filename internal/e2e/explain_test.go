package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestExplainStoredEvent holds that explain reads an event as a run does: through its index's
// mapping, and with the values that no _source has.
func TestExplainStoredEvent(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	index := s.name("events-1")
	s.Create(index, `{"mappings":{"dynamic":false,
		"runtime":{"process.args_count":{"type":"long"}},
		"properties":{
		"@timestamp":{"type":"date"},
		"event":{"properties":{"category":{"type":"keyword","null_value":"process"}}},
		"process":{"properties":{
			"name":{"type":"keyword","copy_to":"related.names"},
			"image":{"type":"alias","path":"process.name"}}},
		"related":{"properties":{"names":{"type":"keyword"}}}}}}`)
	const source = `{"@timestamp":"2026-01-02T03:04:05Z","event":{"category":null},"process":{"name":"a.exe","args_count":"3"}}`
	s.put("events-1", "one", json.RawMessage(source))
	rule := writeRule(t, `process where process.image == "a.exe" and related.names == "a.exe" and process.args_count == 3`)
	explain := func(event string, more ...string) result {
		t.Helper()
		file := filepath.Join(t.TempDir(), "event.json")
		if err := os.WriteFile(file, []byte(event), 0o600); err != nil {
			t.Fatal(err)
		}
		return s.run(append([]string{"explain", "--rules", rule, "--event", file}, more...)...)
	}
	hit := fmt.Sprintf(`{"_index":%q,"_id":"one","_source":%s}`, index, source)
	explain(hit).want(t, 0).says(t, "The event matches rule", `related.names is "a.exe" (keyword)`,
		`process.image is "a.exe" (keyword)`, "asked of the index too")
	explain(strings.Replace(hit, index, "elsewhere", 1), "--index", index).want(t, 0).says(t,
		"The event matches rule")
	// What only the index knows is missing where the document cannot be found, and explain says
	// why.
	explain(strings.Replace(hit, "one", "another", 1)).want(t, 0).says(t,
		"The event does not match rule", "related.names", "it has no document another")
	explain(source, "--index", index).want(t, 0).says(t, "The event does not match rule",
		"related.names", "as a hit with its _id")

	var answers []struct {
		Matches   bool     `json:"matches"`
		Notes     []string `json:"notes"`
		Condition struct {
			Operands []struct {
				Fields []struct {
					Path   string   `json:"path"`
					Values []string `json:"values"`
				} `json:"fields"`
			} `json:"operands"`
		} `json:"condition"`
	}
	r := explain(hit, "--format", "json").want(t, 0)
	if err := json.Unmarshal([]byte(r.stdout), &answers); err != nil || len(answers) != 1 {
		t.Fatalf("%v in %s", err, r.stdout)
	}
	values := map[string][]string{}
	for _, operand := range answers[0].Condition.Operands {
		for _, f := range operand.Fields {
			values[f.Path] = f.Values
		}
	}
	for path, want := range map[string]string{"event.category": "process", "process.image": "a.exe",
		"related.names": "a.exe", "process.args_count": "3"} {
		if !slices.Contains(values[path], want) {
			t.Errorf("%s: got %q, want %q among them\n%s", path, values[path], want, r.stdout)
		}
	}
	if !answers[0].Matches || len(answers[0].Notes) != 1 {
		t.Errorf("got matches %v with the notes %q, want a match with one note", answers[0].Matches,
			answers[0].Notes)
	}
}

// TestExplainSequence explains several events together, with and without an index.
func TestExplainSequence(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	index := s.name("events-1")
	s.Create(index, ecs)
	rule := writeRule(t, `sequence by host.os.type with maxspan=1m
		[process where process.name == "a.exe"] [file where file.name == "b.txt"]`)
	event := func(at, category, rest string) string {
		return fmt.Sprintf(`{"_index":%q,"_source":{"@timestamp":"2026-01-02T03:%s:00Z",`+
			`"event":{"category":%q},"host":{"os":{"type":"windows"}},%s}}`+"\n", index, at,
			category, rest)
	}
	file := filepath.Join(t.TempDir(), "events.ndjson")
	write := func(events ...string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(strings.Join(events, "")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const first, second = `"process":{"name":"a.exe"}`, `"file":{"name":"b.txt"}`
	for _, env := range [][]string{nil, s.env()} {
		write(event("01", "process", first), event("02", "file", second))
		run(t, env, "explain", "--rules", rule, "--event", file).want(t, 0).says(t,
			"The 2 events match rule", `by ["windows"]`, "stage 2: event 2, 1m0s later")
		write(event("01", "process", first), event("03", "file", second))
		run(t, env, "explain", "--rules", rule, "--event", file).want(t, 0).says(t,
			"The 2 events are no match of rule",
			"Why: maxspan is exceeded: 1m0s is allowed, and event 2 comes 2m0s after event 1")
		run(t, env, "explain", "--rules", rule, "--event", file, "--format", "json").want(t,
			0).says(t, `"why": "maxspan is exceeded`, `"after": "2m0s"`)
	}
	write(event("01", "process", first))
	run(t, nil, "explain", "--rules", rule, "--event", file).want(t, 0).says(t,
		"The event can be one of the events of rule")
	write(event("01", "process", first), `{"`)
	run(t, nil, "explain", "--rules", rule, "--event", file).want(t, 2).says(t, "event 2: ")
}
