package lint_test

import (
	"path/filepath"
	"slices"
	"testing"

	"esrule/internal/estest"
	"esrule/internal/query/cond"
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

func TestKueryTypes(t *testing.T) {
	fields := lint.Fields{"pid": mapped("long"), "ip": mapped("ip"), "on": mapped("", "boolean"),
		"when": mapped("date"), "name": mapped("keyword"), "wild": mapped("wildcard"),
		"text": mapped("text"), "either": mapped("keyword", "long"), "thing": mapped("object"),
		"set": constant("win.log")}
	f := func(query string, want ...string) {
		t.Helper()
		q, err := kql.Parse(query)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		var got []string
		never, texts := lint.Types(q, fields)
		for _, one := range append(never, texts...) {
			got = append(got, string(one.Code)+" "+one.Error())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", query, got, want)
		}
	}
	f(`pid: (1 or "22.0") and ip: 10.0.0.0/8 and on: true and when: 2024 and name: 5 and pid < 5`)
	f(`pid: abc`, `value-never-fits 1:1: no event satisfies this: pid is of type long there, and `+
		`"abc" is no number`)
	f(`not ip > host`, `value-never-fits 1:5: no event satisfies this: ip is of type ip there, `+
		`and "host" is no address`)
	f(`on: 1`, `value-never-fits 1:1: no event satisfies this: on is of type boolean there, and `+
		`"1" is neither true nor false`)
	f(`ip: 10.* or pid: 1* or on: t* or when: 2024* or name: 1* or either: 1*`,
		`value-never-fits 1:1: no event satisfies this: ip is of type ip there, which takes no pattern`,
		`value-never-fits 1:13: no event satisfies this: pid is of type long there, which takes no pattern`,
		`value-never-fits 1:24: no event satisfies this: on is of type boolean there, which takes no pattern`,
		`value-never-fits 1:34: no event satisfies this: when is of type date there, which takes no pattern`)
	f(`p*: 1* and p*: abc`)
	f(`thing: x`, `object-compared 1:1: no event satisfies this: thing is an object there, which `+
		`has no value of its own`)
	f(`thing: *`, `object-compared 1:1: no event satisfies this: thing is an object there, which `+
		`has no value of its own`)
	f(`set: lin.log`, `other-constant 1:1: no event satisfies this: set is "win.log" in every `+
		`event there`)
	f(`set: win* and set: *`)

	f(`text: (op or "op node" or op*)`)
	f(`text: op-node`,
		`split-words 1:1: text is a text there, so any word of the value suffices`)
	f(`text: ("x.pst" or ".pst")`, `joined-word 1:19: text is a text there, where ".pst" is not `+
		`found within a word such as x.pst`)
	f(`text: a b*`, `split-pattern 1:1: text is a text there: the pattern is split at its blanks, `+
		`and one part suffices`)
	f(`wild: a b*`, `split-pattern 1:1: wild is of type wildcard there: Kibana splits the pattern `+
		`at its blanks, esrule does not`)
	f(`name: a b* and other: a b*`)
}

// TestFilters looks at the filters of a rule, which are not in its query.
func TestFilters(t *testing.T) {
	f := func(pattern, want string) {
		t.Helper()
		q, err := kql.Parse("a: b")
		if err != nil {
			t.Fatal(err)
		}
		glob := &cond.Glob{Field: &cond.Field{Path: "file.path"}, Pattern: pattern}
		q.Filters = []cond.Expr{&cond.Not{Operand: glob}}
		if got := lint.Query(q).Errors().Error(); got != want {
			t.Errorf("%s: got %q, want %q", pattern, got, want)
		}
	}
	f(`C:\\Program Files\\*\*`, "")
	f(`C:\Program Files\*`, `1:1: in the filter over file.path, \P is the letter alone, without a `+
		`backslash`)
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
	for _, code := range []string{"quoted-wildcard", "control-character", "line-break",
		"escaped-letter"} {
		if found[code] == 0 && len(set.Rules) > 0 {
			t.Errorf("no rule has %s; want the published slip", code)
		}
	}
	if limit := len(set.Rules) / 20; doubted > limit {
		t.Errorf("%d of %d published rules are doubted, want at most %d", doubted, len(set.Rules),
			limit)
	}
}
