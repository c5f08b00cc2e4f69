package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/detect"
	"esrule/internal/finding"
)

// exportOf is rules of a Kibana export, by id: the pattern and the query of each.
func exportOf(rules ...[3]string) string {
	var lines []string
	for _, r := range rules {
		lines = append(lines,
			fmt.Sprintf(`{"rule_id":%q,"name":"Rule %s","type":"eql","language":"eql",`+
				`"severity":"low","risk_score":1,"index":[%q],"query":%q,"enabled":true,"tags":["%s"]}`,
				r[0], r[0], r[1], r[2], r[0]))
	}
	return strings.Join(append(lines, fmt.Sprintf(`{"exported_rules_count":%d}`, len(rules))), "\n")
}

// TestCheckTable holds the table at the end of check: how many rules can fire, by pattern, and why
// the others cannot.
func TestCheckTable(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.Create(s.name("one-1"), `{"mappings":{"properties":{"@timestamp":{"type":"date"},`+
		`"process":{"properties":{"name":{"type":"keyword"}}}}}}`)
	one, none := s.name("one-*"), s.name("none-*")
	rules := writeFile(t, "export.ndjson", exportOf(
		[3]string{"fires", one, `any where process.name : "a"`},
		[3]string{"fires-too", one, `any where process.name : "b*"`},
		[3]string{"unmapped", one, `any where file.name : "a"`},
		[3]string{"nowhere", none, `any where process.name : "a"`}))
	r := s.run("check", "--rules", rules, "--format", "json").want(t, 3)
	var got struct {
		Sources   []detect.Source `json:"sources"`
		EveryRule detect.Source   `json:"every_rule"`
	}
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil {
		t.Fatal(err)
	}
	want := []detect.Source{
		{Pattern: one, Rules: 3, CanFire: 2, Cannot: 1,
			Why: map[finding.Code]int{finding.NeverFires: 1}},
		{Pattern: none, Rules: 1, Cannot: 1, Why: map[finding.Code]int{finding.NoIndexYet: 1}},
	}
	if diff := cmp.Diff(want, got.Sources); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	every := detect.Source{Rules: 4, CanFire: 2, Cannot: 2,
		Why: map[finding.Code]int{finding.NeverFires: 1, finding.NoIndex: 1}}
	if diff := cmp.Diff(every, got.EveryRule); diff != "" {
		t.Errorf("every rule (-want +got):\n%s", diff)
	}
	s.run("check", "--rules", rules).want(t, 3).says(t, "What can fire on this cluster",
		"every rule, over all its patterns", one+": 1 cannot: no event of the index can satisfy")
	s.run("check", "--rules", rules, "--tag", "fires", "--tag", "fires-too").want(t, 0).says(t,
		"2 rules are left out by choice")
}

// TestRunExport runs rules of a Kibana export: those that are chosen, and no other.
func TestRunExport(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.put("one-1", "e", match(time.Minute))
	rules := writeFile(t, "export.ndjson", exportOf(
		[3]string{"left", s.name("one-*"), `any where true`},
		[3]string{"taken", s.name("one-*"), `any where true`}))
	s.run("setup").want(t, 0)
	s.run("run", "--once", "--rules", rules, "--exclude-rule", "left").want(t, 0)
	by := s.signalRules()
	if !slices.Equal(by, []string{"taken"}) {
		t.Errorf("got signals of %q, want one of taken", by)
	}
}
