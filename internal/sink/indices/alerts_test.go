package indices_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/estest"
	"esrule/internal/query/cond"
	"esrule/internal/query/rule"
	"esrule/internal/sink/indices"
)

// alertField is a field of an alert in the text of a query.
var alertField = regexp.MustCompile(`\b(kibana\.alert|signal)\.[a-z_.]+[a-z_]`)

// The signals index maps every field that the published rules over alerts read there: those that
// run, and of those in ES|QL what they read of alerts.
func TestFieldsOfAlertRules(t *testing.T) {
	corpus := estest.Corpus(t)
	read, rules := map[string]bool{}, 0
	for _, folder := range []string{"rules", "rules-other"} {
		set, err := rule.Load(filepath.Join(corpus, folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range set.Rules {
			if slices.ContainsFunc(r.Index, rule.NamesAlerts) {
				rules++
				for _, field := range fieldsOf(r) {
					read[field] = true
				}
			}
		}
		for _, skipped := range set.Skipped {
			text, err := os.ReadFile(skipped.File)
			if err != nil {
				t.Fatal(err)
			}
			_, query, _ := strings.Cut(string(text), "\nquery = ")
			if strings.Contains(query, ".alerts-security") {
				for _, field := range alertField.FindAllString(query, -1) {
					read[field] = true
				}
			}
		}
	}
	c := estest.For(t)
	names := indices.Names{Signals: c.Index("signals"), State: c.Index("state"),
		DeadLetter: c.Index("dead")}
	if _, err := names.Ensure(t.Context(), c.Client, nil); err != nil {
		t.Fatal(err)
	}
	var known struct{ Fields map[string]any }
	if err := json.Unmarshal(c.Do(http.MethodGet, names.Signals+"/_field_caps?fields=*", nil),
		&known); err != nil {
		t.Fatal(err)
	}
	var missing []string
	for field := range read {
		if known.Fields[field] == nil {
			missing = append(missing, field)
		}
	}
	slices.Sort(missing)
	// of the other events of a sequence
	if diff := cmp.Diff([]string{"okta.event_type"}, missing); diff != "" || rules != 5 {
		t.Errorf("%d rules read %d fields; those that are not mapped (-want +got):\n%s", rules,
			len(read), diff)
	}
}

// fieldsOf are the fields that a rule reads.
func fieldsOf(r *rule.Rule) (all []string) {
	for _, q := range r.Body.Queries() {
		for _, f := range cond.Fields(q.Where) {
			all = append(all, f.Path)
		}
	}
	switch body := r.Body.(type) {
	case *rule.ThresholdQuery:
		all = append(all, body.Fields...)
		for _, c := range body.Cardinality {
			all = append(all, c.Field)
		}
	case *rule.NewTermsQuery:
		all = append(all, body.Fields...)
	}
	return all
}
