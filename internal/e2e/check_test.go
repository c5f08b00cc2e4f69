package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"esrule/internal/finding"
)

// checked is what check prints as JSON.
type checked struct {
	Rules []struct {
		Doubts   []placed `json:"doubts"`
		Notes    []string `json:"notes"`
		Patterns []struct {
			Problems []string `json:"problems"`
			Notes    []string `json:"notes"`
		} `json:"patterns"`
	} `json:"rules"`
	Findings []finding.Finding `json:"findings"`
	Kinds    map[string]int    `json:"skipped_kinds"`
	Errors   []placed          `json:"errors"`
}

type placed struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
	Advice  string `json:"advice"`
}

func (r result) checked(t *testing.T) checked {
	t.Helper()
	var c checked
	if err := json.Unmarshal([]byte(r.stdout), &c); err != nil {
		t.Fatalf("%s: %v in %s", r.args, err, r.stdout)
	}
	return c
}

// TestCheckFolder holds what check says of a folder of rules: kinds counted, doubts and errors with
// their places.
func TestCheckFolder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	add := func(name, query string) {
		t.Helper()
		text, err := os.ReadFile(writeRule(t, query))
		if err != nil {
			t.Fatal(err)
		}
		text = []byte(strings.ReplaceAll(string(text), "A rule of this test", name))
		text = []byte(strings.ReplaceAll(string(text), `rule_id = "`, `rule_id = "`+name))
		if err := os.WriteFile(filepath.Join(folder, name+".toml"), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	add("first", `sequence by host.id [process where true] [file where true] | head 1`)
	add("second", `process where true | tail 2`)
	add("third", `join by host.id [process where true] [file where true]`)
	add("doubtful", `process where process.nmae == "cmd*" and length(process.name) < 0`)
	run(t, nil, "check", "--rules", folder).want(t, 3).says(t,
		"1 rules checked, 3 skipped (2 pipe, 1 join), 3 problems",
		"doubtful.toml:14:15: process.nmae is not a field", "Is process.name meant?")
	c := run(t, nil, "check", "--rules", folder, "--format", "json").want(t, 3).checked(t)
	if c.Kinds["pipe"] != 2 || c.Kinds["join"] != 1 || len(c.Rules) != 1 ||
		len(c.Rules[0].Doubts) != 3 {
		t.Fatalf("got %+v, want two pipes and one join skipped, and three doubts on the "+
			"other rule", c)
	}
	if got := c.Rules[0].Doubts[0]; got.Line != 14 || got.Column != 15 ||
		got.Advice != "Is process.name meant?" || filepath.Base(got.File) != "doubtful.toml" {
		t.Errorf("the first doubt: got %+v, want it at line 14, column 15, with the nearest name",
			got)
	}
	add("wrong", `process where length(process.name) == "3" and`)
	c = run(t, nil, "check", "--rules", folder, "--format", "json").want(t, 2).says(t,
		"wrong.toml:14:").checked(t)
	if len(c.Errors) != 1 || c.Errors[0].Line != 14 || c.Errors[0].Message == "" {
		t.Errorf("got the errors %+v, want one at line 14", c.Errors)
	}
}

// TestCheckTypes holds what check says of comparisons that a mapping makes doubtful.
func TestCheckTypes(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"),
		`{"mappings":{"properties":{"@timestamp":{"type":"date"},"event":{"properties":{"category":{"type":"keyword"}}},
		"process":{"properties":{"pid":{"type":"long"},"name":{"type":"keyword"}}}}}}`)
	c := s.run("check", "--rules",
		writeRule(t, `process where process.name == "a" and (process.pid == "x" or process.pid : "4*")`), "--format", "json").want(t, 3).checked(t)
	if len(c.Rules) != 1 || len(c.Rules[0].Patterns) != 1 {
		t.Fatalf("got %+v, want one rule with one pattern", c)
	}
	p := c.Rules[0].Patterns[0]
	holds := func(list []string, part string) bool {
		return slices.ContainsFunc(list, func(s string) bool { return strings.Contains(s, part) })
	}
	if !holds(p.Problems, "process.pid is of type long there, and \"x\" is no number") ||
		!holds(p.Notes, "so : looks at its text") {
		t.Errorf("got the problems %q and the notes %q, want one of each about process.pid",
			p.Problems, p.Notes)
	}

	codes := map[finding.Code]finding.Finding{}
	for _, f := range c.Findings {
		codes[f.Code] = f
	}
	never, text := codes[finding.ValueNeverFits], codes[finding.TextOperator]
	if never.Severity != finding.Problem || never.Rule == "" || never.Pattern == "" ||
		text.Severity != finding.Note || text.Advice == "" {
		t.Errorf("got the findings %+v, want a problem and a note about process.pid, each with "+
			"its code, rule, pattern and advice", c.Findings)
	}

	// An index that lacks the field has no event that satisfies the rule either.
	s.Create(s.name("events-2"),
		`{"mappings":{"properties":{"@timestamp":{"type":"date"},"event":{"properties":{"category":{"type":"keyword"}}}}}}`)
	s.run("check", "--rules",
		writeRule(t, `any where process.pid == "x" or @timestamp > "yesterday"`)).want(t, 3).
		says(t, `process.pid is of type long there, and "x" is no number`,
			`@timestamp is of type date there, and "yesterday" is no date in its format`).
		saysNot(t, "event.kind")
	// What the indices have is no misspelling.
	s.Create(s.name("events-3"),
		`{"mappings":{"properties":{"@timestamp":{"type":"date"},"process":{"properties":{"nmae":{"type":"keyword"}}}}}}`)
	s.run("check", "--rules", writeRule(t, `any where process.nmae == "x"`)).want(t, 3).saysNot(t,
		"is not a field of the Elastic Common Schema")
}
