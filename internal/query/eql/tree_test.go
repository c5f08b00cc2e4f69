package eql_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
)

// mustParse parses a text that has to be right.
func mustParse(t *testing.T, text string) *cond.Query {
	t.Helper()
	q, err := eql.Parse(text)
	if err != nil {
		t.Fatalf("parse %s: %v", text, err)
	}
	return q
}

// mustParseStatement parses a statement that has to be right.
func mustParseStatement(t *testing.T, text string) eql.Statement {
	t.Helper()
	s, err := eql.ParseStatement(text)
	if err != nil {
		t.Fatalf("parse %s: %v", text, err)
	}
	return s
}

// difference compares two queries or statements but for their text and positions.
func difference(a, b any) string {
	return cmp.Diff(a, b, cmpopts.IgnoreFields(cond.Query{}, "Text", "Print"),
		cmpopts.IgnoreTypes(cond.Span{}))
}

// sketch writes the tree with every node in parentheses, operator first, so that a test sees what
// holds what.
func sketch(e cond.Expr) string {
	node := func(head string, parts ...cond.Expr) string {
		for _, part := range parts {
			head += " " + sketch(part)
		}
		return "(" + head + ")"
	}
	switch e := e.(type) {
	case *cond.And:
		return node("and", e.Operands...)
	case *cond.Or:
		return node("or", e.Operands...)
	case *cond.Not:
		return node("not", e.Operand)
	case *cond.Compare:
		return node(e.Op.String(), e.Left, e.Right)
	case *cond.In:
		head := "in"
		if e.Negated {
			head = "not-in"
		}
		if e.Fold {
			head += "~"
		}
		return node(head, append([]cond.Expr{e.Subject}, e.List...)...)
	case *cond.Like:
		parts := []cond.Expr{e.Subject}
		for _, p := range e.Patterns {
			parts = append(parts, p)
		}
		if e.List {
			return node(e.Op.String()+"[]", parts...)
		}
		return node(e.Op.String(), parts...)
	case *cond.Binary:
		return node(e.Op.String(), e.Left, e.Right)
	case *cond.Negate:
		return node("neg", e.Operand)
	case *cond.Call:
		if e.Fold {
			return node(e.Name+"~", e.Args...)
		}
		return node(e.Name, e.Args...)
	case *cond.Field:
		if e.Optional {
			return "?<" + e.Path + ">"
		}
		return "<" + e.Path + ">"
	case *cond.Literal:
		switch e.Kind {
		case cond.Null:
			return "null"
		case cond.String:
			return strconv.Quote(e.Text)
		case cond.Int:
			return fmt.Sprintf("int:%d", e.Int)
		case cond.Uint:
			return fmt.Sprintf("uint:%d", e.Uint)
		case cond.Float:
			return fmt.Sprintf("float:%v", e.Float)
		case cond.Bool:
			return strconv.FormatBool(e.Bool)
		}
	}
	return fmt.Sprintf("%T?", e)
}

func TestTree(t *testing.T) {
	f := func(condition, want string) {
		t.Helper()
		q, err := eql.Parse("any where " + condition)
		if err != nil {
			t.Errorf("%s\n got error %v\nwant %s", condition, err, want)
			return
		}
		if got := sketch(q.Where); got != want {
			t.Errorf("%s\n got %s\nwant %s", condition, got, want)
		}
	}

	// Logic: not before and before or; chains are flat, parentheses keep their node.
	f(`a or b and not c`, `(or <a> (and <b> (not <c>)))`)
	f(`a and b and c`, `(and <a> <b> <c>)`)
	f(`(a and b) and c`, `(and (and <a> <b>) <c>)`)
	f(`a and (b and c)`, `(and <a> (and <b> <c>))`)
	f(`a or (b or c) or d`, `(or <a> (or <b> <c>) <d>)`)
	f(`(a or b) and c`, `(and (or <a> <b>) <c>)`)
	f(`((((a))))`, `<a>`)
	f(`not a and b`, `(and (not <a>) <b>)`)
	f(`not (a and b)`, `(not (and <a> <b>))`)
	f(`not not a`, `(not (not <a>))`)
	f(`not a == 1`, `(not (== <a> int:1))`)
	f(`not a : "x" or b`, `(or (not (: <a> "x")) <b>)`)

	// Comparisons take sums on both sides; != stays what it is; a constant on the left stays there.
	f(`a == 1`, `(== <a> int:1)`)
	f(`a != null`, `(!= <a> null)`)
	f(`0 <= a`, `(<= int:0 <a>)`)
	f(`a + 1 < 2 * 3`, `(< (+ <a> int:1) (* int:2 int:3))`)
	f(`a > 1 and b >= 2`, `(and (> <a> int:1) (>= <b> int:2))`)
	f(`(a == 1) == true`, `(== (== <a> int:1) true)`)
	f(`a==1`, `(== <a> int:1)`)

	// Arithmetic.
	f(`a + b * c - d == 0`, `(== (- (+ <a> (* <b> <c>)) <d>) int:0)`)
	f(`a - (b - c) == 0`, `(== (- <a> (- <b> <c>)) int:0)`)
	f(`a / b / c % d == 0`, `(== (% (/ (/ <a> <b>) <c>) <d>) int:0)`)
	f(`(a + b) * c == 0`, `(== (* (+ <a> <b>) <c>) int:0)`)

	// Signs bind tightest; a number takes its sign, whatever stands between them.
	f(`-a * b == 0`, `(== (* (neg <a>) <b>) int:0)`)
	f(`-(a * b) == 0`, `(== (neg (* <a> <b>)) int:0)`)
	f(`+a == +1`, `(== <a> int:1)`)
	f(`a == -1`, `(== <a> int:-1)`)
	f(`a == - 1`, `(== <a> int:-1)`)
	f(`a == -(1)`, `(== <a> int:-1)`)
	f(`a == --1`, `(== <a> int:1)`)
	f(`a == -+-+-1`, `(== <a> int:-1)`)
	f(`a -1 == 2`, `(== (- <a> int:1) int:2)`)
	f(`a - -1 == 2`, `(== (- <a> int:-1) int:2)`)
	f(`--a == 1`, `(== (neg (neg <a>)) int:1)`)
	f(`a == -"x"`, `(== <a> (neg "x"))`)

	// : like regex in belong to the operand next to them.
	f(`a + b : "x"`, `(+ <a> (: <b> "x"))`)
	f(`true == b : "x"`, `(== true (: <b> "x"))`)
	f(`(a + b) : "x"`, `(: (+ <a> <b>) "x")`)
	f(`-a : "x"`, `(neg (: <a> "x"))`)
	f(`-1 : "x"`, `(neg (: int:1 "x"))`)
	f(`(-1) : "x"`, `(: int:-1 "x")`)
	f(`-1 in (1)`, `(neg (in int:1 int:1))`)
	f(`a : "x" == true`, `(== (: <a> "x") true)`)

	// Patterns and lists.
	f(`a : "x"`, `(: <a> "x")`)
	f(`a : ("x")`, `(:[] <a> "x")`)
	f(`a : ("x", "y*")`, `(:[] <a> "x" "y*")`)
	f(`a:"x"`, `(: <a> "x")`)
	f(`a like "x" and b like~ ("x")`, `(and (like <a> "x") (like~[] <b> "x"))`)
	f(`a regex "x" or b regex~ "y"`, `(or (regex <a> "x") (regex~ <b> "y"))`)
	f(`a : (1, 1.5, true, null)`, `(:[] <a> int:1 float:1.5 true null)`)
	f(`concat(a, b) : "x"`, `(: (concat <a> <b>) "x")`)
	f(`a in (1, "x")`, `(in <a> int:1 "x")`)
	f(`a in~ ("x")`, `(in~ <a> "x")`)
	f(`a not in (1)`, `(not-in <a> int:1)`)
	f(`a not in~ ("x")`, `(not-in~ <a> "x")`)
	f(`not a in (1)`, `(not (in <a> int:1))`)
	f(`not a not in (1)`, `(not (not-in <a> int:1))`)
	f(`a in (1 + 1, -2, length("x"))`, `(in <a> (+ int:1 int:1) int:-2 (length "x"))`)
	f(`a in(1)`, `(in <a> int:1)`)

	// Fields.
	f(`host.os.type`, `<host.os.type>`)
	f("host . os\n.type", `<host.os.type>`)
	f(`@timestamp`, `<@timestamp>`)
	f(`_id`, `<_id>`)
	f(`?a.b`, `?<a.b>`)
	f(`? a`, `?<a>`)
	f("`sequence`", `<sequence>`)
	f("a.`in`.b", `<a.in.b>`)
	f("`a.b`.c", `<a.b.c>`)
	f("`user-agent`", `<user-agent>`)
	f("`a``b`", "<a`b>")
	f("?`a b`", `?<a b>`)
	f(`AND`, `<AND>`)
	f(`head`, `<head>`)

	// Functions, in Elasticsearch's spelling whatever was written.
	f(`length(a) > 1`, `(> (length <a>) int:1)`)
	f(`STARTSWITH~(a, "x")`, `(startsWith~ <a> "x")`)
	f(`cidrmatch(a, "::1", "10.0.0.0/8")`, `(cidrMatch <a> "::1" "10.0.0.0/8")`)
	f(`stringContains (a, "x")`, `(stringContains <a> "x")`)
	f(`endsWith~ (a, substring(b, 0, -1))`, `(endsWith~ <a> (substring <b> int:0 int:-1))`)
	f(`concat(a > 1, b or c) == "x"`, `(== (concat (> <a> int:1) (or <b> <c>)) "x")`)

	// Comments and white space.
	f("a // b\n and c", `(and <a> <c>)`)
	f("a // b\r and c", `(and <a> <c>)`)
	f(`a /* b */ and /**/ c`, `(and <a> <c>)`)
	f(`a /* b /* c */ or d */ and e`, `(and <a> <e>)`)
	f("\ta\r\n and\tc // d", `(and <a> <c>)`)
	f(`a == "//" /*"*/`, `(== <a> "//")`)
	f(`a / b /* / */ / c == 1`, `(== (/ (/ <a> <b>) <c>) int:1)`)
}

func TestCategory(t *testing.T) {
	f := func(text, category, printed string) {
		t.Helper()
		q := mustParse(t, text)
		got := "any"
		if q.Category != nil {
			got = "=" + q.Category.Text
		}
		if got != category || eql.String(q) != printed {
			t.Errorf("%s\n got %s, %s\nwant %s, %s", text, got, eql.String(q), category, printed)
		}
	}
	f(`any where true`, "any", `any where true`)
	f(`process where true`, "=process", `process where true`)
	f(`"process" where true`, "=process", `process where true`)
	f(`"any" where true`, "=any", `"any" where true`)
	f(`"a b" where true`, "=a b", `"a b" where true`)
	f(`"""a\b""" where true`, `=a\b`, `"a\\b" where true`)
	f(`Process where true`, "=Process", `Process where true`)
	f(`"" where true`, "=", `"" where true`)
	f(`@x where true`, "=@x", `@x where true`)
}

// TestRanges looks at which part of the text a node covers.
func TestRanges(t *testing.T) {
	f := func(condition string, want ...string) {
		t.Helper()
		q := mustParse(t, "any where "+condition)
		var got []string
		cond.Walk(q.Where, func(e cond.Expr) bool {
			got = append(got, q.Text[e.Range().Start:e.Range().End])
			return true
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: want -, got +\n%s", condition, diff)
		}
	}
	f(`a and not (b or c)`, `a and not (b or c)`, `a`, `not (b or c)`, `b or c`, `b`, `c`)
	f(`(a + 1) * 2 == -3`, `(a + 1) * 2 == -3`, `(a + 1) * 2`, `a + 1`, `a`, `1`, `2`, `-3`)
	f(`?a . b : ("x", """y""") and true`, `?a . b : ("x", """y""") and true`,
		`?a . b : ("x", """y""")`, `?a . b`, `"x"`, `"""y"""`, `true`)
	f(`(a) not in (1 , 2) // x`, `(a) not in (1 , 2)`, `a`, `1`, `2`)
	f(`length ( a ) == 1`, `length ( a ) == 1`, `length ( a )`, `a`, `1`)
	f(`-a == - 1`, `-a == - 1`, `-a`, `a`, `- 1`)

	q := mustParse(t, ` "ü" where a`)
	if got := q.Text[q.Category.Start:q.Category.End]; got != `"ü"` {
		t.Errorf("category's range: got %s", got)
	}
}

func TestFields(t *testing.T) {
	q := mustParse(t, `file where b == 1 and (a : "x" or startsWith~(c.d, substring(e, 0, 1))) and ?a in (-(1 + 2)) and -f > 0 and not g`)
	var got []string
	for _, field := range cond.Fields(q.Where) {
		got = append(got, sketch(field))
	}
	want := `<b> <a> <c.d> <e> <f> <g>`
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got %s, want %s", s, want)
	}
}

func TestWalkLeavesOut(t *testing.T) {
	q := mustParse(t, `any where a and not (b or c) and length(d) > 1`)
	var got []string
	cond.Walk(q.Where, func(e cond.Expr) bool {
		if f, ok := e.(*cond.Field); ok {
			got = append(got, f.Path)
		}
		_, not := e.(*cond.Not)
		return !not
	})
	if s := strings.Join(got, " "); s != "a d" {
		t.Errorf("got %s, want a d", s)
	}
}
