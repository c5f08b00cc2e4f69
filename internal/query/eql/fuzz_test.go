package eql_test

import (
	"errors"
	"testing"
	"unicode/utf8"

	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
)

// FuzzParse holds that any text gives a tree or errors with positions in the text, and that a
// printed tree reads as the same tree.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		``,
		`any where true`,
		`"a b" where not (?a.b : ("x*", """y\""") or c not in~ ("z", "w")) and length(d) >= -1.5e3`,
		"process where `a.b`.c != null // comment\n and startsWith~(x, \"\\u{e9}\\n\")",
		`file where -(a + b) * 2 % 3 - -4 == +5 and a regex~ "[a-z]+" /* a /* b */ c */`,
		`file where (-1) : "x" and -1 : "x" and --a > 0 and (a and b) and (c or (d or e))`,
		`file where 18446744073709551615 > a or 99999999999999999999 < a or .5 == a`,
		`sequence by a [any where true] [any where false] with runs=2`,
		`sequence by a, ?b with maxspan=90s [a where b] by c ![d where e[0]] by f until [g where (h]`,
		`sample by a [any where b == 1] by c [any where d] by e | tail 3`,
		`sequence with maxspan=1.5m [a where b [c where d] by e(f), with runs = 0 until ![ | head -1`,
		`process where a | head 5 | tail 1`,
		`process where descendant of [process where true] and b`,
		`process where a == 'x' AND b[0] !: ?"y" || !c <> "\q" and wildcard(d, *)`,
		`process where ((a in (1, 2`,
		`process where "C:\" and x : "abc"`,
		"any where `` or “x” == \u00a0 ~ a.in.5x /*",
		"any where \"\xff\" : `\xff` \xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := eql.ParseStatement(text)
		if err != nil {
			checkErrors(t, text, err)
			return
		}
		for _, q := range s.Queries() {
			cond.Walk(q.Where, func(e cond.Expr) bool {
				if r := e.Range(); r.Start < 0 || r.End <= r.Start || r.End > len(text) {
					t.Errorf("%q: %T has the range %v", text, e, r)
				}
				return true
			})
		}
		again, err := eql.ParseStatement(s.String())
		if err != nil {
			t.Fatalf("%q printed as %q: %v", text, s, err)
		}
		if diff := difference(s, again); diff != "" {
			t.Fatalf("%q printed as %q: first -, again +\n%s", text, s, diff)
		}
		if s.String() != again.String() {
			t.Fatalf("%q printed as %q, then as %q", text, s, again)
		}
	})
}

func checkErrors(t *testing.T, text string, err error) {
	t.Helper()
	var all cond.Errors
	if !errors.As(err, &all) || len(all) == 0 {
		t.Fatalf("%q: got %T %v, want Errors", text, err, err)
	}
	for i, e := range all {
		if e.Line < 1 || e.Column < 1 || e.Message == "" || e.Span.Start < 0 ||
			e.Span.End > len(text) ||
			e.Span.End < e.Span.Start {
			t.Errorf("%q: bad error %+v", text, e)
		}
		if i > 0 && e.Span.Start < all[i-1].Span.Start {
			t.Errorf("%q: errors out of order: %v", text, all)
		}
		if said := e.Error() + e.Advice; utf8.ValidString(text) && !utf8.ValidString(said) {
			t.Errorf("%q: the error is not UTF-8: %q", text, said)
		}
	}
}
