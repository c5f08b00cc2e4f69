package eql_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
)

// corpus gives the files of a pattern under the corpus of public data, or skips the test where
// there is none.
func corpus(t *testing.T, pattern string) []string {
	t.Helper()
	root := os.Getenv("ESTEST_CORPUS")
	if root == "" {
		root = filepath.Join("..", "..", "..", "..", "shared", "corpus")
	}
	files, err := filepath.Glob(filepath.Join(root, pattern))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skipf("no corpus: nothing fits %s", filepath.Join(root, pattern))
	}
	return files
}

func readTOML(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := toml.Unmarshal(data, into); err != nil {
		t.Fatalf("read %s: %v", file, err)
	}
}

// tally counts what becomes of queries, by what they are.
type tally map[string]int

// notCode finds the strings and comments of a query.
var notCode = regexp.MustCompile(`"""[^\n]*?"""+|"(?:\\.|[^"\\\n])*"|//[^\n]*|(?s:/\*.*?\*/)`)

// kindOf says from the outside what a query is, by its first word and by a pipe outside strings and
// comments.
func kindOf(text string) string {
	code := notCode.ReplaceAllString(text, " ")
	if words := strings.Fields(code); len(words) > 0 {
		switch words[0] {
		case "sequence", "sample", "join":
			return words[0]
		}
	}
	if strings.Contains(code, "|") {
		return "pipe"
	}
	return "event"
}

// judge parses a query as its kind wants it: an event query round trips, the others are refused by
// name.
func (c tally) judge(t *testing.T, name, text string) {
	t.Helper()
	kind := kindOf(text)
	c[kind]++
	q, err := eql.Parse(text)
	if kind == "event" {
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		again, err := eql.Parse(eql.String(q))
		if err != nil {
			t.Errorf("%s: printed as %s: %v", name, eql.String(q), err)
			return
		}
		if diff := difference(q, again); diff != "" {
			t.Errorf("%s: printed as %s: first -, again +\n%s", name, eql.String(q), diff)
		}
		return
	}
	var all cond.Errors
	if !errors.As(err, &all) || !all.Unsupported() || !strings.Contains(all[0].Message, kind) {
		t.Errorf("%s: a %s query: got %v, want it refused as unsupported, by name", name, kind, err)
	}
}

func TestCorpusRules(t *testing.T) {
	counts := make(tally)
	for _, file := range corpus(t, "rules/*.toml") {
		var doc struct{ Rule struct{ Query string } }
		readTOML(t, file, &doc)
		counts.judge(t, filepath.Base(file), doc.Rule.Query)
	}
	t.Logf("published rules: %v", counts)
}

func TestCorpusQueries(t *testing.T) {
	counts := make(tally)
	for _, file := range corpus(t, "eql/*.toml") {
		var doc struct {
			Queries []struct{ Name, Query string }
		}
		readTOML(t, file, &doc)
		for _, q := range doc.Queries {
			counts.judge(t, filepath.Base(file)+" "+q.Name, q.Query)
		}
	}
	t.Logf("Elasticsearch's own queries: %v", counts)
}
