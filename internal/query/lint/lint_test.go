package lint_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"esrule/internal/estest"
	"esrule/internal/query/eql"
	"esrule/internal/query/lint"
	"esrule/internal/query/rule"
)

func TestQuery(t *testing.T) {
	f := func(condition string, want ...string) {
		t.Helper()
		q, err := eql.Parse("any where " + condition)
		if err != nil {
			t.Fatalf("%s: %v", condition, err)
		}
		var got []string
		for _, one := range lint.Query(q) {
			got = append(got, one.Error())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", condition, got, want)
		}
	}
	f(`process.name : "cmd*" and host.os.type == "windows"`)
	f(`process.name == "cmd*"`, `1:27: == takes * and ? as they are, not as wildcards`)
	f(`"cmd?" != process.name`, `1:11: != takes * and ? as they are, not as wildcards`)
	f(`process.name in ("a", "b*")`, `1:33: in takes * and ? as they are, not as wildcards`)
	f(`process.name in~ ("b*")`, `1:29: in~ takes * and ? as they are, not as wildcards`)
	f(`url.full == "https://x/?q=1"`)
	f(`process.name regex "^cmd.*"`,
		`1:30: ^ and $ stand for themselves in a regular expression, so this fits hardly any value`)
	f(`process.name regex~ "cmd\\$"`)

	// What other regular expressions know and Lucene's do not.
	f(`process.name regex "(^a|b)c"`,
		`1:30: ^ and $ stand for themselves in a regular expression, so this fits hardly any value`)
	f(`process.name regex ("a", "(b$|c)")`,
		`1:36: ^ and $ stand for themselves in a regular expression, so this fits hardly any value`)
	f(`process.name regex "a[^b$]\\^\\$c"`)
	f(`process.name regex "(?i)cmd"`, `1:30: (?i) is no flag here: it stands for the text ?i`)
	f(`process.name regex "(?i:cmd)"`, `1:30: (?i) is no flag here: it stands for the text ?i`)
	f(`process.name regex "^(?i)(?:cmd)$"`, `1:30: (?i) is no flag here: it stands for the text ?i`,
		`1:30: there are no groups of kinds here: (? stands for text`,
		`1:30: ^ and $ stand for themselves in a regular expression, so this fits hardly any value`)
	f(`process.name regex "(?!cmd).*"`,
		`1:30: there is no look-around here: (?= and the like stand for text`)
	f(`process.name regex "a(?<=b)"`,
		`1:30: there is no look-around here: (?= and the like stand for text`)
	f(`process.name regex "(?P<n>a)"`,
		`1:30: there are no named groups here: (?<name> stands for text`)
	f(`process.name regex "(?<n>a)"`,
		`1:30: there are no named groups here: (?<name> stands for text`)
	f(`process.name regex "(?:a|b)c"`,
		`1:30: there are no groups of kinds here: (? stands for text`)
	f(`process.name regex "a.*?b"`,
		`1:30: there are no lazy quantifiers here: the ? makes what is before it optional`)
	f(`process.name regex "a{2,}?b"`,
		`1:30: there are no lazy quantifiers here: the ? makes what is before it optional`)
	f(`process.name regex "[[:alpha:]]+"`,
		`1:30: there are no POSIX classes here: [:alpha:] stands for its letters`)
	f(`process.name regex "a?(b|c)*[d?]?"`)

	// Backslashes.
	f(`process.name regex """\\d+\\.exe"""`,
		`1:30: \\ stands for a backslash in the value here, so what follows it is not escaped`)
	f(`process.name regex """C:\\Windows\\.*"""`)
	f(`process.name regex """a\d+\.exe"""`)
	f(`process.name : """C:\\Windows\\*"""`,
		`1:26: the value has two backslashes in a row wherever it has one`)
	f(`process.name == "C:\\\\a"`,
		`1:27: the value has two backslashes in a row wherever it has one`)
	f(`startsWith(process.name, "C:\\\\a")`,
		`1:36: the value has two backslashes in a row wherever it has one`)
	f(`process.name : ("\\\\host\\share\\*", "*\\\\*", "C:\\a", "* \\\\host*")`)

	// Names of multi-fields, names and dates that are subtractions, wildcards of SQL.
	f(`process.name.keyword == "x"`,
		`1:11: process.name itself holds whole values in the Elastic Common Schema, which has no process.name.keyword`)
	f(`process.name.text : "x"`)
	f(`user.name.raw : "x" and my.own.keyword : "y"`,
		`1:11: user.name itself holds whole values in the Elastic Common Schema, which has no user.name.raw`)
	f(`my-own.field == 5`, `1:11: my-own.field is read as a subtraction`)
	f(`my - own.field == 5`)
	f(`@timestamp > 2026-01-01`, `1:24: 2026-01-01 is read as a subtraction`)
	f(`process.name like "cmd%"`, `1:29: % is no wildcard, so this is compared as it is`)
	f(`process.name like ("%temp%", "cmd*%")`)

	// Null, and constants compared with each other.
	f(`process.name : null`, `1:26: null fits no pattern, so this is never true`)
	f(`process.name like ("a", null)`, `1:35: null fits no pattern, so this is never true`)
	f(`process.name in ("a", null)`, `1:11: a list passes over null, which so makes no difference`)
	f(`process.name not in ("a", null)`,
		`1:11: a list passes over null, which so makes no difference`)
	f(`startsWith(process.name, null)`,
		`1:11: startsWith of null has no value, so this is never true`)
	f(`substring(process.name, 1, null) == "x"`)
	f(`process.name == "x" or null`, `1:34: null is neither true nor false, so this is never true`)
	f(`"process.name" == "x"`,
		`1:11: constants are compared with each other, so this is the same for every event`)
	f(`"process.name" : "x*"`,
		`1:11: constants are compared with each other, so this is the same for every event`)
	f(`"a" in ("a", "b")`, `1:11: constants are compared with each other, so this is the same for every event`)
	f(`file.extension : (".exe", "dll")`,
		`1:29: file.extension holds no leading dot, so no event has ".exe"`)
	f(`host.os.type == "Windows"`,
		`1:27: host.os.type is in lower case by the schema, so no event has "Windows"`)
	f(`host.os.type : "Windows"`)
	f(`process.nmae == "x"`, `1:11: process.nmae is not a field of the Elastic Common Schema`)
	f(`process.parent.nam == "x"`,
		`1:11: process.parent.nam is not a field of the Elastic Common Schema`)
	f(`length(process.name) < 0`, `1:11: length is never below 0, so this is never true`)
	f(`-1 == indexOf(process.name, "x")`, `1:11: indexOf is never below 0, so this is never true`)
	f(`length(process.name) <= 0`)
	f(`process.pid > null`, `1:11: nothing is less or greater than null, so this is never true`)
	f(`process.pid == null`)
	f(`process.name in (null)`, `1:11: a list passes over null, so this is never true`)
	f(`process.name not in (null)`, `1:11: a list passes over null, so this is always true`)
	f(`event.type == "strat"`, `1:25: event.type has no value "strat" by the schema`)
	f(`event.type in ("start", "process_started")`)
	f(`host.os.type : "window"`, `1:26: host.os.type has no value "window" by the schema`)
	f(`process.Ext.token.integrity_level_name == "x" and winlog.event_data.TargetLogonId == "x"`)
}

func TestCategory(t *testing.T) {
	f := func(query string, want ...string) {
		t.Helper()
		q, err := eql.Parse(query)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		var got []string
		for _, one := range lint.Query(q) {
			got = append(got, one.Error())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", query, got, want)
		}
	}
	f(`process where true`)
	f(`my_own where true`)
	f(`proces where true`, `1:1: event.category has no value "proces" by the schema`)
	f(`Process where true`, `1:1: event.category is in lower case by the schema, so no event has "Process"`)
}

// TestPublishedRulesAreNotDoubted keeps the lints from crying wolf: of Elastic's own rules, which
// were reviewed, hardly any may be doubted.
func TestPublishedRulesAreNotDoubted(t *testing.T) {
	set, err := rule.Load(filepath.Join(estest.Corpus(t), "rules"))
	if err != nil {
		t.Fatal(err)
	}
	doubted := 0
	for _, r := range set.Rules {
		found := lint.Query(r.Body.Queries()[0])
		if len(found) > 0 {
			doubted++
			t.Logf("%s: %s", r.Name, strings.ReplaceAll(found.Errors().Error(), "\n", "; "))
		}
	}
	if limit := len(set.Rules) / 20; doubted > limit {
		t.Errorf("%d of %d published rules are doubted, want at most %d", doubted, len(set.Rules),
			limit)
	}
}
