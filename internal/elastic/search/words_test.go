package search_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/estest"
	"esrule/internal/event"
)

// TestWords: what makes words of a text is said by the mapping, and by the settings of the index,
// which may define the default and the standard analyzer anew.
func TestWords(t *testing.T) {
	server := estest.For(t)
	f := func(name, analyzers, mapping string, want event.Words) {
		t.Helper()
		index := server.Index("words-" + name)
		server.Create(index, `{"settings": {"analysis": {"analyzer": `+analyzers+`}},
			"mappings": {"properties": {"t": `+mapping+`}}}`)
		want.Field = "t"
		if name == "unindexed" {
			want.Field = ""
		}
		got := mappingOf(t, server, index, "t").Fields["t"].Words
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("%s: %s with %s (-want +got):\n%s", name, mapping, analyzers, diff)
		}
	}
	const none, text = `{}`, `{"type": "text"}`
	standard := event.Words{Analyzer: "default", Standard: true}
	f("plain", none, text, standard)
	f("named", none, `{"type": "text", "analyzer": "standard"}`,
		event.Words{Analyzer: "standard", Standard: true})
	f("own", `{"mine": {"type": "standard"}}`, `{"type": "text", "analyzer": "mine"}`,
		event.Words{Analyzer: "mine", Standard: true})
	const short = `{"type": "standard", "max_token_length": 5}`
	f("short", `{"mine": `+short+`}`, `{"type": "text", "analyzer": "mine"}`,
		event.Words{Analyzer: "mine"})
	f("redefined", `{"standard": `+short+`}`, `{"type": "text", "analyzer": "standard"}`,
		event.Words{Analyzer: "standard"})
	f("default", `{"default": `+short+`}`, text, event.Words{Analyzer: "default"})
	f("searched", `{"default_search": `+short+`}`, text, event.Words{Analyzer: "default"})
	f("search", `{"mine": `+short+`}`, `{"type": "text", "search_analyzer": "mine", "analyzer":
		"standard"}`, event.Words{Analyzer: "standard"})
	f("quote", `{"mine": `+short+`}`, `{"type": "text", "analyzer": "standard",
		"search_analyzer": "standard", "search_quote_analyzer": "mine"}`,
		event.Words{Analyzer: "standard"})
	f("other", `{"mine2": `+short+`, "mine": {"type": "standard"}}`,
		`{"type": "text", "analyzer": "mine"}`, event.Words{Analyzer: "mine", Standard: true})
	f("gap", none, `{"type": "text", "position_increment_gap": 0}`,
		event.Words{Analyzer: "default"})
	f("docs", none, `{"type": "text", "index_options": "docs"}`,
		event.Words{Analyzer: "default", Standard: true, NoPhrases: true})
	f("offsets", none, `{"type": "text", "index_options": "offsets"}`, standard)
	f("unindexed", none, `{"type": "text", "index": false}`, standard)
	const only = `{"type": "match_only_text"}`
	if server.Has("match_only_text", json.RawMessage(`{"properties":{"t":`+only+`}}`)) {
		f("only", none, only, standard)
		f("only-default", `{"default": `+short+`}`, only, event.Words{Analyzer: "default"})
		f("only-searched", `{"default_search": `+short+`}`, only,
			event.Words{Analyzer: "default"})
	}
}
