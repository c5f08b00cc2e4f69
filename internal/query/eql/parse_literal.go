package eql

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"esrule/internal/query/cond"
)

// literal reads a constant; nil where there is none.
func (p *parser) literal() *cond.Literal {
	t := p.tok
	l := &cond.Literal{Span: t.span}
	switch t.kind {
	case tokString:
		l.Kind, l.Text = cond.String, t.text
	case tokInteger, tokDecimal:
		p.advance()
		p.count()
		return p.number(t.span, t.text)
	case tokTrue, tokFalse:
		l.Kind, l.Bool = cond.Bool, t.kind == tokTrue
	case tokNull:
		l.Kind = cond.Null
	default:
		return nil
	}
	p.advance()
	p.count()
	return l
}

// number reads a number's text: an integer that fits 64 bits, with or without a sign, or else a
// double.
func (p *parser) number(span cond.Span, text string) *cond.Literal {
	l := &cond.Literal{Span: span, Text: text}
	if !strings.ContainsAny(text, ".eE") {
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			l.Kind, l.Int = cond.Int, i
			return l
		}
		if u, err := strconv.ParseUint(text, 10, 64); err == nil {
			l.Kind, l.Uint = cond.Uint, u
			return l
		}
	}
	l.Kind = cond.Float
	l.Float, _ = strconv.ParseFloat(text, 64) // the token's form leaves only the range to fail
	if math.IsInf(l.Float, 0) {
		p.fail(span, cond.CodeSyntax, fmt.Sprintf("the number %s is too large for a double",
			clip(text)), "Write a number below 1.8e308.")
	}
	return l
}

// negated puts a sign before a number's text, or takes it away.
func negated(text string) string {
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		return rest
	}
	return "-" + text
}
