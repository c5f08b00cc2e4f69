package kql_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"esrule/internal/query/cond"
	"esrule/internal/query/kql"
)

// TestPrint holds the canonical form. What is canonical already comes back as it is.
func TestPrint(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		q, err := kql.Parse(text)
		if err != nil {
			t.Errorf("%s\n got error %v\nwant %s", text, err, want)
			return
		}
		if got := q.Print(q.Where); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
		again(t, q)
	}
	f("", "*: *")
	f(" * ", "*: *")
	f(`A : b  AND ( (not C:"d") )`, `A: b and not C: "d"`)
	f(`a:(x or y and not (z or "w"))`, `a: (x or y and not (z or "w"))`)
	f(`a:x or a:y*`, `a: (x or y*)`)
	f(`a:x or b:y and (a:z or b:x)`, `a: x or b: y and (a: z or b: x)`)
	f(`not (a:x and a:*)`, `not a: (x and *)`)
	f(`a>=5 or "b c"<"2024-01-01T00:00:00Z" and d > now-30d/d`,
		`a >= 5 or "b c" < "2024-01-01T00:00:00Z" and d > now-30d/d`)
	f(`p:{ q:{ r:(s or t) } and *:* and u:v } and p.*:w`,
		`p: { q: { r: (s or t) } and *: * and u: v } and p.*: w`)
	f(`a:"\w\\\"\t" or b:\\\:\*\n\tx`, `a: "\\w\\\"\t" or b: \\\:\*\n\tx`)
	f(`a:true or b:"null" or "null":1`, `a: true or b: "null" or "null": 1`)
	f("a:(cannot) and b:(x \\and) and c:x \\or y",
		`a: can\u006eot and b: x \and and c: x \or y`)
	f("a:\u00e9\u00a0\\u0007b", `a: é\u00a0\u0007b`)
	f(`a:**x* and b:(* or x)`, `a: **x* and b: (* or x)`)
}

// TestLimits holds that a query beyond the limits is refused, and that one within them is read.
func TestLimits(t *testing.T) {
	f := func(name, text, want string) {
		t.Helper()
		q, err := kql.Parse(text)
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			again(t, q)
			return
		}
		var all cond.Errors
		if !errors.As(err, &all) || len(all) != 1 || all[0].Code != cond.CodeLimit ||
			all[0].Error() != want {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
	n := strings.Repeat
	f("text", n(" ", 1<<20)+"a", "1:1: the query is longer than 1 MiB")
	f("needless parentheses", n("(", 200)+"a: b"+n(")", 200), "")
	f("too many parentheses", n("(", 201)+"a: b"+n(")", 201),
		"1:201: the condition is nested deeper than 100 levels")
	f("levels", n("not (", 99)+"a: b"+n(")", 99), "")
	f("too many levels", n("not (", 100)+"a: b"+n(")", 100),
		"1:501: the condition is nested deeper than 100 levels")
	f("braces", n("a: { ", 101)+"a: b"+n(" }", 101),
		"1:501: the condition is nested deeper than 100 levels")
	var values []string
	for i := range 10_000 {
		values = append(values, fmt.Sprint("v", i))
	}
	f("values", "a: ("+strings.Join(values, " or ")+")", "")
	f("too many values", "a: ("+strings.Join(values, " or ")+" or v10000)",
		"1:88895: the condition has more than 10,000 comparisons")
}
