package scan_test

import (
	"strings"
	"testing"
)

// TestOneEventIsJudgedAndAlerted: whatever a line holds beside its event, the signal is made of the
// event that matched.
func TestOneEventIsJudgedAndAlerted(t *testing.T) {
	rules := rulesOf(t, `any where name : "bad*"`)
	deep := `"deep":` + strings.Repeat(`[`, 400) + strings.Repeat(`]`, 400)
	f := func(why, text string, want ...string) {
		t.Helper()
		got := run(rules, input("f", text))
		if strings.Join(got.lines, "\n") != strings.Join(want, "\n") || got.err != nil {
			t.Errorf("%s: %.200q:\n got %q, %v\nwant %q", why, text, got.lines, got.err, want)
		}
	}
	for _, more := range []string{"", "," + deep} {
		bad, good := `{"name":"bad"`+more+`}`, `{"name":"good"`+more+`}`
		f("another letter case behind", `{"_source":`+bad+`,"_SOURCE":`+good+`}`, "rule-0 bad")
		f("another letter case before", `{"_Source":`+good+`,"_source":`+bad+`}`, "rule-0 bad")
		f("the other case alone is a bare event's", `{"_SOURCE":`+good+`,"name":"bad"}`,
			"rule-0 bad")
		f("twice", `{"_source":`+bad+`,"_source":`+good+`}`, "rule-0 bad")
		f("twice, the match behind", `{"_source":`+good+`,"_source":`+bad+`}`)
		f("first a text", `{"_source":"x","_source":`+good+`,"name":"bad"}`, "rule-0 bad")
		f("escaped", `{"\u005fsource":`+bad+`,"_SOURCE":`+good+`}`, "rule-0 bad")
		f("an index that is none", `{"_index":{"a":1},"_id":7,"_source":`+bad+`}`, "rule-0 bad")
	}
	f("a bare event with an _index and fields of its own",
		`{"_index":"i","name":"bad","event":{"category":"file"},"fields":{"name":"good"}}`+"\n"+
			`{"_index":"i","name":"bad2","event.category":"file","fields":{"name":"good"}}`,
		"rule-0 bad", "rule-0 bad2")
	f("a hit with a raw control character",
		"{\"name\":\"bad\",\"_source\":{\"name\":\"bad\",\"x\":\"\t\"}}\n{\"name\":\"bad2\"}",
		`bad f:1: not JSON: invalid character '\t' in string literal`, "rule-0 bad2")
	f("10,001 deep", `{"name":"bad","x":`+strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000)+
		"}\n"+`{"name":"bad2"}`,
		`bad f:1: not JSON: invalid character '[' exceeded max depth`, "rule-0 bad2")
}
