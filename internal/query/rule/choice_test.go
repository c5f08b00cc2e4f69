package rule_test

import (
	"strings"
	"testing"

	"esrule/internal/query/rule"
)

func TestChoose(t *testing.T) {
	made := func(id, name, severity, tags, more string) string {
		return `{"rule_id":"` + id + `","name":"` + name + `","severity":"` + severity +
			`","tags":[` +
			tags + `],"type":"eql","language":"eql","risk_score":1,"index":["x"],` +
			`"query":"any where true"` + more + "}\n"
	}
	set, err := loadFiles(map[string]string{"x.ndjson": made("a", "Alpha", "low", `"OS: Linux"`,
		"") +
		made("b", "Beta", "high", `"OS: Windows","Tactic: Execution"`, "") +
		made("c", "Gamma", "high", `"OS: Linux","Tactic: Execution"`, "") +
		made("d", "Delta", "high", `"OS: macOS"`, `,"enabled":false`)})
	if err != nil {
		t.Fatal(err)
	}
	f := func(c rule.Choice, want string) {
		t.Helper()
		few, err := set.Choose(c)
		if err != nil {
			if got := err.Error(); got != want {
				t.Errorf("%+v: got the error %s, want %s", c, got, want)
			}
			return
		}
		got := strings.Join(ids(few), " ")
		for _, s := range few.Skipped {
			got += " skipped " + string(s.ID)
		}
		if got = strings.TrimSpace(got); got != want {
			t.Errorf("%+v: got %q, want %q", c, got, want)
		}
		if n := 4 - len(few.Rules) - len(few.Skipped); few.NotChosen != n {
			t.Errorf("%+v: got %d not chosen, want %d", c, few.NotChosen, n)
		}
	}
	f(rule.Choice{}, "a b c skipped d")
	f(rule.Choice{Tags: []string{"os: linux"}}, "a c")
	f(rule.Choice{Tags: []string{"OS: Windows", "OS: macOS"}}, "b skipped d")
	f(rule.Choice{Tags: []string{"OS: Linux"}, Severities: []string{"HIGH"}}, "c")
	f(rule.Choice{Severities: []string{"low", "high"}, Excluded: []string{"b", "delta"}}, "a c")
	f(rule.Choice{IDs: []string{"c", "a"}}, "a c")
	f(rule.Choice{IDs: []string{"d"}}, "skipped d")
	f(rule.Choice{Tags: []string{"OS: Linux"}, Excluded: []string{"b"}}, "a c")
	f(rule.Choice{Tags: []string{"OS: Widnows"}},
		`--tag "OS: Widnows" (ESRULE_TAG) fits no rule; the nearest is "OS: Windows"`)
	f(rule.Choice{Tags: []string{"OS: Linux", "OS: Linus"}, Excluded: []string{"Gama"}},
		`--tag "OS: Linus" (ESRULE_TAG) fits no rule; the nearest is "OS: Linux"
--exclude-rule "Gama" (ESRULE_EXCLUDE_RULE) fits no rule; the nearest is "Gamma"`)
	f(rule.Choice{Severities: []string{"critical"}},
		`--severity "critical" (ESRULE_SEVERITY) fits no rule; there are ["high" "low"]`)
	f(rule.Choice{Tags: []string{"OS: Windows"}, Severities: []string{"low"}},
		"no rule is left: each of 4 is left out by --tag, --severity, --rule-id and "+
			"--exclude-rule together")
	f(rule.Choice{Severities: []string{"low", "high"}, Excluded: []string{"a", "b", "c", "d"}},
		"no rule is left: each of 4 is left out by --tag, --severity, --rule-id and "+
			"--exclude-rule together")
}
