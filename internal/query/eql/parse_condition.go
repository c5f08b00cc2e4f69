package eql

import (
	"fmt"
	"strings"
)

// condition = and ( or and )*
func (p *parser) condition() Expr {
	start := p.tok.span.Start
	operands := []Expr{p.conjunction()}
	for p.take(tokOr) {
		operands = append(operands, p.conjunction())
	}
	if len(operands) == 1 {
		return operands[0]
	}
	p.count()
	return &Or{Span: p.from(start), Operands: operands}
}

// conjunction = negation ( and negation )*
func (p *parser) conjunction() Expr {
	start := p.tok.span.Start
	operands := []Expr{p.negation()}
	for p.take(tokAnd) {
		operands = append(operands, p.negation())
	}
	if len(operands) == 1 {
		return operands[0]
	}
	p.count()
	return &And{Span: p.from(start), Operands: operands}
}

// negation = not negation | name of [ … ] | comparison
func (p *parser) negation() Expr {
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
		return &Not{Span: p.from(start), Operand: operand}
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
	case tokIdentifier, tokQuoted, tokTilde, tokOptional, tokOpenParen, tokString, tokInteger, tokDecimal, tokNot:
		p.lowerCase("not")
	}
}

// lowerCase reports a keyword that was not written in lower case, and takes it for the keyword.
func (p *parser) lowerCase(word string) {
	p.fail(p.tok.span, CodeSyntax, fmt.Sprintf("expected keyword %s, found name %s", name(word), name(p.tok.text)),
		fmt.Sprintf("Keywords are lower-case: write %s.", word))
	p.tok.kind = keyword(word)
}

// relationship = name of "[" … "]", which Elasticsearch reads and refuses too.
func (p *parser) relationship() Expr {
	start := p.tok.span.Start
	relation := p.advance()
	p.advance()
	if p.tok.kind != tokOpenBracket {
		p.unexpected(`"[" after `+name("of"), "It belongs to process relationships, which are not supported; a field of that name goes into backquotes.")
		p.skip()
		return &Literal{Span: p.from(start)}
	}
	p.fail(p.from(start), CodeUnsupported,
		fmt.Sprintf("process relationships (%s of) are not supported", clip(relation.text)),
		"Only single events are searched for: compare fields such as process.parent.name.")
	p.skip()
	return &Literal{Span: p.from(start)}
}

// comparison = sum ( operator sum )?
func (p *parser) comparison() Expr {
	start := p.tok.span.Start
	left := p.sum()
	op, ok := p.comparisonOperator()
	if !ok {
		return p.endOfOperand(left)
	}
	p.advance()
	right := p.sum()
	p.count()
	e := &Compare{Span: p.from(start), Op: op, Left: left, Right: right}
	for {
		if _, ok := p.comparisonOperator(); !ok {
			return p.endOfOperand(e)
		}
		p.fail(p.tok.span, CodeSyntax, "comparisons do not chain", "Join two of them with and: f > 1 and f < 5.")
		p.advance()
		p.sum()
	}
}

// comparisonOperator tells which comparison stands here. "=" is taken for the "==" that was meant.
func (p *parser) comparisonOperator() (CompareOp, bool) {
	switch p.tok.kind {
	case tokEqual:
		return Equal, true
	case tokNotEqual:
		return NotEqual, true
	case tokLess:
		return Less, true
	case tokLessOrEqual:
		return LessOrEqual, true
	case tokGreater:
		return Greater, true
	case tokGreaterOrEqual:
		return GreaterOrEqual, true
	case tokAssign:
		p.fail(p.tok.span, CodeSyntax, `"=" does not compare`, "Write ==, or : to ignore letter case.")
		return Equal, true
	}
	return 0, false
}

// endOfOperand sees to it that what follows an operand of and, or, not can follow it.
func (p *parser) endOfOperand(e Expr) Expr {
	p.meantOperator()
	switch p.tok.kind {
	case tokAnd, tokOr, tokComma, tokPipe, tokCloseParen, tokCloseBracket, tokEOF:
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

// sum = product ( ( "+" | "-" ) product )*
func (p *parser) sum() Expr {
	start := p.tok.span.Start
	left := p.product()
	for {
		var op ArithmeticOp
		switch p.tok.kind {
		case tokPlus:
			op = Add
		case tokMinus:
			op = Subtract
		default:
			return left
		}
		p.advance()
		left = p.binary(start, op, left, p.product())
		p.meantHyphen(left)
	}
}

// meantHyphen reports a name with a hyphen before an operator on texts: a-b : "x" reads as a - (b : "x").
func (p *parser) meantHyphen(e Expr) {
	b, ok := e.(*Binary)
	if !ok || b.Op != Subtract {
		return
	}
	var subject Expr
	switch right := b.Right.(type) {
	case *Like:
		subject = right.Subject
	case *In:
		subject = right.Subject
	default:
		return
	}
	read := &Binary{Span: Span{b.Start, subject.Range().End}, Op: Subtract, Left: b.Left, Right: subject}
	if meant, ok := Hyphenated(p.text, read); ok {
		p.fail(read.Span, CodeSyntax, "a field's name without backquotes has no -", hyphenAdvice(meant))
	}
}

// product = signed ( ( "*" | "/" | "%" ) signed )*
func (p *parser) product() Expr {
	start := p.tok.span.Start
	left := p.signed()
	for {
		var op ArithmeticOp
		switch p.tok.kind {
		case tokStar:
			op = Multiply
		case tokSlash:
			op = Divide
		case tokPercent:
			op = Modulo
		default:
			return left
		}
		p.advance()
		left = p.binary(start, op, left, p.signed())
	}
}

func (p *parser) binary(start int, op ArithmeticOp, left, right Expr) Expr {
	p.count()
	return &Binary{Span: p.from(start), Op: op, Left: left, Right: right}
}

// signed = ( "-" | "+" ) signed | predicate
func (p *parser) signed() Expr {
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
	if number, ok := operand.(*Literal); ok && number.isNumber() {
		return p.number(span, negated(number.Text))
	}
	p.count()
	return &Negate{Span: span, Operand: operand}
}

// nothing stands where an operand is missing.
func (p *parser) nothing() Expr { return &Literal{Span: Span{p.last, p.last}} }
