package scan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/query/eql"
	"esrule/internal/query/kql"
	"esrule/internal/query/rule"
	"esrule/internal/scan"
)

// A scan counts the events of all its files, in the order of time and not of the files.
func TestScanOfThresholds(t *testing.T) {
	f := func(q rule.ThresholdQuery, inputs []string, want ...string) {
		t.Helper()
		query, err := kql.Parse("name: a")
		if err != nil {
			t.Fatal(err)
		}
		q.Query = query
		rules := rulesOf(t, `any where name == "b"`)
		if err := rules.Add(&rule.Rule{Head: rule.Head{ID: "threshold", Name: "Threshold",
			Type: "threshold", Severity: "low", From: 5 * time.Minute}, Body: &q}); err != nil {
			t.Fatal(err)
		}
		// What it holds of the same event is of no use to this one.
		statement, err := eql.ParseStatement(
			`sequence [any where name == "a"] [any where name == "c"]`)
		if err != nil {
			t.Fatal(err)
		}
		if err := rules.Add(&rule.Rule{Head: rule.Head{ID: "sequence", Name: "Sequence",
			From: time.Hour}, Body: &rule.SequenceQuery{Statement: statement}}); err != nil {
			t.Fatal(err)
		}
		var files []scan.Input
		for i, text := range inputs {
			files = append(files, input(fmt.Sprint("file-", i), text))
		}
		got := run(rules, files...)
		if got.err != nil || len(got.summary.NotJudged) > 0 ||
			got.summary.ByRule[1].Matched != len(want) {
			t.Errorf("%q: got %d signals, not judged %v, error %v, want %d", inputs,
				got.summary.ByRule[1].Matched, got.summary.NotJudged, got.err, len(want))
		}
		slices.Sort(got.results)
		if diff := cmp.Diff(want, got.results); diff != "" {
			t.Errorf("%q (-want +got):\n%s", inputs, diff)
		}
	}
	event := func(at int, name, host string) string {
		return fmt.Sprintf(`{"@timestamp":"2026-01-01T00:%02d:00Z","name":%q,"host":%s}`+"\n", at,
			name, host)
	}
	host := rule.ThresholdQuery{Fields: []string{"host"}, Value: 2}
	f(host, []string{event(2, "a", `"x"`) + event(1, "a", `"x"`) + event(1, "c", `"x"`)},
		`{"terms":[{"field":"host","value":"x"}],"count":2,"from":"2026-01-01T00:01:00.000Z"}`)
	f(host, []string{event(2, "a", `"x"`), event(9, "a", `"x"`), event(4, "a", `["x",5]`),
		event(5, "a", "5")},
		`{"terms":[{"field":"host","value":"5"}],"count":2,"from":"2026-01-01T00:04:00.000Z"}`,
		`{"terms":[{"field":"host","value":"x"}],"count":2,"from":"2026-01-01T00:02:00.000Z"}`)
	f(host, []string{event(2, "a", `"x"`) + event(7, "a", `"x"`) + event(3, "a", "null")})
	f(rule.ThresholdQuery{Value: 3}, []string{strings.Repeat(event(2, "a", `"x"`), 3)},
		`{"terms":[],"count":3,"from":"2026-01-01T00:02:00.000Z"}`)
	f(rule.ThresholdQuery{Value: 1, Cardinality: []rule.Cardinality{{Field: "host", Value: 2}}},
		[]string{event(2, "a", `"x"`) + event(3, "a", `"x"`) + event(4, "a", `"y"`)},
		`{"terms":[],"cardinality":[{"field":"host","value":2}],"count":3,`+
			`"from":"2026-01-01T00:02:00.000Z"}`)
}
