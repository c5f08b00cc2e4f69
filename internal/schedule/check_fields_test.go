package schedule_test

import (
	"slices"
	"strings"
	"testing"

	"esrule/internal/detect"
	"esrule/internal/elastic/search"
)

// checked checks the world's rule with another query, over its one pattern.
func (w *world) checked(query string) detect.PatternCheck {
	w.t.Helper()
	w.asks(query)
	detection, err := detect.New(w.rule, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	got, err := detection.Check(w.t.Context(),
		search.NewCluster(w.Client, search.Options{Tries: 1}), w.clock, w.late)
	if err != nil || len(got.Patterns) != 1 {
		w.t.Fatalf("got %+v, %v", got, err)
	}
	return got.Patterns[0]
}

// The matcher reads event.kind to know signals; the rule does not, and check is about the rule.
func TestCheckNamesTheRulesFieldsOnly(t *testing.T) {
	w := newWorld(t)
	w.index("a")
	f := func(query string, want ...string) {
		t.Helper()
		check := w.checked(query)
		var got []string
		for _, field := range check.Fields {
			got = append(got, field.Path+" "+field.Mapping)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
		for _, text := range append(check.Problems, check.Notes...) {
			if strings.Contains(text, "event.kind") && !strings.Contains(query, "event.kind") {
				t.Errorf("%s: got %s", query, text)
			}
		}
	}
	f(`process where process.name == "x" or process.nothing == "y"`, "event.category keyword",
		"process.name keyword", "process.nothing unmapped")
	f(`any where process.name == "x" and event.kind == "event"`, "event.kind unmapped",
		"process.name keyword")
}

func TestCheckCountsDocumentsWithoutTimestamp(t *testing.T) {
	w := newWorld(t)
	index := w.index("a")
	w.event(index, 3, "bad.exe", 1)
	w.Bulk(index, `{"process":{"name":"bad.exe"}}`, `{"event":{"ingested":"2026-01-01T00:00:00Z"}}`)
	f := func(override string, noFallback bool, want int64, note string) {
		t.Helper()
		w.rule.TimestampOverride, w.rule.TimestampOverrideFallbackDisabled = override, noFallback
		check := w.checked(`process where process.name == "bad.exe"`)
		if named := strings.Contains(strings.Join(check.Notes, "\n"),
			note); check.Timeless != want || !named {
			t.Errorf("by %q, without fallback %v: got %d and the notes %q, want %d and %q",
				override, noFallback, check.Timeless, check.Notes, want, note)
		}
	}
	f("", false, 2, "2 documents, of all that there are, have no @timestamp: they are in no "+
		"window and are never searched")
	f("event.ingested", false, 1, "have no @timestamp and no event.ingested")
	f("event.ingested", true, 2, "have no event.ingested")
}

func TestCheckKnowsTheFieldOfAMultiField(t *testing.T) {
	w := newWorld(t)
	w.index("a")
	f := func(query, want string) {
		t.Helper()
		check := w.checked(query)
		if all := strings.Join(append(check.Problems, check.Notes...), "\n"); !strings.Contains(all,
			want) {
			t.Errorf("%s: got %s\nwant %q in it", query, all, want)
		}
	}
	f(`process where process.name.keyword == "x"`,
		"process.name.keyword (process.name itself is of type keyword: write that)")
	f(`process where process.name == "x" or process.name.caseless == "x"`,
		"process.name.caseless (process.name itself is of type keyword: write that)")
	// a number is no keyword
	f(`process where process.pid.keyword == "x"`, "not mapped: process.pid.keyword")
}
