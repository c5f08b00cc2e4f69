package eql_test

import (
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
)

// TestPrint holds the canonical form. What is canonical already comes back as it is.
func TestPrint(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		q, err := eql.Parse(text)
		if err != nil {
			t.Errorf("%s\n got error %v\nwant %s", text, err, want)
			return
		}
		if got := eql.String(q); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
	same := func(condition string) { t.Helper(); f("any where "+condition, "any where "+condition) }

	// A condition of the shipped rule's shape.
	f(
		`file where host.os.type == "windows" and process.name : ("a.exe", "b.exe") and (
	     file.path : "?:\\web\\*" or (file.path : "?:\\*\\Mail*\\auth\\*" and
	     not (file.path : "?:\\*\\version\\*" or file.name : ("x.aspx"))) or
	     not file.name : "y.aspx")`,
		`file where host.os.type == "windows" and process.name : ("a.exe", "b.exe") and (file.path : "?:\\web\\*" or `+
			`file.path : "?:\\*\\Mail*\\auth\\*" and not (file.path : "?:\\*\\version\\*" or file.name : ("x.aspx")) or not file.name : "y.aspx")`,
	)

	same(`true`)
	same(`a or b and not c`)
	same(`(a or b) and not (c and d)`)
	same(`a and (b and c)`)
	same(`not not a == 1`)
	same(`(a == 1) == true`)
	same(`(a + b) * c - -d / (e % 2) > 0`)
	same(`a - (b - c) == -1.5e3`)
	same(`--a == 1`)
	same(`(-1) : "x"`)
	same(`-1 : "x"`)
	same(`(-a) : "x"`)
	same(`(a in (1)) in (true, false)`)
	same(`a not in~ ("x", -1, 1 > 2 and true)`)
	same(`?a.b regex~ ("x", "y")`)
	same("`a b`.c.`in` == 1")
	same("`a..b` == 1")
	same("`a``b`.c == 1")
	same(`a == "\b\t\n\f\r\"\\'"`)
	same(`a == "\u{07}\u{a0}\u{feff}ü😀"`)
	same(`stringContains~(concat(a, 1, null, true), "x")`)

	f(`any where(((a)))and(not(b))`, `any where a and not b`)
	f(`any where -(a : "x") == +(-(1))`, `any where -a : "x" == -1`)
}

// TestPrintRandom prints random trees and reads them back.
func TestPrintRandom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := &cond.Query{Where: expression(t, 3)}
		if rapid.Bool().Draw(t, "category") {
			want.Category = &cond.Literal{Kind: cond.String, Text: rapid.String().Draw(t, "name")}
		}
		got, err := eql.Parse(eql.String(want))
		if err != nil {
			t.Fatalf("%s: %v", eql.String(want), err)
		}
		if diff := difference(want, got); diff != "" {
			t.Fatalf("%s: want -, got +\n%s", eql.String(want), diff)
		}
	})
}

// expression draws a tree as the parser makes them: only one side of a comparison has fields, and a
// number has its sign.
func expression(t *rapid.T, depth int) cond.Expr {
	return node(t, depth, true)
}

func node(t *rapid.T, depth int, fields bool) cond.Expr {
	below := func() cond.Expr { return node(t, depth-1, fields) }
	several := func(least int) []cond.Expr {
		list := make([]cond.Expr, rapid.IntRange(least, 3).Draw(t, "count"))
		for i := range list {
			list[i] = below()
		}
		return list
	}
	kind := rapid.IntRange(0, 10).Draw(t, "kind")
	if depth == 0 {
		kind = 9 + kind%2
	}
	switch kind {
	case 0:
		return &cond.And{Operands: several(2)}
	case 1:
		return &cond.Or{Operands: several(2)}
	case 2:
		return &cond.Not{Operand: below()}
	case 3:
		op := cond.CompareOp(rapid.IntRange(0, 5).Draw(t, "op"))
		return &cond.Compare{Op: op, Left: below(), Right: node(t, depth-1, false)}
	case 4:
		list := make([]cond.Expr, rapid.IntRange(1, 3).Draw(t, "count"))
		for i := range list {
			list[i] = node(t, depth-1, false)
		}
		return &cond.In{
			Subject: below(),
			Negated: rapid.Bool().Draw(t, "not"),
			Fold:    rapid.Bool().Draw(t, "fold"),
			List:    list,
		}
	case 5:
		like := &cond.Like{
			Op:      cond.LikeOp(rapid.IntRange(0, 4).Draw(t, "op")),
			Subject: below(),
			List:    rapid.Bool().Draw(t, "list"),
		}
		like.Patterns = []*cond.Literal{
			{Kind: cond.String, Text: rapid.String().Draw(t, "pattern")},
		}
		if like.List {
			like.Patterns = append(like.Patterns, &cond.Literal{Kind: cond.Bool, Bool: true})
		}
		return like
	case 6:
		op := cond.ArithmeticOp(rapid.IntRange(0, 4).Draw(t, "op"))
		return &cond.Binary{Op: op, Left: below(), Right: below()}
	case 7:
		operand := below()
		if l, ok := operand.(*cond.Literal); ok && l.Kind != cond.String && l.Kind != cond.Null &&
			l.Kind != cond.Bool {
			return operand
		}
		return &cond.Negate{Operand: operand}
	case 8:
		return &cond.Call{Name: "concat", Args: several(1), Result: cond.Text}
	case 9:
		if fields {
			path := rapid.StringN(1, 8, -1).Draw(t, "path")
			return &cond.Field{Path: path, Optional: rapid.Bool().Draw(t, "optional")}
		}
	}
	return constant(t)
}

func constant(t *rapid.T) cond.Expr {
	switch rapid.IntRange(0, 4).Draw(t, "constant") {
	case 0:
		return &cond.Literal{}
	case 1:
		return &cond.Literal{Kind: cond.Bool, Bool: rapid.Bool().Draw(t, "bool")}
	case 2:
		i := rapid.Int64().Draw(t, "integer")
		return &cond.Literal{Kind: cond.Int, Int: i, Text: strconv.FormatInt(i, 10)}
	case 3:
		d := rapid.Float64().Draw(t, "double")
		return &cond.Literal{Kind: cond.Float, Float: d, Text: strconv.FormatFloat(d, 'e', -1, 64)}
	}
	return &cond.Literal{Kind: cond.String, Text: rapid.String().Draw(t, "string")}
}
