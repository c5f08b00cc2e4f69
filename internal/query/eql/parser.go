package eql

import (
	"fmt"
	"slices"

	"esrule/internal/query/cond"
)

// The limits of a query. They are far beyond any rule and keep every later pass cheap and its
// recursion shallow.
const (
	maxText   = 1 << 20
	maxDepth  = 100
	maxNodes  = 10_000
	maxErrors = 50
)

// Parse reads an event query without pipes. Any other statement is an error with
// [cond.CodeUnsupported]. The error is [cond.Errors], with everything that is wrong with the text.
func Parse(text string) (*cond.Query, error) {
	statement, err := ParseStatement(text)
	if err != nil {
		return nil, err
	}
	event, ok := statement.(*Event)
	if !ok {
		kind := statement.kind()
		return nil, cond.Errors{unsupported(text, newParser(text).tok.span, kind, kind+
			" queries are not supported",
			"Only single events are searched for: category where condition.")}
	}
	if len(event.Pipes) == 0 {
		return event.Query, nil
	}
	var refused cond.Errors
	for _, pipe := range event.Pipes {
		refused = append(refused, unsupported(text, pipe.Span, "pipe",
			unsupportedPipe(pipe.Kind.String()), pipeAdvice))
	}
	return nil, refused
}

// ParseStatement reads an event query, a sequence or a sample. The error is [cond.Errors], with
// everything that is wrong with the text.
func ParseStatement(text string) (Statement, error) {
	if len(text) > maxText {
		return nil, cond.Errors{cond.NewError(text, cond.Span{}, cond.CodeLimit,
			"the query is longer than 1 MiB", "Split the rule.")}
	}
	p := newParser(text)
	statement := p.statement()
	for _, query := range statement.Queries() {
		if !p.stopped {
			p.check(query)
		}
	}
	if len(p.errors) > 0 {
		return nil, p.inOrder()
	}
	return statement, nil
}

// unsupported makes an error about something that is not evaluated here; what names it in a word or
// two.
func unsupported(text string, span cond.Span, what, message, advice string) *cond.Error {
	e := cond.NewError(text, span, cond.CodeUnsupported, message, advice)
	e.What = what
	return e
}

func newParser(text string) *parser {
	p := &parser{text: text}
	p.lex = lexer{text: text, lost: -1, report: p.syntax}
	p.tok, p.ahead = p.lex.next(), p.lex.next()
	return p
}

// parser reads tokens by recursive descent, one method a rule of the grammar. A method that meets
// an error reports it, skips to where it can go on and returns a node all the same; the tree is
// thrown away in the end.
type parser struct {
	text       string
	lex        lexer
	tok, ahead token
	// last is the end of the token before tok.
	last int
	// staged is set while a sequence or a sample is read: a bracket begins or ends a stage.
	staged bool
	depth  int
	nodes  int
	errors cond.Errors
	// stopped is set when nothing further is worth reading; the parser then sees the end of the
	// text everywhere.
	stopped bool
}

// advance goes to the next token and returns the one that was current.
func (p *parser) advance() token {
	t := p.tok
	if t.kind == tokEOF {
		return t
	}
	p.last = t.span.End
	p.tok, p.ahead = p.ahead, p.lex.next()
	if p.stopped { // the lexer may have found one error too many
		p.stop()
	}
	return t
}

// end makes the token after the last one.
func (p *parser) end() token {
	return token{kind: tokEOF, span: cond.Span{Start: p.last, End: p.last}}
}

// take advances over a token of the kind, if it is there.
func (p *parser) take(kind tokenKind) bool {
	if p.tok.kind != kind {
		return false
	}
	p.advance()
	return true
}

// from returns the span from start to the end of the last token.
func (p *parser) from(start int) cond.Span {
	return cond.Span{Start: start, End: max(start, p.last)}
}

// add records an error, one at a place.
func (p *parser) add(span cond.Span, code cond.Code, message, advice string) {
	taken := func(e *cond.Error) bool { return e.Span.Start == span.Start }
	if p.stopped || slices.ContainsFunc(p.errors, taken) {
		return
	}
	p.errors = append(p.errors, cond.NewError(p.text, span, code, message, advice))
	if len(p.errors) >= maxErrors {
		p.stop()
	}
}

// syntax records an error of the lexer.
func (p *parser) syntax(span cond.Span, message, advice string) {
	p.add(span, cond.CodeSyntax, message, advice)
}

// fail records an error of the parser, unless the lexer had lost its way before: then it would only
// be an echo.
func (p *parser) fail(span cond.Span, code cond.Code, message, advice string) {
	if p.lex.lost < 0 || span.Start < p.lex.lost {
		p.add(span, code, message, advice)
	}
}

// unsupported records something that EQL has and that is not evaluated here. What names it in a
// word or two.
func (p *parser) unsupported(span cond.Span, what, message, advice string) {
	before := len(p.errors)
	p.fail(span, cond.CodeUnsupported, message, advice)
	if len(p.errors) > before {
		p.errors[before].What = what
	}
}

// unexpected records that the current token is not what has to be here.
func (p *parser) unexpected(want, advice string) {
	p.unexpectedAs(want, p.tok.describe(), advice)
}

func (p *parser) unexpectedAs(want, found, advice string) {
	span := p.tok.span
	switch p.tok.kind {
	case tokInvalid:
		return // reported by the lexer
	case tokEOF:
		span = cond.Span{Start: p.last, End: p.last} // not after the blank lines at the end
	}
	p.fail(span, cond.CodeSyntax, fmt.Sprintf("expected %s, found %s", want, found), advice)
}

// limit records that the query is too large and ends the reading.
func (p *parser) limit(message string) {
	p.add(p.tok.span, cond.CodeLimit, message,
		"Split the rule, or write lists: field in (…), field : (…).")
	p.stop()
}

func (p *parser) stop() {
	p.stopped = true
	p.tok = p.end()
	p.ahead = p.tok
}

// enter goes one level of nesting deeper; every rule that calls itself does, so that no text
// exhausts the stack. Where it returns false, the reading has ended.
func (p *parser) enter() bool {
	p.depth++
	if p.depth > maxDepth {
		p.limit(fmt.Sprintf("the condition is nested deeper than %d levels", maxDepth))
		return false
	}
	return true
}

func (p *parser) leave() { p.depth-- }

// count counts a node of the tree.
func (p *parser) count() {
	p.nodes++
	if p.nodes > maxNodes {
		p.limit("the condition has more than 10,000 operators, fields and constants")
	}
}

// skip goes on to where the surrounding rule can continue: and, or, a comma, a pipe, a closing
// bracket or the end. Brackets that open on the way are skipped with what they hold.
func (p *parser) skip() {
	open := 0
	for {
		switch p.tok.kind {
		case tokEOF:
			return
		case tokOpenParen, tokOpenBracket, tokMissingEvent:
			open++
		case tokCloseParen, tokCloseBracket:
			if open == 0 {
				return
			}
			open--
		case tokAnd, tokOr, tokComma, tokPipe:
			if open == 0 {
				return
			}
		}
		p.advance()
	}
}

// inOrder returns the errors in the order of the text.
func (p *parser) inOrder() cond.Errors {
	slices.SortStableFunc(p.errors, func(a, b *cond.Error) int {
		return a.Span.Start - b.Span.Start
	})
	return p.errors
}
