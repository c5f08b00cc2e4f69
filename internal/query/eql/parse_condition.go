package eql

import (
	"fmt"
	"strings"

	"esrule/internal/query/cond"
)

// condition = and ( or and )*.
func (p *parser) condition() cond.Expr {
	start := p.tok.span.Start
	operands := []cond.Expr{p.conjunction()}
	for p.take(tokOr) {
		operands = append(operands, p.conjunction())
	}
	if len(operands) == 1 {
		return operands[0]
	}
	p.count()
	return &cond.Or{Span: p.from(start), Operands: operands}
}

// conjunction = negation ( and negation )*.
func (p *parser) conjunction() cond.Expr {
	start := p.tok.span.Start
	operands := []cond.Expr{p.negation()}
	for p.take(tokAnd) {
		operands = append(operands, p.negation())
	}
	if len(operands) == 1 {
		return operands[0]
	}
	p.count()
	return &cond.And{Span: p.from(start), Operands: operands}
}

// negation = not negation | name of [ … ] | comparison.
func (p *parser) negation() cond.Expr {
	p.meantNot()
	switch {
	case p.tok.kind == tokNot:
		start := p.advance().span.Start
		if !p.enter() {
			return p.nothing()
		}
		defer p.leave()
		operand := p.negation()
		p.count()
		return &cond.Not{Span: p.from(start), Operand: operand}
	case p.tok.kind == tokIdentifier && p.ahead.kind == tokOf:
		return p.relationship()
	}
	return p.comparison()
}

// meantNot turns NOT before an operand into not.
func (p *parser) meantNot() {
	if p.tok.kind != tokIdentifier || !strings.EqualFold(p.tok.text, "not") {
		return
	}
	switch p.ahead.kind {
	case tokIdentifier,
		tokQuoted,
		tokTilde,
		tokOptional,
		tokOpenParen,
		tokString,
		tokInteger,
		tokDecimal,
		tokNot:
		p.lowerCase("not")
	}
}

// lowerCase reports a keyword that was not written in lower case, and takes it for the keyword.
func (p *parser) lowerCase(word string) {
	p.fail(p.tok.span, cond.CodeSyntax, fmt.Sprintf("expected keyword %s, found name %s",
		name(word), name(p.tok.text)), fmt.Sprintf("Keywords are lower-case: write %s.", word))
	p.tok.kind = keyword(word)
}

// relationship = name of "[" … "]", which Elasticsearch reads and refuses too.
func (p *parser) relationship() cond.Expr {
	start := p.tok.span.Start
	relation := p.advance()
	p.advance()
	if p.tok.kind != tokOpenBracket {
		p.unexpected(`"[" after `+name("of"),
			"It belongs to process relationships, which are not supported; a field of that name "+
				"goes into backquotes.")
		p.skip()
		return &cond.Literal{Span: p.from(start)}
	}
	p.unsupported(p.from(start), "process relationship",
		fmt.Sprintf("process relationships (%s of) are not supported", clip(relation.text)),
		"Only single events are searched for: compare fields such as process.parent.name.")
	p.skip()
	return &cond.Literal{Span: p.from(start)}
}

// comparison = sum ( operator sum )?
func (p *parser) comparison() cond.Expr {
	start := p.tok.span.Start
	left := p.sum()
	op, ok := p.comparisonOperator()
	if !ok {
		return p.endOfOperand(left)
	}
	p.advance()
	right := p.sum()
	p.count()
	e := &cond.Compare{Span: p.from(start), Op: op, Left: left, Right: right}
	for {
		if _, ok := p.comparisonOperator(); !ok {
			return p.endOfOperand(e)
		}
		p.fail(p.tok.span, cond.CodeSyntax, "comparisons do not chain",
			"Join two of them with and: f > 1 and f < 5.")
		p.advance()
		p.sum()
	}
}

// comparisonOperator returns the comparison that is here. "=" is taken for the "==" that was meant.
func (p *parser) comparisonOperator() (cond.CompareOp, bool) {
	switch p.tok.kind {
	case tokEqual:
		return cond.Equal, true
	case tokNotEqual:
		return cond.NotEqual, true
	case tokLess:
		return cond.Less, true
	case tokLessOrEqual:
		return cond.LessOrEqual, true
	case tokGreater:
		return cond.Greater, true
	case tokGreaterOrEqual:
		return cond.GreaterOrEqual, true
	case tokAssign:
		p.fail(p.tok.span, cond.CodeSyntax, `"=" does not compare`,
			"Write ==, or : to ignore letter case.")
		return cond.Equal, true
	}
	return 0, false
}

// endOfOperand sees to it that what follows an operand of and, or, not can follow it.
func (p *parser) endOfOperand(e cond.Expr) cond.Expr {
	p.meantOperator()
	switch p.tok.kind {
	case tokAnd, tokOr, tokComma, tokPipe, tokCloseParen, tokCloseBracket, tokEOF:
		return e
	}
	if p.ended() {
		return e
	}
	want := "`and` or `or`"
	if p.depth > 0 {
		want = "`and`, `or` or \")\""
	}
	p.unexpected(want, p.afterOperand(e))
	p.skip()
	return e
}

// meantOperator turns AND, OR after an operand into the keywords.
func (p *parser) meantOperator() {
	if p.tok.kind != tokIdentifier {
		return
	}
	switch word := strings.ToLower(p.tok.text); word {
	case "and", "or":
		p.lowerCase(word)
	}
}

// sum = product ( ( "+" | "-" ) product )*.
func (p *parser) sum() cond.Expr {
	start := p.tok.span.Start
	left := p.product()
	for {
		var op cond.ArithmeticOp
		switch p.tok.kind {
		case tokPlus:
			op = cond.Add
		case tokMinus:
			op = cond.Subtract
		default:
			return left
		}
		p.advance()
		left = p.binary(start, op, left, p.product())
		p.meantHyphen(left)
	}
}

// meantHyphen reports a name with a hyphen before an operator on texts: a-b : "x" reads as a - (b :
// "x").
func (p *parser) meantHyphen(e cond.Expr) {
	b, ok := e.(*cond.Binary)
	if !ok || b.Op != cond.Subtract {
		return
	}
	var subject cond.Expr
	switch right := b.Right.(type) {
	case *cond.Like:
		subject = right.Subject
	case *cond.In:
		subject = right.Subject
	default:
		return
	}
	read := &cond.Binary{
		Span:  cond.Span{Start: b.Start, End: subject.Range().End},
		Op:    cond.Subtract,
		Left:  b.Left,
		Right: subject,
	}
	if meant, ok := cond.Hyphenated(p.text, read); ok {
		p.fail(read.Span, cond.CodeSyntax, "a field's name without backquotes has no -",
			hyphenAdvice(meant))
	}
}

// product = signed ( ( "*" | "/" | "%" ) signed )*.
func (p *parser) product() cond.Expr {
	start := p.tok.span.Start
	left := p.signed()
	for {
		var op cond.ArithmeticOp
		switch p.tok.kind {
		case tokStar:
			op = cond.Multiply
		case tokSlash:
			op = cond.Divide
		case tokPercent:
			op = cond.Modulo
		default:
			return left
		}
		p.advance()
		left = p.binary(start, op, left, p.signed())
	}
}

func (p *parser) binary(start int, op cond.ArithmeticOp, left, right cond.Expr) cond.Expr {
	p.count()
	return &cond.Binary{Span: p.from(start), Op: op, Left: left, Right: right}
}

// signed = ( "-" | "+" ) signed | predicate.
func (p *parser) signed() cond.Expr {
	sign := p.tok
	if sign.kind != tokMinus && sign.kind != tokPlus {
		return p.predicate()
	}
	p.advance()
	if !p.enter() {
		return p.nothing()
	}
	defer p.leave()
	operand := p.signed()
	if sign.kind == tokPlus {
		return operand
	}
	span := p.from(sign.span.Start)
	if number, ok := operand.(*cond.Literal); ok && cond.TypeOf(number) == cond.Number {
		return p.number(span, negated(number.Text))
	}
	p.count()
	return &cond.Negate{Span: span, Operand: operand}
}

// nothing returns what takes the place of a missing operand.
func (p *parser) nothing() cond.Expr {
	return &cond.Literal{Span: cond.Span{Start: p.last, End: p.last}}
}
