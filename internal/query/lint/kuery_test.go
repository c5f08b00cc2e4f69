package lint_test

import (
	"path/filepath"
	"slices"
	"testing"

	"esrule/internal/estest"
	"esrule/internal/query/kql"
	"esrule/internal/query/lint"
	"esrule/internal/query/rule"
)

func TestKuery(t *testing.T) {
	f := func(query string, want ...string) {
		t.Helper()
		q, err := kql.Parse(query)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		var got []string
		for _, one := range lint.Query(q) {
			got = append(got, string(one.Code)+" "+one.Error())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", query, got, want)
		}
	}
	f(`process.name: (cmd* or "a b" or "*" or "\\\\*\\IPC$") and not my.*: x`)
	f(`process.name: ("cmd*" or a)`, `quoted-wildcard 1:16: a * in quotes is a star, not a wildcard`)

	f(`file.path: "C:\new\\temp"`, `control-character 1:1: \n is a line feed`)
	f(`file.path: (a or C\:\temp*)`, `control-character 1:18: \t is a tab`)
	f(`process.name: \not`, `control-character 1:1: \n is a line feed`)
	f(`file.path: "C:\\new\\temp"`)
	f(`file.path: "C:\\\\new"`,
		`doubled-backslash 1:12: the value has two backslashes in a row wherever it has one`)

	f("process.args: (a or *b*\n *c or d)",
		`line-break 1:21: the line break is a part of the value`)
	f("process.args: a\nb", `line-break 1:1: the line break is a part of the value`)
	f("process.args: \"a\nb\"")

	f(`process.name: a or`,
		`foreign-syntax 1:1: the word or at the end is a part of the value`)
	f(`process.name: (or or and or a\and)`)
	f(`process.name: 'a b'`, `foreign-syntax 1:1: the single quotes are a part of the value`)
	f(`process.name: /a.*b/`, `foreign-syntax 1:1: KQL has no regular expressions: this is a `+
		`value that begins and ends with /`)
	f(`process.args: /etc/`)
	f(`process.pid: [1 TO 5]`,
		`foreign-syntax 1:1: KQL has no ranges in brackets: this is a value`)
	f(`process.name: cmd?.e*`, `foreign-syntax 1:1: a ? is a question mark, not a wildcard`)
	f(`process.name: cmd? or url.path: /a/b?limit*`)

	f(`host.os.type: Windows`, `unknown-value 1:15: host.os.type is in lower case by the schema, `+
		`so no event has "Windows"`)
	f(`event.outcome: (Success or success)`)
	f(`proces.name: x or process.nmae: *`,
		`unknown-field 1:19: process.nmae is not a field of the Elastic Common Schema`)
}

// TestPublishedKuery finds slips in Elastic's own rules, and hardly anything else.
func TestPublishedKuery(t *testing.T) {
	set, err := rule.Load(filepath.Join(estest.Corpus(t), "rules-other"))
	if err != nil {
		t.Fatal(err)
	}
	found, doubted := map[string]int{}, 0
	for _, r := range set.Rules {
		doubts := lint.Query(r.Body.Queries()[0])
		if len(doubts) > 0 {
			doubted++
		}
		for _, one := range doubts {
			found[string(one.Code)]++
			t.Logf("%s: %s: %v", r.File, one.Code, one)
		}
	}
	t.Logf("%d rules, %d doubted: %v", len(set.Rules), doubted, found)
	for _, code := range []string{"quoted-wildcard", "control-character", "line-break"} {
		if found[code] == 0 && len(set.Rules) > 0 {
			t.Errorf("no rule has %s; want the published slip", code)
		}
	}
	if limit := len(set.Rules) / 20; doubted > limit {
		t.Errorf("%d of %d published rules are doubted, want at most %d", doubted, len(set.Rules),
			limit)
	}
}
