package eql

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// predicate = primary ( ( ":" | like | regex ) constants | not? in "(" … ")" )?
func (p *parser) predicate() Expr {
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
		p.fail(Span{p.tok.span.Start, p.ahead.span.End}, CodeSyntax, fmt.Sprintf("EQL has no not %s", p.ahead.text),
			fmt.Sprintf("Write not before the field: not field %s …", p.ahead.text))
		p.advance()
	}
	if !p.tok.kind.isLike() {
		return subject
	}
	return p.like(start, subject)
}

// meantPredicate turns IN, LIKE, REGEX behind an operand into the keywords.
func (p *parser) meantPredicate() {
	if p.tok.kind != tokIdentifier && p.tok.kind != tokTilde {
		return
	}
	word := strings.ToLower(p.tok.text)
	switch kind := keyword(word); {
	case kind == tokIn, kind == tokInFold, kind.isLike():
		p.lowerCase(word)
	case kind == tokNot && (p.ahead.kind == tokIn || p.ahead.kind == tokInFold):
		p.lowerCase(word)
	}
}

func (k tokenKind) isLike() bool {
	switch k {
	case tokColon, tokLike, tokLikeFold, tokRegex, tokRegexFold:
		return true
	}
	return false
}

// in = ( in | in~ ) "(" condition ( "," condition )* ")"
func (p *parser) in(start int, subject Expr, isNegated bool) Expr {
	op := p.advance()
	e := &In{Subject: subject, Negated: isNegated, Fold: op.kind == tokInFold}
	p.count()
	if p.tok.kind != tokOpenParen {
		p.unexpected(fmt.Sprintf(`"(" after %s`, op.text), `The values stand in parentheses: field in ("a", "b").`)
		p.primary()
	} else {
		e.List = p.list("a value", p.condition)
	}
	e.Span = p.from(start)
	return e
}

// like = operator ( constant | "(" constant ( "," constant )* ")" )
func (p *parser) like(start int, subject Expr) Expr {
	op := p.advance()
	e := &Like{Subject: subject, Op: likeOp(op.kind)}
	p.count()
	constant := func() Expr {
		c := p.constant(op)
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
		p.fail(p.tok.span, CodeSyntax, "comparisons do not chain", "Join two of them with and.")
		p.skip()
	}
	return e
}

func likeOp(kind tokenKind) LikeOp {
	switch kind {
	case tokLike:
		return LikeExact
	case tokLikeFold:
		return LikeFold
	case tokRegex:
		return Regex
	case tokRegexFold:
		return RegexFold
	}
	return Colon
}

// list reads "(" element ( "," element )* ")"; what names an element in a message.
func (p *parser) list(what string, element func() Expr) []Expr {
	open := p.advance()
	if !p.enter() {
		return nil
	}
	defer p.leave()
	if p.tok.kind == tokCloseParen {
		p.unexpected(what, "")
		p.advance()
		return nil
	}
	return p.elements(open, element)
}

// elements reads element ( "," element )* ")".
func (p *parser) elements(open token, element func() Expr) []Expr {
	var list []Expr
	for {
		list = append(list, element())
		switch p.tok.kind {
		case tokComma:
		case tokCloseParen:
			p.advance()
			return list
		case tokAnd, tokOr:
			// Left by an element that is only a constant.
			p.unexpected(`"," or ")"`, "")
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
	if p.tok.kind == tokEOF || p.tok.kind == tokPipe {
		p.fail(open.span, CodeSyntax, `"(" is not closed`, "")
		return
	}
	p.unexpected(`"," or ")"`, "")
	p.skip()
	p.take(tokCloseParen)
}

// constant reads the right side of an operator that takes constants only.
func (p *parser) constant(op token) *Literal {
	t := p.tok
	if c := p.literal(); c != nil {
		return c
	}
	want := fmt.Sprintf("a string after %s", strconv.Quote(op.text))
	if op.kind != tokColon {
		want = "a string after " + op.text
	}
	advice := ""
	switch t.kind {
	case tokIdentifier, tokQuoted, tokTilde, tokOptional:
		p.operandForConstant(want)
	case tokPlus, tokMinus:
		p.unexpected(want, "A number with a sign is compared with ==.")
		p.advance()
		p.literal()
	case tokOpenParen:
		p.unexpected(want, "")
		p.skip()
	default:
		if t.kind == tokStar {
			advice = `A pattern stands in quotes: "*.exe".`
		}
		p.unexpected(want, advice)
		p.skip()
	}
	return &Literal{Span: p.from(t.span.Start)}
}

// operandForConstant reads a field or a call where a constant has to stand, and reports it.
func (p *parser) operandForConstant(want string) {
	before := len(p.errors)
	start := p.tok.span
	e := p.primary()
	if len(p.errors) > before {
		return
	}
	found := "a function"
	if field, ok := e.(*Field); ok {
		found = "field `" + clip(field.Path) + "`"
	}
	p.fail(Span{start.Start, e.Range().End}, CodeType, fmt.Sprintf("expected %s, found %s", want, found),
		"EQL compares a field with constants only.")
}

// primary = constant | call | field | "(" condition ")"
func (p *parser) primary() Expr {
	switch t := p.tok; t.kind {
	case tokOpenParen:
		return p.parenthesised()
	case tokIdentifier, tokTilde:
		if p.ahead.kind == tokOpenParen || t.kind == tokTilde {
			return p.call()
		}
		return p.field()
	case tokQuoted, tokOptional:
		return p.field()
	}
	if c := p.literal(); c != nil {
		return c
	}
	return p.missingOperand()
}

// missingOperand reports what stands where an operand has to.
func (p *parser) missingOperand() Expr {
	t := p.tok
	advice := ""
	switch {
	case t.kind == tokNot:
		advice = "Put the negation into parentheses: (not …) == true."
	case t.kind == tokStar:
		advice = `A pattern stands in quotes: "*.exe".`
	case t.kind.isKeyword() && t.kind != tokAnd && t.kind != tokOr:
		advice = fmt.Sprintf("A field of that name goes into backquotes: `%s`.", t.text)
	}
	p.unexpected("a field, a constant or a function", advice)
	switch t.kind {
	case tokAnd, tokOr, tokComma, tokPipe, tokCloseParen, tokCloseBracket, tokEOF:
	default:
		p.advance()
		p.skip()
	}
	return p.nothing()
}

// parenthesised = "(" condition ")"; the parentheses leave no node, their span is not the node's.
func (p *parser) parenthesised() Expr {
	open := p.advance()
	if !p.enter() {
		return p.nothing()
	}
	defer p.leave()
	e := p.condition()
	if p.take(tokCloseParen) {
		return e
	}
	if p.tok.kind == tokComma {
		p.unexpected(`")"`, `A list follows an operator: field in ("a", "b"), field : ("a", "b").`)
		p.skipTo(tokCloseParen)
		p.take(tokCloseParen)
		return e
	}
	p.unclosed(open)
	return e
}

// skipTo skips to the token, over commas and operators, but not over the bracket around it.
func (p *parser) skipTo(kind tokenKind) {
	for p.skip(); p.tok.kind != kind; p.skip() {
		switch p.tok.kind {
		case tokEOF, tokPipe, tokCloseParen, tokCloseBracket:
			return
		}
		p.advance()
	}
}

// field = "?"? name ( "." name | "[" digits "]" )*
func (p *parser) field() Expr {
	start := p.tok.span.Start
	f := &Field{Optional: p.take(tokOptional)}
	var path []string
	for {
		switch p.tok.kind {
		case tokIdentifier, tokQuoted:
			path = append(path, p.advance().text)
		default:
			p.badPart(f.Optional && len(path) == 0)
		}
		for p.tok.kind == tokOpenBracket {
			p.index()
		}
		if !p.take(tokDot) {
			break
		}
	}
	p.count()
	f.Path = strings.Join(path, ".")
	f.Span = p.from(start)
	return f
}

// badPart reports what stands where a part of a field's name has to.
func (p *parser) badPart(optional bool) {
	want, advice := `a name after "."`, ""
	if optional {
		want = `a field after "?"`
	}
	if p.tok.kind.isKeyword() {
		advice = fmt.Sprintf("%s is a keyword; write it in backquotes: `%s`.", p.tok.text, p.tok.text)
	}
	p.unexpected(want, advice)
	if p.tok.kind.isKeyword() && p.tok.kind != tokAnd && p.tok.kind != tokOr || p.tok.kind == tokTilde {
		p.advance()
	}
}

// index = "[" digits+ "]", which Elasticsearch reads and refuses too.
func (p *parser) index() {
	start := p.advance().span.Start
	for p.tok.kind != tokCloseBracket && p.tok.kind != tokEOF {
		p.advance()
	}
	p.take(tokCloseBracket)
	p.fail(p.from(start), CodeSyntax, "array indexes are not supported",
		"Take the index away: a condition holds where any value of the array fits.")
}

// call = name "(" ( condition ( "," condition )* )? ")"
func (p *parser) call() Expr {
	name := p.advance()
	e := &Call{Name: strings.TrimSuffix(name.text, "~"), Fold: name.kind == tokTilde}
	if p.tok.kind != tokOpenParen {
		p.unexpected(`"(" after the function `+clip(name.text), "")
		return &Literal{Span: name.span}
	}
	if p.ahead.kind == tokCloseParen {
		p.advance()
		p.advance()
	} else {
		e.Args = p.list("an argument", p.condition)
	}
	p.count()
	e.Span = p.from(name.span.Start)
	p.resolve(e, name)
	return e
}

// resolve gives the call its function's proper name, and reports what does not fit the function.
func (p *parser) resolve(e *Call, name token) {
	f, ok := lookUp(e.Name)
	if !ok {
		p.fail(name.span, CodeFunction, fmt.Sprintf("unknown function %s", clip(e.Name)), functionAdvice(e.Name))
		return
	}
	e.Name = f.name
	if e.Fold && !f.fold {
		p.fail(name.span, CodeFunction, fmt.Sprintf("the function %s has no variant with ~", f.name),
			fmt.Sprintf("Letter case makes no difference to it: write %s.", f.name))
		return
	}
	if len(e.Args) < f.least || f.most >= 0 && len(e.Args) > f.most {
		p.fail(e.Span, CodeFunction, fmt.Sprintf("the function %s takes %s, found %d", f.name, f.arguments(), len(e.Args)), "")
	}
}

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
		p.fail(span, CodeSyntax, fmt.Sprintf("the number %s is too large for a double", clip(text)), "")
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
