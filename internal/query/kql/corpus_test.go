package kql_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pelletier/go-toml/v2"

	"esrule/internal/query/cond"
	"esrule/internal/query/kql"
)

// corpus returns the files of a pattern under the corpus of public data, or skips the test where
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

// kueryCases are the cases that Kibana's tests state and that its grammar was run for.
type kueryCases struct {
	Parse []struct {
		KQL string
		AST any
	}
	Errors []struct {
		KQL    string
		Offset int
	} `json:"parse_errors"`
}

func readCases(t *testing.T) kueryCases {
	t.Helper()
	var cases kueryCases
	data, err := os.ReadFile(corpus(t, "kql/kuery-cases.json")[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// TestConformance compares the tree of each case with Kibana's.
func TestConformance(t *testing.T) {
	cases := readCases(t)
	for _, c := range cases.Parse {
		q, _ := kql.Tree(c.KQL)
		if q == nil {
			_, err := kql.Parse(c.KQL)
			t.Errorf("%q: got error %v", c.KQL, err)
			continue
		}
		if diff := cmp.Diff(kuery(c.AST), q.Where, ignorePlaces()); diff != "" {
			t.Errorf("%q: Kibana -, got +\n%s", c.KQL, diff)
		}
	}
	t.Logf("%d cases", len(cases.Parse))
}

func ignorePlaces() cmp.Option {
	return cmp.Options{cmpopts.IgnoreTypes(cond.Span{}),
		cmpopts.IgnoreFields(cond.Query{}, "Text", "Print")}
}

// kuery makes the condition of one of Kibana's trees.
func kuery(ast any) cond.Expr { return kueryBelow(ast, "") }

func kueryBelow(ast any, prefix string) cond.Expr {
	node := ast.([]any)
	args := node[1:]
	var operands []cond.Expr
	switch node[0] {
	case "and", "or", "not":
		for _, arg := range args {
			operands = append(operands, kueryBelow(arg, prefix))
		}
	}
	switch node[0] {
	case "and":
		return &cond.And{Operands: operands}
	case "or":
		return &cond.Or{Operands: operands}
	case "not":
		return &cond.Not{Operand: operands[0]}
	case "nested":
		path := prefix + kueryField(args[0]).Path
		return &cond.Nested{Path: path, Operand: kueryBelow(args[1], path+".")}
	}
	field := kueryField(args[0])
	if field.Path != "" || prefix != "" && len(args) > 2 {
		field.Path = prefix + field.Path
	}
	value := args[len(args)-1].(map[string]any)
	text := &cond.Literal{Kind: cond.String}
	switch v := value["v"].(type) {
	case nil:
		text.Text = "null"
	default:
		text.Text = fmt.Sprint(v)
	}
	quoted, isQuoted := value["q"].(string)
	if isQuoted {
		text.Text = quoted
	}
	pieces, isPattern := value["w"].([]any)
	if node[0] == "range" {
		if isPattern {
			text.Text = strings.Join(kueryPieces(pieces), "*")
		}
		ops := map[any]cond.CompareOp{"lt": cond.Less, "lte": cond.LessOrEqual,
			"gt": cond.Greater, "gte": cond.GreaterOrEqual}
		return &cond.Order{Field: field, Op: ops[args[1]], Value: text}
	}
	switch star := isPattern && fmt.Sprint(pieces) == "[ ]"; {
	case star && (field.Path == "*" || isNone(args[0])):
		return &cond.Literal{Kind: cond.Bool, Bool: true}
	case star:
		return &cond.Exists{Field: field}
	case isPattern:
		return &cond.Wildcard{Field: field, Pieces: kueryPieces(pieces)}
	}
	return &cond.Is{Field: field, Value: text, Quoted: isQuoted}
}

func kueryField(arg any) *cond.Field {
	switch field := arg.(map[string]any); {
	case field["q"] != nil:
		return &cond.Field{Path: field["q"].(string)}
	case field["v"] != nil:
		return &cond.Field{Path: fmt.Sprint(field["v"])}
	case field["w"] != nil:
		return &cond.Field{Path: strings.Join(kueryPieces(field["w"].([]any)), "*"), Wild: true}
	}
	return &cond.Field{}
}

func isNone(field any) bool {
	v, ok := field.(map[string]any)["v"]
	return ok && v == nil
}

func kueryPieces(list []any) []string {
	pieces := make([]string, len(list))
	for i, piece := range list {
		pieces[i] = piece.(string)
	}
	return pieces
}

// TestConformanceErrors compares where an error is with Kibana, which counts in UTF-16.
func TestConformanceErrors(t *testing.T) {
	cases := readCases(t)
	for _, c := range cases.Errors {
		_, errors := kql.Tree(c.KQL)
		var syntax cond.Errors
		for _, e := range errors {
			if e.Code == cond.CodeSyntax {
				syntax = append(syntax, e)
			}
		}
		if len(syntax) != 1 {
			t.Errorf("%q: got %v, want one syntax error", c.KQL, errors)
			continue
		}
		e := syntax[0]
		if got := len(utf16.Encode([]rune(c.KQL[:e.Span.Start]))); got != c.Offset {
			t.Errorf("%q: got %v at %d, want %d", c.KQL, e, got, c.Offset)
		}
		if e.Advice == "" {
			t.Errorf("%q: %v comes without advice", c.KQL, e)
		}
		t.Logf("%-24q %v\n\t%s", c.KQL, e, e.Advice)
	}
	t.Logf("%d cases", len(cases.Errors))
}

// TestCorpusRules reads the query of every published rule in KQL, and reads it again as it is
// printed.
func TestCorpusRules(t *testing.T) {
	counts := map[string]int{}
	for _, file := range corpus(t, "rules-other/*.toml") {
		var doc struct {
			Rule struct {
				Type, Language, Query string
				ThreatQuery           string `toml:"threat_query"`
			}
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := toml.Unmarshal(data, &doc); err != nil {
			t.Fatalf("read %s: %v", file, err)
		}
		if doc.Rule.Language != "kuery" {
			continue
		}
		counts[doc.Rule.Type]++
		for _, text := range []string{doc.Rule.Query, doc.Rule.ThreatQuery} {
			q, err := kql.Parse(text)
			if err != nil {
				t.Errorf("%s: %v", filepath.Base(file), err)
				continue
			}
			again(t, q)
		}
	}
	t.Logf("published rules: %v", counts)
	if counts["query"] == 0 {
		t.Error("no rule of type query")
	}
}

// again reads a query as it is printed, which must be the same one.
func again(t *testing.T, q *cond.Query) {
	t.Helper()
	text := kql.Print(q.Where)
	second, err := kql.Parse(text)
	if err != nil {
		t.Fatalf("%q printed as %q: %v", q.Text, text, err)
	}
	if diff := cmp.Diff(q.Where, second.Where, ignorePlaces()); diff != "" {
		t.Fatalf("%q printed as %q: first -, again +\n%s", q.Text, text, diff)
	}
	if printed := kql.Print(second.Where); printed != text {
		t.Fatalf("%q printed as %q, then as %q", q.Text, text, printed)
	}
}
