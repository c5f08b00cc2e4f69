package lucene_test

import (
	"strings"
	"testing"

	"esrule/internal/query/match/lucene"
)

func TestMatch(t *testing.T) {
	f := func(expression, text string, want bool) {
		t.Helper()
		r, err := lucene.Compile(expression, false)
		if err != nil {
			t.Errorf("%q: %v", expression, err)
			return
		}
		if got := r.Match([]byte(text)); got != want {
			t.Errorf("%q against %q: got %v, want %v", expression, text, got, want)
		}
	}
	// The whole text has to fit.
	f(`foo`, "foo", true)
	f(`foo`, "xfoo", false)
	f(`foo`, "foox", false)
	f(``, "", true)
	f(``, "a", false)
	f(`^foo`, "foo", false)
	f(`^foo$`, "^foo$", true)
	// A dot is any character, of whatever size, line ends included.
	f(`a.c`, "a\nc", true)
	f(`a.c`, "aéc", true)
	f(`a.c`, "a😀c", true)
	f(`a.c`, "ac", false)
	f(`.*b.*`, "\nb\n", true)
	// Repetitions. A lazy one is an optional group.
	f(`a?b*c+`, "bbc", true)
	f(`a?b*c+`, "aab", false)
	f(`.*?net1.*?`, "c:\\net1.exe", true)
	f(`a{2}`, "aa", true)
	f(`a{2}`, "aaa", false)
	f(`a{2,}`, "aaaa", true)
	f(`a{2,3}`, "aaaa", false)
	f(`a{0}`, "", true)
	f(`(ab){2,3}c`, "ababc", true)
	f(`(a?){3}`, "aa", true)
	// Alternatives and groups.
	f(`ab|cd`, "cd", true)
	f(`a(b|c)d`, "acd", true)
	f(`()a`, "a", true)
	f(`(|zz)`, "|zz", true)
	f(`(|zz)`, "", false)
	f(`*a`, "*a", true)
	f(`a]}`, "a]}", true)
	// Classes.
	f(`[a-c]+`, "abc", true)
	f(`[^a-c]+`, "xyz", true)
	f(`[^a-c]+`, "xbz", false)
	f(`[^a]`, "\n", true)
	f(`[]a]`, "]", true)
	f(`[.*"]+`, `."*`, true)
	f(`[\d_]+`, "1_2", true)
	f(`[a\-c]`, "-", true)
	f(`[a\-c]`, "b", false)
	f(`[^\s]`, "x", true)
	f(`[ʰ-˿]`, "ʼ", true)
	f(`\d\D\w\W\s\S`, "1a_- x", true)
	f(`\s`, "\v", false)
	f(`\.`, ".", true)
	f(`\.`, "x", false)
	f(`C:\\x`, `C:\x`, true)
	// What only Lucene has.
	f(`"a.b*"c`, "a.b*c", true)
	f(`"a.b"`, "axb", false)
	f(`a@b`, "axyzb", true)
	f(`a@b`, "ab", true)
	f(`#`, "", false)
	f(`#|a`, "a", true)
	f(`#?`, "", true)
	f(`#*`, "", false) // so in Lucene
	f(`a&a`, "a", true)
	f(`.*a.*&.*b.*`, "xbya", true)
	f(`.*a.*&.*b.*`, "xay", false)
	f(`~abc`, "bc", true)
	f(`~abc`, "abc", false)
	f(`~(abc)`, "abc", false)
	f(`~(abc)`, "abcd", true)
	f(`~(abc)`, "", true)
	f(`a~(.*b.*)c`, "axxc", true)
	f(`a~(.*b.*)c`, "axbxc", false)
	f(`~~a`, "a", true)
	f(`<1-100>`, "1", true)
	f(`<1-100>`, "100", true)
	f(`<1-100>`, "007", true)
	f(`<1-100>`, "101", false)
	f(`<1-100>`, "0", false)
	f(`<01-20>`, "07", true)
	f(`<01-20>`, "7", false)
	f(`<01-20>`, "21", false)
	f(`<20-1>`, "7", true)
	f(`<0-5>`, "0", true)
	f(`a<97-103>`, "a100", true)
	f(`a<97-103>`, "a104", false)
	// Where the automaton would be too large.
	f(`.*a.{12}`, "xxa123456789012", true)
	f(`.*a.{12}`, "xxa1234567890123", false)
	f(`(.*a.{200}|x.*)é?`, "a"+strings.Repeat("b", 200)+"é", true)
	f(`(.*a.{200}|x.*)`, "a"+strings.Repeat("b", 201), false)
}

func TestFold(t *testing.T) {
	f := func(expression, text string, want bool) {
		t.Helper()
		r, err := lucene.Compile(expression, true)
		if err != nil {
			t.Fatalf("%q: %v", expression, err)
		}
		if got := r.Match([]byte(text)); got != want {
			t.Errorf("%q against %q: got %v, want %v", expression, text, got, want)
		}
	}
	f(`foo`, "FoO", true)
	f(`FOO`, "foo", true)
	f(`"Foo"`, "fOO", true)
	f(`[ab]`, "A", true)
	f(`[^a]`, "A", false)
	f(`[a-c]`, "B", false) // ranges keep their case
	f(`é`, "É", false)     // ASCII only
	f(`k`, "\u212a", false)
	// So in Lucene: the empty text fits nothing, unless it stands beside characters.
	f(`()`, "", false)
	f(`a(b|())`, "a", false)
	f(`a()`, "A", true)
	f(`()*`, "", false)
	f(``, "", true)
}

func TestErrors(t *testing.T) {
	f := func(expression, want string) {
		t.Helper()
		_, err := lucene.Compile(expression, false)
		if err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", expression, err, want)
		}
	}
	const end = "the regular expression ends where a character has to follow"
	f(`a|`, end)
	f(`a&`, end)
	f(`~`, end)
	f(`\`, end)
	f(`(`, end)
	f(`(a`, `expected ")" at character 2 of the regular expression`)
	f(`a)`, `unexpected ')' at character 2 of the regular expression`)
	f(`[a`, `expected "]" at character 2 of the regular expression`)
	f(`[`, end)
	f(`[a-]`, `'a' comes after ']', so there is no range from the one to the other, at character 4 of the regular expression`)
	f(`[+-]`, `expected "]" at character 4 of the regular expression`)
	f(`\b`, `invalid character class \b at character 2 of the regular expression`)
	f(`[\b]`, `invalid character class \b at character 3 of the regular expression`)
	f(`a{`, `expected a number at character 2 of the regular expression`)
	f(`a{1`, `expected "}" at character 3 of the regular expression`)
	f(`a{100000}`, `a repetition of more than 10000 at character 9 of the regular expression`)
	f(`a{3,2}`, `a repetition from 3 to 2 at character 6 of the regular expression`)
	f(`"a`, `expected '"' at character 2 of the regular expression`)
	f(`<1-`, `expected ">" at character 3 of the regular expression`)
	f(`<a>`, `<a> is not an interval such as <1-100>, at character 3 of the regular expression`)
	f(`<1-2-3>`, `<1-2-3> is not an interval such as <1-100>, at character 7 of the regular expression`)
	f(`(.*a.{20})&.*b`, `the regular expression needs an automaton of more than 10000 states`)
	f(`((a{100}){100}){100}b.{2000}`,
		`the regular expression is too large: its repetitions multiply to more than 1,000`)
	f(strings.Repeat("a", lucene.MaxLength+1),
		`the regular expression is longer than 10000 characters`)
	f(strings.Repeat("(", 300)+"a"+strings.Repeat(")", 300),
		`nested deeper than 200 levels at character 201 of the regular expression`)
}

// TestHardExpressions: what would take exponential time or space somewhere else is compiled or
// refused at once.
func TestHardExpressions(t *testing.T) {
	f := func(expression string, ok bool) {
		t.Helper()
		if _, err := lucene.Compile(expression, false); (err == nil) != ok {
			t.Errorf("%.40q…: got %v, want it compiled: %v", expression, err, ok)
		}
	}
	f(strings.Repeat("a?", 4000), true)
	f(strings.Repeat("(a|b?)*", 1000), true)
	f(strings.Repeat("(ab?c*|b?a*)*", 700)+"&.*", false)
	f(`((((a?){0,100}b?){0,100}c?){0,100}d?){0,100}`, false)
	f(`(a|b)*a(a|b){500}`, true)
	f(`(a|b)*a(a|b){500}&.*b`, false)
	f(strings.Repeat("~", 5000)+"a", true)
	f(`~(.*a.*b.*c.*d.*e.*)&~(.*f.*g.*h.*)&.*i.{8}`, true)
}
