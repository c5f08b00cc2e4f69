package scan_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"esrule/internal/query/kql"
	"esrule/internal/query/rule"
	"esrule/internal/scan"
)

// A scan finds what is new in all its files, in the order of time and not of the files.
func TestScanOfNewTerms(t *testing.T) {
	f := func(inputs []string, want int) {
		t.Helper()
		query, err := kql.Parse(`name : a`)
		if err != nil {
			t.Fatal(err)
		}
		rules := rulesOf(t, `any where name == "beside"`)
		if err := rules.Add(&rule.Rule{Head: rule.Head{ID: "new", Name: "New", Severity: "low",
			From: time.Minute}, Body: &rule.NewTermsQuery{EventQuery: rule.EventQuery{Query: query},
			Fields: []string{"host", "user"}, History: 10 * time.Minute}}); err != nil {
			t.Fatal(err)
		}
		var files []scan.Input
		for i, text := range inputs {
			files = append(files, input(fmt.Sprint("file-", i), text))
		}
		got := run(rules, files...)
		if got.err != nil || len(got.lines) != want || len(got.summary.NotJudged) > 0 {
			t.Errorf("%q: got %d signals, %+v, want %d\n%v", inputs, len(got.lines), got.summary,
				want, got.lines)
		}
	}
	event := func(at int, name, host, user string) string {
		return fmt.Sprintf(`{"@timestamp":"2026-01-01T00:%02d:00Z","name":%q,"host":%q,"user":%s}`+
			"\n", at, name, host, user)
	}
	f([]string{event(1, "a", "x", `"u"`) + event(2, "a", "x", `"u"`)}, 1)
	f([]string{event(2, "a", "x", `"u"`), event(1, "a", "x", `"u"`)}, 1)
	f([]string{event(1, "a", "x", `"u"`) + event(12, "a", "x", `"u"`)}, 2)
	f([]string{event(1, "a", "x", `"u"`) + event(9, "a", "x", `"u"`) + event(15, "a", "x", `"u"`)},
		1)
	f([]string{event(1, "b", "x", `"u"`) + event(2, "a", "x", `"u"`)}, 1)
	f([]string{event(1, "a", "x", `"u"`) + event(2, "a", "y", `"u"`)}, 2)
	f([]string{event(1, "a", "x", `["u","v","u"]`)}, 2)
	f([]string{event(1, "a", "x", `null`)}, 0)
	f([]string{event(1, "a", "x", `"u"`) + event(1, "a", "x", `"u"`)}, 1)
	f([]string{`{"_index":"i","_id":"1","_source":` +
		strings.TrimSpace(event(1, "a", "x", `"u"`)) + "}\n" + event(2, "a", "x", `"u"`)}, 1)
}
