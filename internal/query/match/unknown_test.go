package match_test

import (
	"strings"
	"testing"

	"esrule/internal/event"
	"esrule/internal/query/match"
)

// TestUnknown holds which fields of a mapping keep a condition from being judged.
func TestUnknown(t *testing.T) {
	standard, other := &event.Words{Standard: true}, &event.Words{Analyzer: "folding"}
	m := &event.Mapping{Fields: map[string]event.FieldMapping{
		"k":       {Type: event.Keyword, Name: "keyword"},
		"t.std":   {Type: event.Text, Name: "text", Words: standard},
		"t.other": {Type: event.Text, Name: "text", Words: other},
		"t.far":   {Type: event.Text, Name: "text"}, // of a remote index
		"n.k": {Type: event.Keyword, Name: "keyword", FromFields: true,
			Normalizer: &event.Normalizer{Name: "own"}},
		"n.c": {Type: event.Keyword, Name: "constant_keyword", FromFields: true, Constant: "x"},
		"d":   {Type: event.Date, Name: "date", FromFields: true, ServerRead: true},
	}}
	check := func(query string, matcher *match.Matcher, want string) {
		t.Helper()
		var paths []string
		for _, one := range matcher.Unknown(m) {
			path, _, _ := strings.Cut(one, ":")
			paths = append(paths, path)
		}
		if got := strings.Join(paths, " "); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	f := func(query, want string) {
		t.Helper()
		matcher, _ := compileKuery(t, query)
		check(query, matcher, want)
	}
	f(`k: x or t.std: x or d: 2026 or n.k: x`, "")
	f(`not t.other: x`, "t.other")
	f(`t.other: *`, "")
	f(`t.other: x* and t.far > "x"`, "t.far t.other")
	f(`t*: x`, "t.far t.other")
	f(`n: { k: x and c: x }`, "n.k")
	f(`d*: 2026`, "d")
	const query = `any where t.other == "x"` // EQL reads the whole text
	matcher, _ := compile(t, query, match.Options{})
	check(query, matcher, "")
}
