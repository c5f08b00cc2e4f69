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

// judge parses a query as its kind wants it: what Elasticsearch evaluates is read back as it was
// printed, the others are refused by name.
func (c tally) judge(t *testing.T, name, text string) {
	t.Helper()
	kind := kindOf(text)
	c[kind]++
	s, err := eql.ParseStatement(text)
	if all := (cond.Errors{}); errors.As(err, &all) && all.Unsupported() && kind == all[0].What {
		c["refused: "+all[0].Message]++
		return
	}
	if err != nil {
		t.Errorf("%s: a %s query: %v", name, kind, err)
		return
	}
	switch s := s.(type) {
	case *eql.Event:
		if kind != "event" && (kind != "pipe" || len(s.Pipes) == 0) {
			t.Errorf("%s: got an event query, want %s", name, kind)
		}
	case *eql.Sequence:
		if kind != "sequence" {
			t.Errorf("%s: got a sequence, want %s", name, kind)
		}
	case *eql.Sample:
		if kind != "sample" {
			t.Errorf("%s: got a sample, want %s", name, kind)
		}
	}
	again, err := eql.ParseStatement(s.String())
	if err != nil {
		t.Errorf("%s: printed as %s: %v", name, s, err)
		return
	}
	if diff := difference(s, again); diff != "" {
		t.Errorf("%s: printed as %s: first -, again +\n%s", name, s, diff)
	}
	_, err = eql.Parse(text)
	var all cond.Errors
	isRefused := errors.As(err, &all) && all.Unsupported() && strings.Contains(all[0].Message, kind)
	if kind == "event" && err != nil || kind != "event" && !isRefused {
		t.Errorf("%s: a %s query: read as an event query: got %v", name, kind, err)
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
