package event_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"esrule/internal/estest"
	"esrule/internal/event"
	"esrule/internal/query/match"
	"esrule/internal/query/rule"
)

// TestSkimmedRecordings reads recorded events both ways, for the fields of all published rules.
func TestSkimmedRecordings(t *testing.T) {
	set, err := rule.Load(filepath.Join(estest.Corpus(t), "rules"))
	if err != nil {
		t.Fatal(err)
	}
	var fields event.Fields
	for _, r := range set.Rules {
		// what is not supported has fields too
		_, _ = match.Compile(r.Body.Queries()[0], &fields, match.Options{})
	}
	w := newTwoWays(fields.Paths()...)
	files, err := filepath.Glob(filepath.Join(estest.Corpus(t), "events", "*.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	lines, plain := 0, 0
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(content) {
			isPlain, wrong := w.read(string(line))
			if wrong != nil {
				t.Fatalf("%s: %.200s: %v", filepath.Base(file), line, wrong)
			}
			lines++
			if isPlain {
				plain++
			}
		}
	}
	t.Logf("%d lines, %d of them plain; %d fields", lines, plain, len(fields.Paths()))
	if plain == 0 {
		t.Error("no line was plain")
	}
}
