package eql

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// literal reads a constant; nil where none stands here.
func (p *parser) literal() *Literal {
	t := p.tok
	l := &Literal{Span: t.span}
	switch t.kind {
	case tokString:
		l.Kind, l.Text = String, t.text
	case tokInteger, tokDecimal:
		p.advance()
		p.count()
		return p.number(t.span, t.text)
	case tokTrue, tokFalse:
		l.Kind, l.Bool = Bool, t.kind == tokTrue
	case tokNull:
		l.Kind = Null
	default:
		return nil
	}
	p.advance()
	p.count()
	return l
}

// number reads a number's text: an integer that fits 64 bits, with or without a sign, or else a double.
func (p *parser) number(span Span, text string) *Literal {
	l := &Literal{Span: span, Text: text}
	if !strings.ContainsAny(text, ".eE") {
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			l.Kind, l.Int = Int, i
			return l
		}
		if u, err := strconv.ParseUint(text, 10, 64); err == nil {
			l.Kind, l.Uint = Uint, u
			return l
		}
	}
	l.Kind = Float
	l.Float, _ = strconv.ParseFloat(text, 64) // the token's form leaves only the range to fail
	if math.IsInf(l.Float, 0) {
		p.fail(span, CodeSyntax, fmt.Sprintf("the number %s is too large for a double", clip(text)), "Write a number below 1.8e308.")
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

func (l *Literal) isNumber() bool { return l.Kind == Int || l.Kind == Uint || l.Kind == Float }
