package schedule_test

import (
	"slices"
	"strings"
	"testing"

	"esrule/internal/detect"
	"esrule/internal/elastic/search"
	"esrule/internal/finding"
	"esrule/internal/query/rule"
)

func TestCheckNamesAnIndexThatDoesNotAnswer(t *testing.T) {
	w := newWorld(t)
	w.event(w.index("well"), 3, "bad.exe", 1)
	sick := w.Index("events-sick")
	w.Do("PUT", sick+"?wait_for_active_shards=0",
		`{"settings":{"number_of_replicas":0,"index.routing.allocation.require._name":"nowhere"},"mappings":`+processMapping+`}`)
	got := w.check(w.rule)
	if len(got.Patterns) != 1 {
		t.Fatalf("got %+v", got)
	}
	if p := got.Patterns[0]; p.Events != 1 || len(p.Problems) != 1 ||
		!strings.Contains(p.Problems[0], sick) {
		t.Errorf("got %d events and the problems %q, want 1 and one about %s", p.Events, p.Problems,
			sick)
	}
}

// check returns what check says of a rule on the world's cluster.
func (w *world) check(r *rule.Rule) detect.RuleCheck {
	w.t.Helper()
	d := w.detection(r)
	check, err := d.Check(w.t.Context(), search.NewCluster(w.Client, search.Options{Tries: 1}),
		w.clock, w.late)
	if err != nil {
		w.t.Fatal(err)
	}
	return check
}

// about leaves out the findings with other codes.
func about(found []finding.Finding, codes ...finding.Code) []finding.Finding {
	return slices.DeleteFunc(slices.Clone(found), func(f finding.Finding) bool {
		return !slices.Contains(codes, f.Code)
	})
}

// codesOf returns the findings' codes, textsOf the codes with the texts.
func codesOf(found []finding.Finding) (codes []finding.Code) {
	for _, f := range found {
		codes = append(codes, f.Code)
	}
	return codes
}

func textsOf(found []finding.Finding) (texts []string) {
	for _, f := range found {
		texts = append(texts, string(f.Code)+" "+f.Text)
	}
	return texts
}
