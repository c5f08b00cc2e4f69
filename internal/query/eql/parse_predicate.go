package eql

import (
	"fmt"
	"strconv"
	"strings"

	"esrule/internal/query/cond"
)

// predicate = primary ( ( ":" | like | regex ) constants | not? in "(" … ")" )?
func (p *parser) predicate() cond.Expr {
	start := p.tok.span.Start
	subject := p.primary()
	p.meantPredicate()
	switch {
	case p.tok.kind == tokNot && (p.ahead.kind == tokIn || p.ahead.kind == tokInFold):
		p.advance()
		return p.in(start, subject, true)
	case p.tok.kind == tokIn || p.tok.kind == tokInFold:
		return p.in(start, subject, false)
	case p.tok.kind == tokNot && p.ahead.kind.isLike():
		p.fail(cond.Span{Start: p.tok.span.Start, End: p.ahead.span.End}, cond.CodeSyntax,
			fmt.Sprintf("EQL has no `not %s`", p.ahead.text),
			fmt.Sprintf("Write not before the field: not %s %s …", p.subject(subject),
				p.ahead.text))
		p.advance()
	}
	if !p.tok.kind.isLike() {
		return subject
	}
	return p.like(start, subject)
}

// meantPredicate turns IN, LIKE, REGEX after an operand into the keywords.
func (p *parser) meantPredicate() {
	if p.tok.kind != tokIdentifier && p.tok.kind != tokTilde {
		return
	}
	word := strings.ToLower(p.tok.text)
	switch kind := keyword(word); {
	case kind == tokIn, kind == tokInFold, kind.isLike():
		p.lowerCase(word)
	case kind == tokNot:
		ahead := keyword(strings.ToLower(p.ahead.text))
		if p.ahead.kind != tokString && (ahead == tokIn || ahead == tokInFold) {
			p.lowerCase(word)
			p.ahead.kind = ahead
		}
	}
}

func (k tokenKind) isLike() bool {
	switch k {
	case tokColon, tokLike, tokLikeFold, tokRegex, tokRegexFold:
		return true
	}
	return false
}

// in = ( in | in~ ) "(" condition ( "," condition )* ")".
func (p *parser) in(start int, subject cond.Expr, isNegated bool) cond.Expr {
	op := p.advance()
	e := &cond.In{Subject: subject, Negated: isNegated, Fold: op.kind == tokInFold}
	p.count()
	if p.tok.kind != tokOpenParen {
		p.unexpected(`"(" after `+name(op.text),
			`The values stand in parentheses: field in ("a", "b").`)
		if p.tok.kind == tokOpenBracket {
			p.skip()
		} else {
			p.primary()
		}
	} else {
		e.List = p.list("a value", p.condition)
	}
	e.Span = p.from(start)
	return e
}

// like = operator ( constant | "(" constant ( "," constant )* ")" ).
func (p *parser) like(start int, subject cond.Expr) cond.Expr {
	op := p.advance()
	e := &cond.Like{Subject: subject, Op: likeOp(op.kind)}
	p.count()
	constant := func() cond.Expr {
		c := p.constant(op, subject)
		e.Patterns = append(e.Patterns, c)
		return c
	}
	if p.tok.kind == tokOpenParen {
		e.List = true
		p.list("a string", constant)
	} else {
		constant()
	}
	e.Span = p.from(start)
	if p.tok.kind.isLike() {
		p.fail(p.tok.span, cond.CodeSyntax, "comparisons do not chain",
			"Join two of them with and.")
		p.skip()
	}
	return e
}

func likeOp(kind tokenKind) cond.LikeOp {
	switch kind {
	case tokLike:
		return cond.LikeExact
	case tokLikeFold:
		return cond.LikeFold
	case tokRegex:
		return cond.Regex
	case tokRegexFold:
		return cond.RegexFold
	}
	return cond.Colon
}

// list reads "(" element ( "," element )* ")"; what names an element in a message.
func (p *parser) list(what string, element func() cond.Expr) []cond.Expr {
	open := p.advance()
	if !p.enter() {
		return nil
	}
	defer p.leave()
	if p.tok.kind == tokCloseParen {
		p.unexpected(what, "Put a value between the parentheses.")
		p.advance()
		return nil
	}
	return p.elements(open, element)
}

// elements reads element ( "," element )* ")".
func (p *parser) elements(open token, element func() cond.Expr) []cond.Expr {
	var list []cond.Expr
	for {
		list = append(list, element())
		switch p.tok.kind {
		case tokComma:
		case tokCloseParen:
			p.advance()
			return list
		case tokAnd, tokOr:
			// Left by an element that is only a constant.
			p.unexpected(`"," or ")"`, "The values of a list are separated by commas; any of "+
				"them may fit.")
			p.advance()
			p.skip()
			if p.tok.kind == tokComma {
				break
			}
			p.take(tokCloseParen)
			return list
		default:
			p.unclosed(open)
			return list
		}
		p.advance()
	}
}

// unclosed reports a parenthesis that does not end.
func (p *parser) unclosed(open token) {
	if p.ended() {
		p.fail(open.span, cond.CodeSyntax, `"(" is not closed`,
			"Write the ) where its part of the condition ends.")
		return
	}
	p.unexpected(`"," or ")"`, "The values of a list are separated by commas.")
	p.skip()
	p.take(tokCloseParen)
}

// constant reads the right side of an operator that takes constants only.
func (p *parser) constant(op token, subject cond.Expr) *cond.Literal {
	t := p.tok
	if c := p.literal(); c != nil {
		return c
	}
	want := fmt.Sprintf("a string after %s", strconv.Quote(op.text))
	if op.kind != tokColon {
		want = "a string after " + name(op.text)
	}
	word := p.rawWord(t.span.Start)
	switch t.kind {
	case tokIdentifier, tokQuoted, tokTilde, tokOptional:
		p.operandForConstant(want, op.text, subject)
	case tokPlus, tokMinus:
		p.unexpected(want, "A number with a sign is compared with ==.")
		p.advance()
		p.literal()
	case tokOpenParen:
		p.unexpected(want, "The values are strings, in one pair of parentheses.")
		p.skip()
	case tokOpenBracket:
		p.unexpected(want, listAdvice)
		p.skip()
	case tokStar:
		advice := unquoted(word, op.text)
		if word == "*" {
			advice = existence(p.subject(subject))
		}
		p.unexpected(want, advice)
		p.skip()
	case tokColon, tokSlash, tokDot, tokPercent:
		p.unexpected(want, unquoted(p.wordAround(t.span.Start), op.text))
		p.skip()
	default:
		p.unexpected(want, fmt.Sprintf("Write a text in quotes: field %s \"text\".", op.text))
		p.skip()
	}
	return &cond.Literal{Span: p.from(t.span.Start)}
}

// operandForConstant reads a field or a call where a constant has to be, and reports it.
func (p *parser) operandForConstant(want, op string, subject cond.Expr) {
	before := len(p.errors)
	start := p.tok.span.Start
	word := p.rawWord(start)
	e := p.primary()
	if len(p.errors) > before {
		return
	}
	found, advice := "a function", "EQL compares a field with constants only."
	if field, ok := e.(*cond.Field); ok {
		found, advice = "field "+name(field.Path), unquoted(word, op)
		if f, ok := subject.(*cond.Field); ok && isExistence(f.Path) {
			advice = fmt.Sprintf("Write %s != null.", word)
		}
		for p.last < start+len(word) && p.tok.kind != tokEOF { // the rest of the word
			p.advance()
		}
	}
	p.fail(cond.Span{Start: start, End: e.Range().End}, cond.CodeType,
		fmt.Sprintf("expected %s, found %s", want, found), advice)
}
