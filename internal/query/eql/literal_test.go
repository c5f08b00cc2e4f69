package eql_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
)

func TestLiteral(t *testing.T) {
	f := func(text string, want cond.Literal) {
		t.Helper()
		q, err := eql.Parse("any where f == " + text)
		if err != nil {
			t.Errorf("%s: got error %v, want %+v", text, err, want)
			return
		}
		got := q.Where.(*cond.Compare).Right.(*cond.Literal)
		if diff := cmp.Diff(&want, got, cmpopts.IgnoreTypes(cond.Span{})); diff != "" {
			t.Errorf("%s: want -, got +\n%s", text, diff)
		}
	}
	integer := func(text string, value int64) cond.Literal {
		return cond.Literal{Kind: cond.Int, Text: text, Int: value}
	}
	double := func(text string, value float64) cond.Literal {
		return cond.Literal{Kind: cond.Float, Text: text, Float: value}
	}
	str := func(value string) cond.Literal { return cond.Literal{Kind: cond.String, Text: value} }

	f(`null`, cond.Literal{})
	f(`true`, cond.Literal{Kind: cond.Bool, Bool: true})
	f(`false`, cond.Literal{Kind: cond.Bool})

	f(`0`, integer("0", 0))
	f(`007`, integer("007", 7))
	f(`-0`, integer("-0", 0))
	f(`9223372036854775807`, integer("9223372036854775807", math.MaxInt64))
	f(`-9223372036854775808`, integer("-9223372036854775808", math.MinInt64))
	f(`9223372036854775808`, cond.Literal{Kind: cond.Uint, Text: "9223372036854775808",
		Uint: 1 << 63})
	f(`18446744073709551615`, cond.Literal{Kind: cond.Uint, Text: "18446744073709551615",
		Uint: math.MaxUint64})
	f(`18446744073709551616`, double("18446744073709551616", 1<<64))
	f(`-9223372036854775809`, double("-9223372036854775809", -(1<<63)))
	f(`1.`, double("1.", 1))
	f(`.5`, double(".5", 0.5))
	f(`1.5`, double("1.5", 1.5))
	f(`-1.5`, double("-1.5", -1.5))
	f(`1e5`, double("1e5", 1e5))
	f(`1E+5`, double("1E+5", 1e5))
	f(`.5e-3`, double(".5e-3", 0.5e-3))
	f(`1.e3`, double("1.e3", 1e3))
	f(`1e-999`, double("1e-999", 0))

	f(`""`, str(""))
	f(`"a b"`, str("a b"))
	f(`"\b\t\n\f\r\"\'\\"`, str("\b\t\n\f\r\"'\\"))
	f(`"'"`, str("'"))
	f(`"?:\\a\\*"`, str(`?:\a\*`))
	f(`"\u{e9}\u{00e9}\u{0001F600}"`, str("éé😀"))
	f(`"\u{00}"`, str("\x00"))
	f(`"\\u{e9}"`, str(`\u{e9}`))
	f("\"\tü\"", str("\tü"))

	f(`"""a"""`, str(`a`))
	f(`""""""`, str(``))
	f(`"""C:\new\*"""`, str(`C:\new\*`))
	f(`"""a"b""c"""`, str(`a"b""c`))
	f(`"""a""""`, str(`a"`))
	f(`"""a"""""`, str(`a""`))
	f(`""""a"""`, str(`"a`))
	f(`""""""""`, str(`""`))
	f(`"""\"""`, str(`\`))
}
