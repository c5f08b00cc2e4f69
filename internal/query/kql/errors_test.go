package kql_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"esrule/internal/query/cond"
	"esrule/internal/query/kql"
)

// TestErrors looks at all errors of a query: kind, position, the part of the text, message and
// advice.
func TestErrors(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		_, err := kql.Parse(text)
		var all cond.Errors
		if !errors.As(err, &all) {
			t.Errorf("%s: got %v, want Errors", text, err)
			return
		}
		var got []string
		for _, e := range all {
			got = append(got, fmt.Sprintf("%s %s", e.Code, e), text[e.Span.Start:e.Span.End],
				e.Advice)
		}
		if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
			t.Errorf("%s\n got\n%s\nwant\n%s", text, g, w)
		}
	}
	f(`process.name == "cmd.exe"`,
		"syntax 1:17: expected `and`, `or` or the end of the query, found string \"cmd.exe\"", `"cmd.exe"`,
		`KQL's operator is a colon: process.name: "cmd.exe".`)
	f(`process.name = "cmd.exe"`,
		"syntax 1:16: expected `and`, `or` or the end of the query, found string \"cmd.exe\"", `"cmd.exe"`,
		`KQL's operator is a colon: process.name: "cmd.exe".`)
	f("process.name = cmd.exe",
		"unsupported 1:1: the value `process.name = cmd.exe` has no field, and a search in every field is not supported", "process.name = cmd.exe",
		"KQL's operator is a colon: process.name: cmd.exe.")
	f(`process.name : "a" and x != "cmd.exe"`,
		"syntax 1:29: expected `and`, `or` or the end of the query, found string \"cmd.exe\"", `"cmd.exe"`,
		`KQL has no !=: write not x: "cmd.exe".`)
	f("x != cmd.exe",
		"unsupported 1:1: the value `x != cmd.exe` has no field, and a search in every field is not supported", "x != cmd.exe",
		"KQL has no !=: write not x: cmd.exe.")
	f(`x in ("a", "b")`,
		"syntax 1:6: expected `and`, `or` or the end of the query, found \"(\"", "(",
		"KQL's list is x: (a or b).")
	f(`x : ("a", "b")`,
		"syntax 1:9: expected `and`, `or` or \")\", found `,`", ",",
		"Join values with or: field: (a or b). A value with blanks and other signs is quoted.")
	f(`x : ("a" "b")`,
		"syntax 1:10: expected `and`, `or` or \")\", found string \"b\"", `"b"`,
		"Join values with or: field: (a or b). A value with blanks and other signs is quoted.")
	f(`x : ["a", "b"]`,
		"syntax 1:6: expected `and`, `or` or the end of the query, found string \"a\"", `"a"`,
		"KQL's list is field: (a or b), a range field >= 1 and field < 5.")
	f(`x like "a*"`,
		"syntax 1:8: expected `and`, `or` or the end of the query, found string \"a*\"", `"a*"`,
		"KQL's pattern is x: a*b, without quotes; it has no regular expressions.")
	f(`x : "a" && y : "b"`,
		"syntax 1:9: expected `and`, `or` or the end of the query, found `&&`", "&&",
		"KQL writes and, or, not as words.")
	f(`x : "a" || y : "b"`,
		"syntax 1:9: expected `and`, `or` or the end of the query, found `||`", "||",
		"KQL writes and, or, not as words.")
	f(`!(x : "a")`,
		"syntax 1:2: expected `and`, `or` or the end of the query, found \"(\"", "(",
		"KQL writes and, or, not as words.")
	f(`x : 'C:\Windows'`,
		"syntax 1:7: expected `and`, `or` or the end of the query, found \":\"", ":",
		`KQL quotes with ", not with '.`)
	f(`x : C:\Windows\*`,
		"syntax 1:6: expected `and`, `or` or the end of the query, found \":\"", ":",
		`Quote a value with a colon: "C:\\x"; in a pattern write \: for it: C\:\\x*.`)
	f(`x : "C:\Windows\"`,
		"syntax 1:5: the string is not closed", `"`,
		`Write " at the value's end. Within quotes a quote is \", and a backslash at the end \\.`)
	f(`x : "a" y : "b"`,
		"syntax 1:9: expected `and`, `or` or the end of the query, found `y`", "y",
		"Write `and` or `or` between conditions. A quote within quotes is \\\".")
	f(`x : "a" and`,
		"syntax 1:9: expected `and`, `or` or the end of the query, found `and`", "and",
		"Write what comes after the last and, or, or take that word away.")
	f("x : a and (y : b or )",
		`syntax 1:21: expected a condition, found ")"`, ")",
		"Write what comes after the last and, or or not, or take that word away.")
	f("x : a or b and y : c",
		"unsupported 1:10: the value `b` has no field, and a search in every field is not supported", "b",
		"Write its field before it: field: value. Several values of one field are a list: field: (a or b).")
	f("cmd.exe",
		"unsupported 1:1: the value `cmd.exe` has no field, and a search in every field is not supported", "cmd.exe",
		"Write its field before it: field: value. Several values of one field are a list: field: (a or b).")
	f(`"cmd.exe"`,
		`unsupported 1:1: the value "cmd.exe" has no field, and a search in every field is not supported`, `"cmd.exe"`,
		"Write its field before it: field: value. Several values of one field are a list: field: (a or b).")
	f("a b or ",
		"unsupported 1:1: the value `a b` has no field, and a search in every field is not supported", "a b",
		"Write its field before it: field: value. Several values of one field are a list: field: (a or b).",
		"syntax 1:8: expected a condition, found the end of the query", "",
		"Write what comes after the last and, or or not, or take that word away.")
	f("x : null or not y : (a or null) and null : x",
		"type 1:5: null is no value: Elasticsearch refuses this query", "null",
		`For events without the field write not f: *, for the text f: "null".`,
		"type 1:27: null is no value: Elasticsearch refuses this query", "null",
		`For events without the field write not f: *, for the text f: "null".`,
		"unsupported 1:37: null before an operator stands for every field, which is not supported", "null",
		`Write the field's name, for a field of this name "null".`)
	f("x < null and y >= 1*",
		"type 1:5: null is no value: Elasticsearch refuses this query", "null",
		`For events without the field write not f: *, for the text f: "null".`,
		"type 1:19: a pattern cannot be compared with >=", "1*",
		"Write the value without *, in quotes if a star is meant.")
	f("not x : (not not y)",
		"syntax 1:14: expected a value, found keyword `not`", "not",
		"Write not once, or with parentheses: not (not …).")
	f("x : a and not",
		"unsupported 1:11: the value `not` has no field, and a search in every field is not supported", "not",
		"Write what comes after not, or take that word away.")
	f("x : a\n  and (y : b\n  and z : c",
		"syntax 3:12: expected `and`, `or` or \")\", found the end of the query", "",
		`Write the missing ")".`)
	f(`x : a\ b`,
		`syntax 1:6: unknown escape \ `, `\ `,
		"A blank needs no backslash. A value may be quoted.")
	f(`x : \u12`,
		`syntax 1:5: unknown escape \u`, `\u`,
		`A character is written \u and four hexadecimal digits.`)
	f("x : a and(y : b)",
		"syntax 1:10: expected `and`, `or` or the end of the query, found \"(\"", "(",
		"Write a blank after and: and (…).")
	f("x.* : * and a* : { b : c }",
		"unsupported 1:13: a nested path with * is not supported", "a*",
		"Write the path of the nested field.")
	f("x : \xff",
		"syntax 1:5: the byte 0xff is not UTF-8", "\xff",
		"Save the file as UTF-8.")
	f(`x : "a" = "b"`,
		"syntax 1:9: expected `and`, `or` or the end of the query, found `=`", "=",
		"KQL's operator is a colon: field: value.")
	f("x : {1 TO 5}",
		"unsupported 1:6: the value `1 TO 5` has no field, and a search in every field is not supported", "1 TO 5",
		"Write its field before it: field: value. Several values of one field are a list: field: (a or b).")
	f(`x > "5" < 7`,
		"syntax 1:9: expected `and`, `or` or the end of the query, found \"<\"", "<",
		"Write `and` or `or` between conditions. A quote within quotes is \\\".")
	f(`x : "5" > 7`,
		"syntax 1:9: expected `and`, `or` or the end of the query, found \">\"", ">",
		"Write `and` or `or` between conditions. A quote within quotes is \\\".")
	f("x : > 5",
		`syntax 1:5: expected a value, found ">"`, ">",
		"Write the operator without a colon, and once: bytes > 5.")
}
