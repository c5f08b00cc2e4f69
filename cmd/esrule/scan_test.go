package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestScanSaysWhatItDidNotJudge: by exit code, on standard error and in the report.
func TestScanSaysWhatItDidNotJudge(t *testing.T) {
	rules := t.TempDir()
	text := ruleText("11111111-1111-4111-8111-111111111111", "a.exe")
	if err := os.WriteFile(filepath.Join(rules, "a.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(input string, wantExit exitCode, want ...string) {
		t.Helper()
		page := filepath.Join(t.TempDir(), "page.html")
		var out, errOut bytes.Buffer
		args := []string{"scan", "-", "--rules", rules, "--report", page}
		code := run(t.Context(), newApp(strings.NewReader(input), &out, &errOut), args)
		if code != int(wantExit) {
			t.Errorf("%s: exit code %d, want %d: %s", input, code, wantExit, errOut.String())
		}
		html, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range want {
			if !strings.Contains(errOut.String(), part) {
				t.Errorf("%s: got %s\nwant %q in it", input, errOut.String(), part)
			}
			if wantExit != exitCovered && !strings.Contains(string(html), part) {
				t.Errorf("%s: the report lacks %q", input, part)
			}
		}
	}
	const event = `{"@timestamp":"2026-01-01T00:00:00Z","process":{"name":"a.exe"},"event":{"category":"process"}}`
	f(event, exitCovered, "1 signals")
	f("", exitCovered, "standard input: it holds no event")
	f(`{"took":1,"hits":{"hits":[{"_index":"i","_id":"1","_source":`+event+`}]}}`, exitCovered,
		"1 signals")
	f(`{"Event":{"System":{}}}`, exitNotCovered, "event.category was in 0 of 1 events",
		"with the keys Event")
	f(`{"json":`+event+`}`, exitNotCovered, "inside the field")
}

// TestDoubtsAreNamed: scan names a rule whose query is probably not meant, once.
func TestDoubtsAreNamed(t *testing.T) {
	rules := t.TempDir()
	text := strings.Replace(
		ruleText("11111111-1111-4111-8111-111111111111", "a.exe"), ` : "a.exe"`, ` == "a*.exe"`, 1)
	if err := os.WriteFile(filepath.Join(rules, "a.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	args := []string{"scan", "-", "--rules", rules}
	run(t.Context(), newApp(strings.NewReader(""), &out, &errOut), args)
	got := strings.Count(errOut.String(), "a rule's query is doubtful")
	if got != 1 || !strings.Contains(errOut.String(), "Write : or like for a pattern.") {
		t.Errorf("got %d doubts, want 1: %s", got, errOut.String())
	}
}
