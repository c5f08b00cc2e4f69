package eql_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
)

// TestErrors looks at all errors of a query: kind, position and message. The condition begins at
// column 11.
func TestErrors(t *testing.T) {
	query := func(text string, want ...string) {
		t.Helper()
		q, err := eql.Parse(text)
		if err == nil {
			t.Errorf("%s\n got %s\nwant %q", text, eql.String(q), want)
			return
		}
		var all cond.Errors
		if !errors.As(err, &all) {
			t.Fatalf("%s: got %T, want Errors", text, err)
		}
		var got []string
		for _, e := range all {
			got = append(got, fmt.Sprintf("%s %s", e.Code, e))
			if e.Advice == "" {
				t.Errorf("%s: %s comes without advice", text, e)
			}
		}
		if g, w := strings.Join(got, "\n     "), strings.Join(want, "\n     "); g != w {
			t.Errorf("%s\n got %s\nwant %s", text, g, w)
		}
	}
	f := func(condition string, want ...string) {
		t.Helper()
		query("any where "+condition, want...)
	}

	// The statement around the condition.
	query(``, "syntax 1:1: the query is empty")
	query(" \n // x\n", "syntax 1:1: the query is empty")
	query(`process`, "syntax 1:8: expected `where`, found the end of the query")
	query(`process where`, `syntax 1:14: expected a field, a constant or a function, found the end of the query`)
	query("process where \n\n ",
		`syntax 1:14: expected a field, a constant or a function, found the end of the query`)
	query(`process WHERE true`, "syntax 1:9: expected keyword `where`, found name `WHERE`")
	query(`host.name == "a"`, "syntax 1:5: expected `where`, found \".\"")
	query(`process, file where a = 1`, "syntax 1:8: expected `where`, found \",\"",
		`syntax 1:23: "=" does not compare`)
	query("`process` where true", "syntax 1:1: expected an event category, found name `process`")
	query(`by where true`, "syntax 1:1: expected an event category, found keyword `by`")
	query(`sequence where true`, "syntax 1:1: expected an event category, found keyword `sequence`")
	query(`'process' where true`, `syntax 1:1: strings are not written in single quotes`)
	query(`where true`, "syntax 1:1: expected an event category, found keyword `where`")
	query(`ANY where`, `syntax 1:10: expected a field, a constant or a function, found the end of the query`)

	// Lower-case keywords only; whoever writes them otherwise is told so, and what follows is read
	// all the same.
	f(`a AND b Or c`, "syntax 1:13: expected keyword `and`, found name `AND`",
		"syntax 1:19: expected keyword `or`, found name `Or`")
	f(`NOT a`, "syntax 1:11: expected keyword `not`, found name `NOT`")
	f(`NOT (a or b)`, "syntax 1:11: expected keyword `not`, found name `NOT`")
	f(`a IN ("x")`, "syntax 1:13: expected keyword `in`, found name `IN`")
	f(`a NOT IN (1)`, "syntax 1:13: expected keyword `not`, found name `NOT`")
	f(`a LIKE~ "x"`, "syntax 1:13: expected keyword `like~`, found name `LIKE~`")
	f(`a == TRUE`, "type 1:16: expected a constant after \"==\", found field `TRUE`")

	// Operators of other languages.
	f(`a && b`, `syntax 1:13: EQL has no "&&"`)
	f(`a || b`, `syntax 1:13: EQL has no "||"`)
	f(`!a`, `syntax 1:11: EQL has no "!"`)
	f(`a <> 1`, `syntax 1:13: EQL has no "<>"`)
	f(`a = 1`, `syntax 1:13: "=" does not compare`)
	f(`a !: "x"`, `syntax 1:13: EQL has no "!:"`)
	f(`a not : "x"`, "syntax 1:13: EQL has no `not :`")
	f(`a not like "x"`, "syntax 1:13: EQL has no `not like`")
	f(`a not regex~ ("x")`, "syntax 1:13: EQL has no `not regex~`")
	f(`a ~ "x"`, `syntax 1:13: EQL has no "~"`)
	f(`a in ~ ("x")`, `syntax 1:16: EQL has no "~"`)
	f(`a like ~ "x"`, `syntax 1:18: EQL has no "~"`)

	// Strings.
	f(`a == 'x'`, `syntax 1:16: strings are not written in single quotes`)
	f(`a == ?"x"`, `syntax 1:16: raw strings are not written with ?"`)
	f(`a == ?'x'`, `syntax 1:16: raw strings are not written with ?'`)
	f(`a == 'it\'s' and b = 1`, `syntax 1:16: strings are not written in single quotes`,
		`syntax 1:30: "=" does not compare`)
	f(`a == “x” and b = 1`, `syntax 1:16: strings are not written in typographic quotes`,
		`syntax 1:26: "=" does not compare`)
	f(`a : "\w" or b : "\*x\d"`, `syntax 1:16: unknown escape \w in a string`,
		`syntax 1:28: unknown escape \* in a string`, `syntax 1:31: unknown escape \d in a string`)
	f(`a : "\ü"`, `syntax 1:16: unknown escape \ü in a string`)
	f(`a : "\u{d800}"`, `syntax 1:16: \u{d800} is not a character of Unicode`)
	f(`a : "\u{110000}"`, `syntax 1:16: \u{110000} is not a character of Unicode`)
	f(`a : "\u{ffffffff}"`, `syntax 1:16: \u{ffffffff} is not a character of Unicode`)
	f(`a : "\u{1}"`, `syntax 1:16: a character escape is \u{…} with 2 to 8 hexadecimal digits`)
	f(`a : "\u{123456789}"`,
		`syntax 1:16: a character escape is \u{…} with 2 to 8 hexadecimal digits`)
	f(`a : "\u00e9"`, `syntax 1:16: a character escape is \u{…} with 2 to 8 hexadecimal digits`)
	f(`a : "\u{zz}"`, `syntax 1:16: a character escape is \u{…} with 2 to 8 hexadecimal digits`)
	f(`a : "x`, `syntax 1:15: the string is not closed on its line`)
	f(`a : "x\`, `syntax 1:15: the string is not closed on its line`)
	f("a : \"x\n\" and b = 1", `syntax 1:15: the string is not closed on its line`,
		`syntax 2:1: the string is not closed on its line`)
	f(`a : "C:\" and (b = 1`, `syntax 1:15: the string is not closed on its line`)
	f(`a : """x`, `syntax 1:15: the string is not closed on its line`)
	f("a : \"\"\"x\ny\"\"\"", `syntax 1:15: the string is not closed on its line`,
		`syntax 2:2: the string is not closed on its line`)
	f("a : \"\xff\"", `syntax 1:16: the byte 0xff is not UTF-8`)

	// Characters and comments.
	f("a\u00a0and b", `syntax 1:12: the character U+00A0 is not white space in EQL`)
	query("\ufeffany where a", `syntax 1:1: the character U+FEFF is not white space in EQL`)
	f(`a == "x";`, `syntax 1:19: EQL has no ";"`)
	f(`a == 1 # x`, `syntax 1:18: unexpected character '#'`)
	f(`größe == 1`, "syntax 1:13: unexpected character 'ö'")
	f("a \xff", `syntax 1:13: the byte 0xff is not UTF-8`)
	f(`a /* b`, `syntax 1:13: the comment is not closed`)
	f(`a /* b /* c */ d`, `syntax 1:13: the comment is not closed`)
	f("`` == 1", `syntax 1:11: the name in backquotes is empty`)
	f("`a", `syntax 1:11: the name in backquotes is not closed`)

	// Numbers.
	f(`a == 1e999`, `syntax 1:16: the number 1e999 is too large for a double`)
	f(`a == 1e`, "syntax 1:16: 1e is no number in EQL")
	f(`a == 1.5.5`, "syntax 1:16: 1.5.5 is no number in EQL")

	// Fields.
	f(`a[0] == 1`, `syntax 1:12: array indexes are not supported`)
	f(`a[1 2].b[3] == 1`, `syntax 1:12: array indexes are not supported`,
		`syntax 1:19: array indexes are not supported`)
	f(`a.in == 1`, "syntax 1:13: expected a name after \".\", found keyword `in`")
	f(`a. == 1`, `syntax 1:14: expected a name after ".", found "=="`)
	f(`a.5x == 1`, "syntax 1:12: expected `and` or `or`, found number .5")
	f(`? == 1`, `syntax 1:13: expected a field after "?", found "=="`)
	f(`?length(a) == 1`, "syntax 1:18: expected `and` or `or`, found \"(\"")
	f(`sequence == 1`, "syntax 1:11: expected a field, a constant or a function, found keyword "+
		"`sequence`")

	// What follows what.
	f(`a "x"`, `syntax 1:13: expected `+"`and` or `or`"+`, found string "x"`)
	f(`a b and c d`, "syntax 1:13: expected `and` or `or`, found name `b`",
		"syntax 1:21: expected `and` or `or`, found name `d`")
	f(`(a b) and c`, "syntax 1:14: expected `and`, `or` or \")\", found name `b`")
	f(`a and`, `syntax 1:16: expected a field, a constant or a function, found the end of the query`)
	f(`or a`, "syntax 1:11: expected a field, a constant or a function, found keyword `or`")
	f(`a and and b`, "syntax 1:17: expected a field, a constant or a function, found keyword `and`")
	f(`(a`, `syntax 1:11: "(" is not closed`)
	f(`a) and b = 1`, `syntax 1:12: ")" closes nothing`, `syntax 1:20: "=" does not compare`)
	f(`a, b`, "syntax 1:12: expected `and`, `or` or the end of the query, found \",\"")
	f(`(a, b) == 1`, `syntax 1:13: expected ")", found ","`)
	f(`()`, `syntax 1:12: expected a field, a constant or a function, found ")"`)
	f(`a == not b`, "syntax 1:16: expected a field, a constant or a function, found keyword `not`")
	f(`a == *`, `syntax 1:16: expected a field, a constant or a function, found "*"`)
	f(`a == 1 ![`, "syntax 1:18: expected `and` or `or`, found \"![\"")
	f(`a < 1 < 2`, `syntax 1:17: comparisons do not chain`)
	f(`1 < a == true != false`, `syntax 1:17: comparisons do not chain`,
		`syntax 1:25: comparisons do not chain`)
	f(`a : "x" : "y"`, `syntax 1:19: comparisons do not chain`)

	// Constants only on the right of : like regex; lists.
	f(`a : b`, "type 1:15: expected a string after \":\", found field `b`")
	f(`a : "x" and a : b.c and d = 1`,
		"type 1:27: expected a string after \":\", found field `b.c`",
		`syntax 1:37: "=" does not compare`)
	f(`a like~ concat("a", b)`, "type 1:19: expected a string after `like~`, found a function")
	f(`a regex ("x", b)`, "type 1:25: expected a string after `regex`, found field `b`")
	f(`a : ("x", b, c)`, "type 1:21: expected a string after \":\", found field `b`",
		"type 1:24: expected a string after \":\", found field `c`")
	f(`a : -1`, `syntax 1:15: expected a string after ":", found "-"`)
	f(`a : *.exe`, `syntax 1:15: expected a string after ":", found "*"`)
	f(`a : (("x"))`, `syntax 1:16: expected a string after ":", found "("`)
	f(`a : ()`, `syntax 1:16: expected a string, found ")"`)
	f(`a : ("x" or "y") and b = 1`, "syntax 1:20: expected \",\" or \")\", found keyword `or`",
		`syntax 1:34: "=" does not compare`)
	f(`a : ("x", "y"`, `syntax 1:15: "(" is not closed`)
	f(`a in ()`, `syntax 1:17: expected a value, found ")"`)
	f(`a in "x" and b = 1`, "syntax 1:16: expected \"(\" after `in`, found string \"x\"",
		`syntax 1:26: "=" does not compare`)
	f(`a in [1, 2] and b = 1`, "syntax 1:16: expected \"(\" after `in`, found \"[\"",
		`syntax 1:29: "=" does not compare`)
	f(`a in (1, )`, `syntax 1:20: expected a field, a constant or a function, found ")"`)
	f(`a in (1 2)`, "syntax 1:19: expected `and`, `or` or \")\", found number 2")

	// A field is compared with constants, never with a field, also inside functions.
	f(`a == b`, "type 1:16: expected a constant after \"==\", found field `b`")
	f(`a != b`, "type 1:16: expected a constant after \"!=\", found field `b`")
	f(`length(a) == length(b)`, "type 1:24: expected a constant after \"==\", found an "+
		"expression over field `b`")
	f(`a + 1 > 2 * b`, "type 1:19: expected a constant after \">\", found an expression over field `b`")
	f(`a in (b)`, "type 1:17: expected a constant after `in`, found field `b`")
	f(`a not in~ ("x", b, length(c))`,
		"type 1:27: expected a constant after `not in~`, found field `b`",
		"type 1:30: expected a constant after `not in~`, found an expression over field `c`")
	f(`"x" in (a)`, "type 1:19: expected a constant after `in`, found field `a`")
	f(`a == b and c == d`, "type 1:16: expected a constant after \"==\", found field `b`",
		"type 1:27: expected a constant after \"==\", found field `d`")

	// Functions.
	f(`lenght(a) > 1`, "function 1:11: unknown function `lenght`")
	f(`wildcard(a, "x*")`, "function 1:11: unknown function `wildcard`")
	f(`foo(bar(a)) == 1`, "function 1:11: unknown function `foo`",
		"function 1:15: unknown function `bar`")
	f(`length~(a) > 1`, "function 1:11: the function `length` has no variant with ~")
	f(`length() > 1`, "function 1:11: the function `length` takes 1 argument, found 0")
	f(`Length(a, b) > 1`, "function 1:11: the function `length` takes 1 argument, found 2")
	f(`startswith(a)`, "function 1:11: the function `startsWith` takes 2 arguments, found 1")
	f(`between(a, "b")`, "function 1:11: the function `between` takes 3 or 4 arguments, found 2")
	f(`concat()`, "function 1:11: the function `concat` takes at least 1 argument, found 0")
	f(`cidrMatch(a)`, "function 1:11: the function `cidrMatch` takes at least 2 arguments, found 1")
	f(`startsWith~ and a`, "syntax 1:23: expected \"(\" after the function `startsWith~`, found "+
		"keyword `and`")
	f(`concat(a,) == "x"`, `syntax 1:20: expected a field, a constant or a function, found ")"`)
	f(`concat(a "x") == "x"`, "syntax 1:20: expected `and`, `or` or \")\", found string \"x\"")
	f(`concat(a`, `syntax 1:17: "(" is not closed`)

	// Columns count code points, lines count from the text's first.
	query("any where a == \"üü😀\" and b = 1\n  and\tc = 2", `syntax 1:28: "=" does not compare`,
		`syntax 2:9: "=" does not compare`)
	query("any where\r\na = 1", `syntax 2:3: "=" does not compare`)
}
