package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// What a query string would escape, split at a space, or fold, and what the index leaves out, is
// compared as the rule has it. Nothing of it is asked of the cluster by a pattern.
func TestValuesAsTheRuleHasThem(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	folder := t.TempDir()
	var docs []any
	want := map[string]bool{}
	f := func(query, field, value string, matches bool) {
		t.Helper()
		id := fmt.Sprintf("00000000-0000-4000-8000-%012d", len(want))
		text, err := os.ReadFile(writeRule(t, query+fmt.Sprintf(` and process.name == "case %s"`,
			id)))
		if err != nil {
			t.Fatal(err)
		}
		rule := strings.Replace(string(text), "33333333-3333-4333-8333-333333333333", id, 1)
		if err := os.WriteFile(filepath.Join(folder, id+".toml"), []byte(rule), 0o600); err != nil {
			t.Fatal(err)
		}
		e := recorded(match(time.Minute))
		e.set("process.name", "case "+id)
		e.set(field, value)
		docs = append(docs, e)
		want[fmt.Sprintf("%s over %s = %.80q (%s)", query, field, value, id)] = matches
	}
	// A backslash before a wildcard is a backslash.
	f(`file where file.path : "C:\\inetpub\\*"`, "file.path", `C:\inetpub\x.aspx`, true)
	f(`file where file.path : "C:\\inetpub\\*"`, "file.path", `C:\inetpub\`, true)
	f(`file where file.path : "C:\\inetpub\\*"`, "file.path", `C:\inetpub`, false)
	f(`file where file.path : "C:\\inetpub\\*"`, "file.path", `C:\inetpub*`, false)
	f(`file where file.path == "C:\\inetpub\\"`, "file.path", `C:\inetpub\`, true)
	f(`file where file.path : ("C:\\a\\", "*\\b\\")`, "file.path", `c:\x\b\`, true)
	// Values with spaces, asked for and left out.
	f(`file where file.path : "?:\\Program Files\\*"`, "file.path", `C:\Program Files\x y.exe`,
		true)
	f(`file where file.path : "*two words*"`, "file.path", `C:\two words\x`, true)
	f(`file where file.path : "*two words*"`, "file.path", `C:\two-words\x`, false)
	f(`file where file.name == "two words.exe"`, "file.name", "two words.exe", true)
	f(`file where file.name == "two words.exe"`, "file.name", "words.exe", false)
	f(`file where not file.path : "?:\\Program Files\\*"`, "file.path", `C:\Program Files\x.exe`,
		false)
	f(`file where not file.path : "?:\\Program Files\\*"`, "file.path", `C:\Program\x.exe`, true)
	// What a query string reads as its own.
	f(`file where file.name : "a+b (1) [x] {y} \"q\" AND OR NOT /z/ ^~:!&&||.txt"`, "file.name",
		`a+b (1) [x] {y} "q" and or not /z/ ^~:!&&||.txt`, true)
	f(`file where file.name == "*"`, "file.name", "anything", false)
	// Longer than the index takes.
	f(`file where file.path : "*\\web.aspx"`, "file.path", `C:\`+strings.Repeat("x", 2000)+
		`\web.aspx`, true)
	f(`file where file.path : "C:\\start*"`, "file.path", `C:\start`+strings.Repeat("x", 2000),
		true)
	f(`file where not file.path : "*\\web.aspx"`, "file.path", `C:\`+strings.Repeat("x", 2000)+
		`\web.aspx`, false)
	// A field that no index maps takes nothing from the rest of the rule.
	f(`file where (dll.name : "x.dll" or file.name : "A.TXT")`, "file.name", "a.txt", true)
	f(`file where not dll.name : "x.dll" and file.name : "a.txt"`, "file.name", "a.txt", true)
	s.Bulk(s.name("events-1"), docs...)

	p := newProxy(t, s.url)
	s.url = p.URL
	s.more["RULES"] = folder
	s.runOnce()
	found := map[string]bool{}
	for _, hit := range s.signals() {
		var signal struct {
			Rule string `json:"kibana.alert.rule.rule_id"`
		}
		if err := json.Unmarshal(hit.Source, &signal); err != nil {
			t.Fatal(err)
		}
		found[signal.Rule] = true
	}
	for what, matches := range want {
		id := what[len(what)-len("(00000000-0000-4000-8000-000000000000)")+1 : len(what)-1]
		if found[id] != matches {
			t.Errorf("%s: got a signal %t, want %t", what, found[id], matches)
		}
	}
	costly := []string{`"wildcard"`, `"regexp"`, `"query_string"`, `"fuzzy"`, `"script"`}
	for _, c := range p.seen() {
		if i := slices.IndexFunc(costly, func(query string) bool {
			return strings.Contains(c.body, query)
		}); i >= 0 && isPage(nil, c) {
			t.Errorf("the cluster was asked by %s: %s", costly[i], c.body)
		}
	}
}
