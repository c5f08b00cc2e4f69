package lucene

import (
	"slices"
	"testing"
)

func TestNeeded(t *testing.T) {
	f := func(expression string, fold bool, want ...string) {
		t.Helper()
		got, ok := Needed(expression, fold)
		if !slices.Equal(got, want) || ok != (want != nil) {
			t.Errorf("%q, fold %v: got %q, %v, want %q", expression, fold, got, ok, want)
		}
	}
	f(`abc`, false, "abc")
	f(`ABC`, false, "abc")
	f(`aBc`, true, "abc")
	f(`.*\\Temp\\dat[0-9A-Z]{4}\.tmp`, true, `\temp\dat`)
	f(`ab?cd`, false, "cd")
	f(`ab*`, false, "a")
	f(`(ab)cd`, false, "abcd")
	f(`(ab)?c`, false, "c")
	f(`(a|b)cd|ef`, false, "cd", "ef")
	f(`ab|.`, false)
	f(`ab&cd`, false)
	f(`~(ab)`, false)
	f(`[ab]`, false)
	f(`[a]b`, false, "ab")
	f(`[aA]b`, false, "ab")
	f(`[aB]`, false)
	f(`"a.b"`, false, "a.b")
	f(`aé`, false, "a")
	f(`é`, true)
	f(`a<1-5>`, false, "a")
	f(`()`, true)
	f(``, false)
	f(`(`, false)
	f(`.*`, false)
	f(`\q`, false)
}
