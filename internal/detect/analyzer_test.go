package detect_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/detect"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/query/kql"
	"esrule/internal/query/rule"
	"esrule/internal/span"
)

// An index whose text field has another analyzer than the standard one is asked about each event.
// It stays open by name where it cannot be asked what a rule compares: a phrase without positions,
// a field that is not indexed, one object of several.
func TestAnalyzers(t *testing.T) {
	c := estest.For(t)
	for name, body := range map[string]string{
		"plain": `"mappings":{"properties":{"m":{"type":"text"}}}`,
		"named": `"mappings":{"properties":{"m":{"type":"text","analyzer":"standard"}}}`,
		"other": `"mappings":{"properties":{"m":{"type":"text","analyzer":"whitespace"}}}`,
		"asked": `"mappings":{"properties":{"m":{"type":"text","search_analyzer":"simple"}}}`,
		"tuned": `"settings":{"analysis":{"analyzer":{"default":{"type":"standard",` +
			`"max_token_length":5}}}},"mappings":{"properties":{"m":{"type":"text"}}}`,
		"docs": `"mappings":{"properties":{"m":{"type":"text","analyzer":"simple",` +
			`"index_options":"docs"}}}`,
		"inner": `"mappings":{"properties":{"ne":{"type":"nested","properties":{"m":` +
			`{"type":"text","analyzer":"simple"}}}}}`,
		"bare": `"mappings":{"properties":{"bare":{"type":"text","analyzer":"simple",` +
			`"index":false}}}`,
		"exact": `"mappings":{"properties":{"m":{"type":"keyword"}}}`,
	} {
		c.Create(c.Index(name), "{"+body+"}")
	}
	cluster := search.NewCluster(c.Client, search.Options{})
	f := func(query string, want ...string) {
		t.Helper()
		q, err := kql.Parse(query)
		if err != nil {
			t.Fatal(err)
		}
		d, err := detect.New(&rule.Rule{Head: rule.Head{ID: "r", Name: query, Type: "query",
			Language: "kuery", Index: []string{c.Index("*")}}, Body: &rule.EventQuery{Query: q}},
			nil)
		if err != nil {
			t.Fatal(err)
		}
		classes, err := d.Classes(t.Context(), cluster, d.Patterns)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		_, uncovered := d.Query(classes, d.Timestamps(), span.New(now.Add(-time.Hour), now), nil)
		got := []string{}
		for _, u := range uncovered {
			got = append(got, u.Index)
		}
		slices.Sort(got)
		for i := range want {
			want[i] = c.Index(want[i])
		}
		if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
			t.Errorf("%s: the indices that are not judged: want -, got +\n%s", query, diff)
		}
	}
	f(`m: "foo bar"`, "docs")
	f(`m: foo`)
	f(`not m*: foo`)
	f(`ne: { m: foo }`, "inner")
	f(`ne.m: foo`)
	f(`bare: foo`, "bare")
	f(`m: *`)
	f(`k: foo`)
}
