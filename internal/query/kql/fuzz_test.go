package kql_test

import (
	"strings"
	"testing"
	"time"

	"esrule/internal/query/cond"
	"esrule/internal/query/kql"
)

// FuzzParse holds that any text gives a tree or errors with positions in the text, and that a
// printed tree reads as the same tree.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		``, ` `, `*`, `*: *`, `a:b`, `"q f": "x\\\"\u00e9\w" and not a.*: b*c*`,
		`a:(x or y and not (z or "w")) or b <= -1.5 and c >= "now-30d/d"`,
		`p:{ q:{ r: (s and t) } or u > 1 and *: v and *: * and * }`,
		`not (not a: null) or a\*b: \and \or \not \u006eot x`,
		`f: cannot and g: "x not y" or h: (a \or b or \and)`,
		"f: a\n\tb  or\u00a0g:\u3000 or \f:x", `x or`, `a:b and not`, `a:(* or **)`, `*:(* or x)`,
		`a\**: x`, `a*: { b: c }`, `a < b*`, `a == "x" and b != (c) or d in ("e", f)`,
		`((((a:b`, `a:((((b`, `a:{b:{`, `a:"b`, `a:b\`, `"\ud83d\ude00\ud83d": \ud83d\ude00\ud83d`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, errors := kql.Tree(text)
		checkErrors(t, text, errors)
		if _, err := kql.Parse(text); (err == nil) != (len(errors) == 0) {
			t.Fatalf("%q: got %v, want %v", text, err, errors)
		}
		if len(errors) > 0 {
			return
		}
		cond.Walk(q.Where, func(e cond.Expr) bool {
			if r := e.Range(); r.Start < 0 || r.End > len(text) ||
				r.End <= r.Start && strings.TrimSpace(text) != "" {
				t.Errorf("%q: %T has the range %v", text, e, r)
			}
			return true
		})
		again(t, q)
	})
}

func checkErrors(t *testing.T, text string, all cond.Errors) {
	t.Helper()
	for i, e := range all {
		if e.Line < 1 || e.Column < 1 || e.Message == "" || e.Advice == "" ||
			(e.Code == cond.CodeUnsupported) != (e.What != "") ||
			e.Span.Start < 0 || e.Span.End > len(text) || e.Span.End < e.Span.Start {
			t.Errorf("%q: bad error %+v", text, e)
		}
		if i > 0 && e.Code != cond.CodeLimit && e.Span.Start < all[i-1].Span.Start {
			t.Errorf("%q: errors out of order: %v", text, all)
		}
		if said := e.Error() + e.Advice; strings.ToValidUTF8(said, "") != said &&
			strings.ToValidUTF8(text, "") == text {
			t.Errorf("%q: the error is not UTF-8: %q", text, said)
		}
	}
}

// TestTime holds that the time for a text grows with its length and not faster.
func TestTime(t *testing.T) {
	f := func(name, text string) {
		t.Helper()
		start := time.Now()
		_, _ = kql.Tree(text)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: %v", name, took)
		}
	}
	const n = 100_000
	f("opening parentheses", strings.Repeat("(", n))
	f("values' parentheses", "a:"+strings.Repeat("(", n))
	f("braces", strings.Repeat("a:{", n))
	f("blanks in a value", "a:b"+strings.Repeat(" ", 10*n)+"c")
	f("blanks before a keyword", "a:b"+strings.Repeat(" ", 10*n)+"or")
	f("half keywords", "a:"+strings.Repeat(" or", n))
	f("values without a field", strings.Repeat("a and ", n)+"b")
	f("conditions", strings.Repeat("a:b or ", n)+"c:d")
	f("an open quote", `a:"`+strings.Repeat(`\"`, n))
	f("stars", "a:"+strings.Repeat("*", n))
}
