package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a folder holds in place of rules is said, and what is read instead.
func TestNoRules(t *testing.T) {
	f := func(name string, files map[string]string, want ...string) {
		t.Helper()
		folder := t.TempDir()
		for file, text := range files {
			if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, command := range []string{"check", "run --once", "scan -"} {
			var out, errOut bytes.Buffer
			code := run(t.Context(), newApp(strings.NewReader(""), &out, &errOut),
				append(strings.Fields(command), "--rules", folder))
			if code != int(exitUsage) {
				t.Errorf("%s: %s: exit code %d, want %d", name, command, code, exitUsage)
			}
			for _, part := range want {
				if !strings.Contains(errOut.String(), part) {
					t.Errorf("%s: %s: got %s, want %q in it", name, command, errOut.String(), part)
				}
			}
		}
	}
	const id = "11111111-1111-4111-8111-111111111111"
	f("empty", nil, "no rule file was found", "*.toml", "*.ndjson")
	f("ndjson", map[string]string{"export.ndjson": "{}"},
		"export.ndjson:1:1: this object is no detection rule")
	f("sigma", map[string]string{"a.yml": "title: x", "README.md": "x"}, "but 2 other files",
		"a.yml", "README.md", "sigma convert")
	f("disabled", map[string]string{"a.toml": strings.Replace(ruleText(id, "a.exe"), "[rule]",
		"[rule]\nenabled = false", 1)}, "every rule is disabled", "(1 disabled)")
	f("pipes", map[string]string{"a.toml": strings.Replace(ruleText(id, "a.exe"),
		"process where", "any where true | head 5 //", 1)},
		"every rule is of a kind that this version does not support (1 pipe)")
}

// Files beside the rules that look like rules are named, by the log and by check.
func TestUnreadFilesAreNamed(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{
		"a.toml": ruleText("11111111-1111-4111-8111-111111111111", "a.exe"), "b.yml": "{}",
		"README.md": "x",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := func(command string, want ...string) {
		t.Helper()
		var out, errOut bytes.Buffer
		run(t.Context(), newApp(strings.NewReader(""), &out, &errOut),
			append(strings.Fields(command), "--rules", folder))
		both := out.String() + errOut.String()
		for _, part := range want {
			if !strings.Contains(both, part) {
				t.Errorf("%s: got %s, want %q in it", command, both, part)
			}
		}
		if strings.Contains(both, "README.md") {
			t.Errorf("%s: got %s, which names a file that is no rule", command, both)
		}
	}
	f("check", "not read: "+filepath.Join(folder, "b.yml"), "sigma convert")
	f("check --format json", `"unread": [`, "b.yml")
	f("scan -", "files in the rules' folders are not read", "b.yml")
}

// A file that is named as a rule and is another format.
func TestRuleFileOfAnotherFormat(t *testing.T) {
	f := func(name, text, want string) {
		t.Helper()
		var out, errOut bytes.Buffer
		code := run(t.Context(), newApp(strings.NewReader(""), &out, &errOut),
			[]string{"check", "--rules", writeFile(t, name, text)})
		if code != int(exitUsage) || !strings.Contains(errOut.String(), want) {
			t.Errorf("%s: got exit code %d and %s, want %d and %q", name, code, errOut.String(),
				exitUsage, want)
		}
	}
	f("x.yml", "title: x\n", "sigma convert")
	f("x.eql", "process where true\n", "`query` of a TOML rule")
}

// Exceptions that are not applied are said: by the log, and by check as a problem.
func TestExceptionsAreNamed(t *testing.T) {
	path := writeFile(t, "export.ndjson",
		`{"rule_id": "a", "name": "A", "type": "eql", "language": `+
			`"eql", "severity": "low", "risk_score": 1, "index": ["x"], "query": "any where a : \"b\"", `+
			`"exceptions_list": [{"list_id": "mine", "namespace_type": "single"}]}
{"list_id": "mine", "namespace_type": "single", "name": "Mine"}
{"list_id": "mine", "namespace_type": "single", "item_id": "i", "name": "Host x", `+
			`"entries": [{"type": "list", "field": "host.name", "operator": "included", `+
			`"list": {"id": "hosts"}}]}
{"exported_rules_count": 2}`)
	f := func(command string, code exitCode, want ...string) {
		t.Helper()
		var out, errOut bytes.Buffer
		got := run(t.Context(), newApp(strings.NewReader(""), &out, &errOut),
			append(strings.Fields(command), "--rules", path))
		both := out.String() + errOut.String()
		if got != int(code) {
			t.Errorf("%s: got exit code %d, want %d", command, got, code)
		}
		for _, part := range want {
			if !strings.Contains(both, part) {
				t.Errorf("%s: got %s, want %q in it", command, both, part)
			}
		}
	}
	const list, cut = `"Host x" (list Mine, list_id mine)`,
		"Kibana exported 2 rules, and the file holds 1"
	f("check", exitFound, "problem: its exception ", list, "the value list hosts", cut)
	f("check --format json", exitFound, `"exceptions-not-applied"`, cut)
	f("scan -", exitCovered, "A RULE'S EXCEPTION IS NOT APPLIED", cut)
}
