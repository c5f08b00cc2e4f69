package scan_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"esrule/internal/query/eql"
	"esrule/internal/query/rule"
	"esrule/internal/scan"
)

// A scan finds the sequences of all its files, in the order of time and not of the files.
func TestScanOfSequences(t *testing.T) {
	f := func(query string, inputs []string, want int, notJudged string) {
		t.Helper()
		statement, err := eql.ParseStatement(query)
		if err != nil {
			t.Fatal(err)
		}
		rules := rulesOf(t, `any where name == "beside"`)
		if err := rules.Add(&rule.Rule{Head: rule.Head{ID: "sequence", Name: "Sequence",
			Severity: "low", From: time.Hour}, Body: &rule.SequenceQuery{Statement: statement,
			Source: query}}); err != nil {
			t.Fatal(err)
		}
		var files []scan.Input
		for i, text := range inputs {
			files = append(files, input(fmt.Sprint("file-", i), text))
		}
		got := run(rules, files...)
		count := strings.Count(strings.Join(got.lines, "\n"), "sequence ")
		if got.err != nil || count != want || got.summary.ByRule[1].Matched != want ||
			fmt.Sprint(got.summary.NotJudged) != "["+notJudged+"]" {
			t.Errorf("%s in %q: got %d signals, %+v, want %d\n%v", query, inputs, count,
				got.summary, want, got.lines)
		}
	}
	event := func(at int, name, host string) string {
		return fmt.Sprintf(`{"@timestamp":"2026-01-01T00:%02d:00Z","name":%q,"host":%q}`+"\n", at,
			name, host)
	}
	const ab = `sequence by host with maxspan=5m [any where name == "a"] [any where name == "b"]`
	f(ab, []string{event(1, "a", "x") + event(2, "b", "x")}, 3, "")
	f(ab, []string{event(2, "b", "x") + event(1, "a", "x")}, 3, "")
	f(ab, []string{event(2, "b", "x"), event(1, "a", "x")}, 3, "")
	f(ab, []string{event(1, "a", "x") + event(2, "b", "y")}, 0, "")
	f(ab, []string{event(1, "a", "x") + event(7, "b", "x")}, 0, "")
	f(ab, []string{event(1, "a", "x"), event(2, "b", "x"), event(2, "b", "x")}, 3, "")
	f(`sequence by host with maxspan=5m [any where name == "a"] ![any where name == "b"]`,
		[]string{event(1, "a", "x") + event(2, "b", "x") + event(1, "a", "y")}, 2, "")
	f(`sample by host [any where name == "a"] [any where name == "b"]`,
		[]string{event(2, "b", "x") + event(9, "a", "x")}, 3, "")
	f(ab, []string{`{"_index":"i","_id":"1","_source":` + strings.TrimSpace(event(1, "a", "x")) +
		"}\n" + event(2, "b", "x")}, 3, "")
}
