package eql

import (
	"fmt"
	"strings"

	"esrule/internal/query/cond"
)

// primary = constant | call | field | "(" condition ")".
func (p *parser) primary() cond.Expr {
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

// missingOperand reports what is there instead of an operand.
func (p *parser) missingOperand() cond.Expr {
	t := p.tok
	if start := p.wordStart(p.last); p.last-start > 1 && p.text[p.last-1] == '*' {
		// A * at the end of a word reads as a multiplication.
		word := clip(p.text[start:p.last])
		p.fail(cond.Span{Start: start, End: p.last}, cond.CodeSyntax, name(word)+
			" is written without quotes", unquoted(word, "=="))
		return p.nothing()
	}
	advice := p.operandAdvice()
	p.unexpected("a field, a constant or a function", advice)
	switch t.kind {
	case tokAnd, tokOr, tokComma, tokPipe, tokCloseParen, tokCloseBracket, tokEOF:
	default:
		p.advance()
		p.skip()
	}
	return p.nothing()
}

// operandAdvice says what to write where an operand is missing.
func (p *parser) operandAdvice() string {
	t := p.tok
	word := p.rawWord(t.span.Start)
	switch {
	case t.kind == tokNot:
		return "Put the negation into parentheses: (not …) == true."
	case t.kind == tokStar && word == "*":
		return existence("field")
	case t.kind == tokStar, t.kind == tokSlash && len(word) > 1:
		return unquoted(word, "==")
	case t.kind == tokColon && strings.Count(word, ":") > 1:
		return fmt.Sprintf("An address is written in quotes: %s.", quote(word))
	case t.kind.isLike() && p.ahead.kind == tokOpenParen:
		return fmt.Sprintf("It is an operator and no function: field %s \"pattern\".", t.text)
	case t.kind.isKeyword() && t.kind != tokAnd && t.kind != tokOr:
		return fmt.Sprintf("A field of that name goes into backquotes: `%s`.", t.text)
	case t.kind == tokOpenBracket:
		return listAdvice
	case t.kind == tokDot:
		return "A field's name begins with a letter, _ or @."
	}
	return "A condition must be on both sides of and, or; a value on both sides of an operator."
}

// parenthesised = "(" condition ")"; the parentheses leave no node, their span is not the node's.
func (p *parser) parenthesised() cond.Expr {
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

// field = "?"? name ( "." name | "[" digits "]" )*.
func (p *parser) field() cond.Expr {
	start := p.tok.span.Start
	f := &cond.Field{Optional: p.take(tokOptional)}
	var path []string
	for {
		switch p.tok.kind {
		case tokIdentifier, tokQuoted:
			path = append(path, p.advance().text)
		default:
			p.badPart(f.Optional && len(path) == 0)
		}
		// In a sequence, a bracket after a field begins a stage.
		for p.tok.kind == tokOpenBracket && (!p.staged || p.ahead.kind == tokInteger) {
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

// badPart reports what is there instead of a part of a field's name.
func (p *parser) badPart(optional bool) {
	want, advice := `a name after "."`, "Take the dot away, or write the rest of the name."
	if optional {
		want, advice = `a field after "?"`, "Write the field's name after the ?."
	}
	if p.tok.kind.isKeyword() {
		advice = fmt.Sprintf("It is a keyword; write it in backquotes: `%s`.", p.tok.text)
	}
	p.unexpected(want, advice)
	if p.tok.kind.isKeyword() && p.tok.kind != tokAnd && p.tok.kind != tokOr ||
		p.tok.kind == tokTilde {
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
	p.fail(p.from(start), cond.CodeSyntax, "array indexes are not supported",
		"Take the index away: a condition holds where any value of the array fits.")
}

// call = name "(" ( condition ( "," condition )* )? ")".
func (p *parser) call() cond.Expr {
	word := p.advance()
	e := &cond.Call{Name: strings.TrimSuffix(word.text, "~"), Fold: word.kind == tokTilde}
	if p.tok.kind != tokOpenParen {
		p.unexpected(`"(" after the function `+name(word.text),
			fmt.Sprintf("Write its arguments: %s(field, …).", word.text))
		return &cond.Literal{Span: word.span}
	}
	if p.ahead.kind == tokCloseParen {
		p.advance()
		p.advance()
	} else {
		e.Args = p.list("an argument", p.condition)
	}
	p.count()
	e.Span = p.from(word.span.Start)
	p.resolve(e, word)
	return e
}

// resolve sets the call's name and result to its function's own, and reports what does not fit the
// function.
func (p *parser) resolve(e *cond.Call, word token) {
	f, ok := lookUp(e.Name)
	if !ok {
		p.fail(word.span, cond.CodeFunction, "unknown function "+name(e.Name),
			functionAdvice(e.Name))
		return
	}
	e.Name, e.Result = f.name, f.result
	if e.Fold && !f.fold {
		p.fail(word.span, cond.CodeFunction, fmt.Sprintf("the function %s has no variant with ~",
			name(f.name)),
			fmt.Sprintf("Letter case makes no difference to it: write %s.", f.name))
		return
	}
	if len(e.Args) < f.least || f.most >= 0 && len(e.Args) > f.most {
		p.fail(e.Span, cond.CodeFunction, fmt.Sprintf("the function %s takes %s, found %d",
			name(f.name), f.count(), len(e.Args)), "Write "+f.usage()+".")
	}
}
