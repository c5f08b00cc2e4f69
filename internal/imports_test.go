// Package internal_test holds what is true of the packages together.
package internal_test

import (
	"os/exec"
	"strings"
	"testing"
)

// layers are the packages of the program from top to bottom. A package imports only what is in a
// lower layer.
func layers() [][]string {
	return [][]string{
		{"cmd/esrule"},
		{"internal/config", "internal/metrics", "internal/report"},
		{"internal/scan", "internal/schedule/backfill"},
		{"internal/schedule"},
		{"internal/detect"},
		{"internal/detect/indicator", "internal/detect/sequence", "internal/detect/threshold"},
		{"internal/detect/terms"},
		{"internal/sink"},
		{"internal/sink/indices", "internal/sink/signal"},
		{"internal/query/rule"},
		{"internal/query/lint"},
		{"internal/query/match", "internal/query/prefilter"},
		{"internal/query/eql", "internal/query/exception", "internal/query/filter",
			"internal/query/kql",
			"internal/query/match/ahocorasick", "internal/query/match/lucene",
			"internal/query/match/words"},
		{"internal/query/cond"},
		{"internal/elastic/search", "internal/elastic/state"},
		{"internal/elastic"},
		{"internal/event"},
		{"internal/ascii", "internal/date", "internal/elastic/dsl", "internal/elastic/indexpattern",
			"internal/finding",
			"internal/span", "rules"},
	}
}

// TestImports holds the direction of the imports, and what packages must not know of each other.
func TestImports(t *testing.T) {
	imports := importsOf(t)
	place := map[string]int{}
	for i, layer := range layers() {
		for _, p := range layer {
			place[p] = i
			if _, ok := imports[p]; !ok {
				t.Errorf("layers names %s, which is no package", p)
			}
		}
	}
	for from, all := range imports {
		at, ok := place[from]
		if !ok {
			t.Errorf("%s is in no layer: enter it into layers", from)
		}
		for _, to := range all {
			if below, known := place[to]; known && below <= at {
				t.Errorf("%s imports %s, which is not below it", from, to)
			}
		}
	}
	not := func(from, to, why string) {
		t.Helper()
		if _, ok := imports[from]; !ok {
			t.Errorf("%s is no package", from)
		}
		for p, all := range imports {
			for _, q := range all {
				if isBelow(p, []string{from}) && isBelow(q, []string{to}) {
					t.Errorf("%s imports %s: %s", p, q, why)
				}
			}
		}
	}
	not("internal/detect/indicator", "internal/elastic", "indicators are joined without a server")
	not("internal/detect/indicator", "internal/query/rule", "indicators are joined without a rule")
	not("internal/detect/sequence", "internal/elastic", "sequences are judged without a server")
	not("internal/detect/terms", "internal/elastic", "terms are read without a server")
	not("internal/detect/sequence", "internal/query/rule", "a statement is judged without a rule")
	not("internal/detect/threshold", "internal/elastic", "events are counted without a server")
	not("internal/detect/threshold", "internal/query/rule", "events are counted without a rule")
	const language = "the condition tree is read without a language"
	not("internal/query/match", "internal/query/eql", language)
	not("internal/query/match", "internal/query/kql", language)
	not("internal/query/prefilter", "internal/query/eql", language)
	not("internal/query/prefilter", "internal/query/kql", language)
	not("internal/query/lint", "internal/query/eql", language)
	not("internal/query/lint", "internal/query/kql", language)
	not("internal/query/match", "internal/elastic/dsl", "a matcher knows no server")
	not("internal/query/match", "internal/elastic", "a matcher knows no server")
	not("internal/query/prefilter", "internal/elastic/search", "a pre-filter is sent by others")
	not("internal/elastic", "internal/query", "the cluster knows no rule and no condition")
	not("internal/scan", "internal/elastic", "scan needs no cluster")
	not("internal/sink/signal", "internal/elastic", "a signal is made without a server")
	not("cmd/esrule", "internal/event", "cmd knows no JSON of an event")
	not("cmd/esrule", "github.com/valyala/fastjson", "cmd knows no JSON of an event")
	not("internal/sink", "internal/span", "a sink knows no schedule")
	not("internal/sink", "internal/elastic/search", "a sink reads no events")
	not("internal/schedule", "internal/query/match", "when to search is decided without an event")
	not("internal/schedule", "internal/event", "when to search is decided without an event")
	not("internal/schedule", "internal/query/prefilter", "what is asked is laid out in detect")
}

// importsOf returns what each package of the program, without those that only tests use, imports:
// packages of the module by their folders, others by their paths.
func importsOf(t *testing.T) map[string][]string {
	t.Helper()
	list := exec.Command("go", "list", "-f", `{{.ImportPath}}: {{join .Imports " "}}`, "./...")
	list.Dir = ".."
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	tests := []string{"bench", "demo", "deploy", "internal/estest", "internal/e2e", "internal/soak"}
	imports := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		path, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		name := strings.TrimPrefix(path, "esrule/")
		if isBelow(name, tests) || name == "internal" {
			continue
		}
		imports[name] = []string{}
		for _, p := range strings.Fields(rest) {
			imports[name] = append(imports[name], strings.TrimPrefix(p, "esrule/"))
		}
	}
	return imports
}

func isBelow(name string, folders []string) bool {
	for _, f := range folders {
		if name == f || strings.HasPrefix(name, f+"/") {
			return true
		}
	}
	return false
}
