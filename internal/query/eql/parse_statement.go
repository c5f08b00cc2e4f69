package eql

import (
	"fmt"
	"strings"

	"esrule/internal/query/cond"
)

const statementAdvice = `An event query is: category where condition; for any category: any where condition.`

// query = ( any | name | string ) where condition pipe*
func (p *parser) query() *cond.Query {
	q := &cond.Query{Text: p.text, Where: &cond.Literal{}, Print: Print}
	if kind := p.statementKind(); kind != "" {
		p.refuse(kind)
		return q
	}
	if p.tok.kind == tokEOF {
		if len(p.errors) == 0 {
			p.syntax(cond.Span{}, "the query is empty", statementAdvice)
		}
		return q
	}
	q.Category = p.category()
	if !p.where() {
		return q
	}
	q.Where = p.statementCondition()
	for p.tok.kind == tokPipe {
		p.pipe()
	}
	return q
}

// statementKind names the kind of statement that the query is where it is not an event query.
func (p *parser) statementKind() string {
	switch p.tok.kind {
	case tokSequence, tokSample, tokJoin:
		if p.ahead.kind != tokWhere {
			return p.tok.text
		}
	}
	return ""
}

// refuse reports that the statement is of an unsupported kind, and nothing else about it.
func (p *parser) refuse(kind string) {
	p.errors = nil
	p.add(p.tok.span, cond.CodeUnsupported, kind+" queries are not supported",
		"Only single events are searched for: category where condition.")
	p.stop()
}

// category reads what stands before where.
func (p *parser) category() *cond.Literal {
	t := p.tok
	switch {
	case t.kind == tokAny:
		p.advance()
		return nil
	case t.kind == tokIdentifier || t.kind == tokString:
		p.advance()
	case t.kind == tokQuoted:
		p.unexpected("an event category",
			fmt.Sprintf("A category is a name or a string: %s where …", clip(quote(t.text))))
		p.advance()
	case t.kind.isKeyword() && p.ahead.kind == tokWhere:
		p.unexpected("an event category",
			fmt.Sprintf("A keyword is a category only as a string: %q where …", t.text))
		p.advance()
	default:
		p.unexpected("an event category", statementAdvice)
		if t.kind == tokInvalid {
			p.advance()
		}
	}
	return &cond.Literal{Span: t.span, Kind: cond.String, Text: t.text}
}

// where reads the keyword. Where it is not there, the text up to it is skipped; false means that
// there is none.
func (p *parser) where() bool {
	if p.take(tokWhere) {
		return true
	}
	if p.tok.kind == tokIdentifier && strings.EqualFold(p.tok.text, "where") {
		p.lowerCase("where")
		p.advance()
		return true
	}
	p.unexpected("`where`", p.whereAdvice())
	for p.tok.kind != tokEOF {
		if p.take(tokWhere) {
			return true
		}
		p.advance()
	}
	return false
}

// whereAdvice says what to write where the condition does not begin after the category.
func (p *parser) whereAdvice() string {
	switch p.tok.kind {
	case tokComma, tokOr, tokAnd:
		return `For several categories: any where event.category in ("process", "file") and …`
	case tokMinus:
		return `A category with such a character is a string: "my-category" where …`
	case tokDot, tokColon, tokAssign, tokEqual, tokNotEqual, tokIn, tokLike:
		return "A condition follows a category and where: any where " + clip(
			strings.TrimSpace(firstLine(p.text)),
		)
	}
	return statementAdvice
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// statementCondition reads the condition and what follows it wrongly, up to the pipes or the end.
func (p *parser) statementCondition() cond.Expr {
	where := p.condition()
	for p.tok.kind != tokEOF && p.tok.kind != tokPipe {
		switch p.tok.kind {
		case tokCloseParen:
			p.fail(p.tok.span, cond.CodeSyntax, `")" closes nothing`,
				"Take it away, or open its parenthesis.")
		default:
			p.unexpected("`and`, `or` or the end of the query", p.endAdvice())
		}
		p.advance()
		if p.tok.kind == tokAnd || p.tok.kind == tokOr {
			p.advance()
		} else {
			p.skip()
		}
		if p.tok.kind != tokEOF && p.tok.kind != tokPipe && p.tok.kind != tokCloseParen {
			p.condition()
		}
	}
	return where
}

// endAdvice says what to write where neither and, or nor the end follows a condition.
func (p *parser) endAdvice() string {
	if p.tok.kind == tokComma && p.last > 0 && isDigit(p.text[p.last-1]) &&
		p.ahead.kind == tokInteger &&
		p.ahead.span.Start == p.tok.span.End {
		return "A number is written without commas."
	}
	if p.tok.kind == tokComma && p.ahead.kind == tokString {
		return listAdvice
	}
	return "Conditions are joined with and, or."
}

// pipe = "|" name arguments; all pipes are refused, those that EQL has by name.
func (p *parser) pipe() {
	start := p.advance().span.Start
	pipes := []string{"count", "filter", "head", "sort", "tail", "unique", "unique_count"}
	word := p.tok
	if word.kind != tokIdentifier {
		p.unexpected("a pipe's name", "Pipes are not supported; join conditions with and.")
	} else {
		p.advance()
	}
	known := word.kind != tokIdentifier
	for _, pipe := range pipes {
		if pipe == word.text {
			known = true
			p.fail(p.from(start), cond.CodeUnsupported,
				fmt.Sprintf("the pipe %s is not supported", name(pipe)),
				"Every matching event is reported; take the pipe away.")
		}
	}
	if !known {
		advice := wordAdvice(word.text, "field", `"text"`, "")
		if near := nearest(word.text, pipes); near != "" && advice == "" {
			advice = fmt.Sprintf("Did you mean %s? (It is not supported either.)", near)
		}
		p.fail(word.span, cond.CodeSyntax, "EQL has no pipe "+name(word.text), advice)
	}
	for p.tok.kind != tokPipe && p.tok.kind != tokEOF {
		p.advance()
	}
}
