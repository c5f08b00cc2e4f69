package eql_test

import (
	"errors"
	"strings"
	"testing"

	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
)

// TestPlaces looks at the part of the text that an error is about, and at its advice.
func TestPlaces(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		_, err := eql.Parse(text)
		var all cond.Errors
		if !errors.As(err, &all) {
			t.Errorf("%s: got %v, want Errors", text, err)
			return
		}
		var got []string
		for _, e := range all {
			got = append(got, e.Error(), text[e.Span.Start:e.Span.End], e.Advice)
		}
		if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
			t.Errorf("%s\n got\n%s\nwant\n%s", text, g, w)
		}
	}
	f("any where a\n  and process.name : process.parent.name",
		"2:22: expected a string after \":\", found field `process.parent.name`",
		"process.parent.name",
		"EQL compares a field with constants only. If a text is meant, its quotes are missing: "+
			`"process.parent.name".`)
	f("any where\t\t`ü`\t== \"\\q\"", `1:20: unknown escape \q in a string`, `\q`,
		`Write \\q for a backslash, or the whole string raw: """…""".`)
	// A span over two lines; an error at the end is after the last character.
	f("any where length(a,\n b) == 1 and",
		"1:11: the function `length` takes 1 argument, found 2", "length(a,\n b)",
		"Write length(string).",
		"2:13: expected a field, a constant or a function, found the end of the query", "",
		"A condition must be on both sides of and, or; a value on both sides of an operator.")
	f("\n", "1:1: the query is empty", "", "An event query is: category where condition; for any "+
		"category: any where condition.")
	f("any where "+strings.Repeat("a and ", 100)+"b = 1"+strings.Repeat(" and c", 100),
		`1:613: "=" does not compare`, "=", "Write ==, or : to ignore letter case.")
}

func TestNewError(t *testing.T) {
	text := "any where length(a) ==\n \"3\""
	e := cond.NewError(text, cond.Span{Start: 24, End: 27}, cond.CodeType, "a message", "Advice.")
	if got, want := e.Error(), "2:2: a message"; got != want || e.Code != cond.CodeType ||
		e.Advice != "Advice." || e.Span != (cond.Span{Start: 24, End: 27}) {
		t.Errorf("got %+v, want %s", e, want)
	}
	// A span outside the text points to its end.
	if e := cond.NewError("ab", cond.Span{Start: 5, End: 9}, cond.CodeType, "m", ""); e.Line != 1 ||
		e.Column != 3 {
		t.Errorf("got %v, want 1:3", e)
	}
}

func TestLimits(t *testing.T) {
	f := func(name, text, want string) {
		t.Helper()
		_, err := eql.Parse(text)
		got := "no error"
		var all cond.Errors
		if errors.As(err, &all) {
			last := all[len(all)-1]
			got = last.Code.String() + " " + last.Message
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	const (
		deep  = "limit the condition is nested deeper than 100 levels"
		large = "limit the condition has more than 10,000 operators, fields and constants"
		fine  = "no error"
	)
	nested := func(open, inner, end string, n int) string {
		return "any where " + strings.Repeat(open, n) + inner + strings.Repeat(end, n)
	}
	f("text of 1 MiB", "any where a"+strings.Repeat(" ", 1<<20-11), fine)
	f("text over 1 MiB", "any where a"+strings.Repeat(" ", 1<<20-10),
		"limit the query is longer than 1 MiB")
	f("100 parentheses", nested("(", "a", ")", 100), fine)
	f("101 parentheses", nested("(", "a", ")", 101), deep)
	f("10,000 parentheses", nested("(", "a", "", 10_000), deep)
	f("99 not", nested("not ", "a", "", 99), fine)
	f("101 not", nested("not ", "a", "", 101), deep)
	f("10,000 not", nested("not ", "", "", 10_000), deep)
	f("10,000 signs", nested("-", "a", "", 10_000), deep)
	f("10,000 calls", nested("length(", "", "", 10_000), deep)
	f("10,000 lists", nested("a in (", "", "", 10_000), deep)
	f("10,000 relationships", nested("a of [", "", "", 10_000),
		"unsupported process relationships (a of) are not supported")
	f("99 sums", "any where a"+strings.Repeat("+1", 99), fine)
	f("100 sums", "any where a"+strings.Repeat("+1", 100), deep)
	f("10,000 nodes", "any where a in ("+strings.Repeat("1,", 9_997)+"1)", fine)
	f("10,001 nodes", "any where a in ("+strings.Repeat("1,", 9_998)+"1)", large)
	f("too many nodes", "any where "+strings.Repeat("a or ", 400_000/2)+"a", large)
	f("a long list of errors", "any where "+strings.Repeat("a ~ and ", 100_000),
		`syntax EQL has no "~"`)
	f("characters that are not white space", "any where "+strings.Repeat("\u00a0", 500_000),
		`syntax the character U+00A0 is not white space in EQL`)
}
