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
	f(`process.name regex "^cmd.*"`, `1:30: ^ and $ stand for themselves in a regular expression, so this fits hardly any value`)
	f(`process.name regex~ "cmd\\$"`)
	f(`file.extension : (".exe", "dll")`, `1:29: file.extension holds no leading dot, so no event has ".exe"`)
	f(`host.os.type == "Windows"`, `1:27: host.os.type is in lower case by the schema, so no event has "Windows"`)
	f(`host.os.type : "Windows"`)
	f(`process.nmae == "x"`, `1:11: process.nmae is not a field of the Elastic Common Schema`)
	f(`process.parent.nam == "x"`, `1:11: process.parent.nam is not a field of the Elastic Common Schema`)
	f(`process.Ext.token.integrity_level_name == "x" and winlog.event_data.TargetLogonId == "x"`)
}

// TestPublishedRulesAreNotDoubted keeps the lints from crying wolf: of Elastic's own rules, which were reviewed,
// hardly any may be doubted.
func TestPublishedRulesAreNotDoubted(t *testing.T) {
	set, err := rule.Load(filepath.Join(estest.Corpus(t), "rules"))
	if err != nil {
		t.Fatal(err)
	}
	doubted := 0
	for _, r := range set.Rules {
		found := lint.Query(r.Parsed)
		if len(found) > 0 {
			doubted++
			t.Logf("%s: %s", r.Name, strings.ReplaceAll(found.Error(), "\n", "; "))
		}
	}
	if limit := len(set.Rules) / 20; doubted > limit {
		t.Errorf("%d of %d published rules are doubted, want at most %d", doubted, len(set.Rules), limit)
	}
}
