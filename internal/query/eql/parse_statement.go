package eql

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"esrule/internal/query/cond"
)

const statementAdvice = "An event query is: category where condition; for any category: any " +
	"where condition."

// statement = ( query | sequence | sample ) pipe*.
func (p *parser) statement() Statement {
	p.meantStages()
	kind := p.tok.kind
	if p.ahead.kind == tokWhere {
		kind = tokIdentifier // a category, though a wrong one
	}
	switch kind {
	case tokSequence:
		return p.sequence()
	case tokSample:
		return p.sample()
	case tokJoin:
		p.errors = nil
		p.unsupported(p.tok.span, "join", "join queries are not supported",
			"Only single events are searched for: category where condition.")
		p.stop()
	case tokEOF:
		if len(p.errors) == 0 {
			p.syntax(cond.Span{}, "the query is empty", statementAdvice)
		}
	default:
		return &Event{Query: p.query(), Pipes: p.pipes()}
	}
	return &Event{Query: p.emptyQuery()}
}

// meantStages turns SEQUENCE and SAMPLE before a key or a stage into the keywords.
func (p *parser) meantStages() {
	word := strings.ToLower(p.tok.text)
	if p.tok.kind != tokIdentifier || word != "sequence" && word != "sample" {
		return
	}
	switch p.ahead.kind {
	case tokBy, tokWith, tokOpenBracket, tokMissingEvent:
		p.lowerCase(word)
	}
}

func (p *parser) emptyQuery() *cond.Query {
	return &cond.Query{Text: p.text, Where: &cond.Literal{}, Print: Print}
}

// query = ( any | name | string ) where condition.
func (p *parser) query() *cond.Query {
	q := p.emptyQuery()
	q.Category = p.category()
	if p.where() {
		q.Where = p.wholeCondition()
	}
	return q
}

// ended reports whether the event query that is being read ends at the current token. A stage ends
// where the next one begins, even if its bracket is missing.
func (p *parser) ended() bool {
	switch p.tok.kind {
	case tokEOF:
		return true
	case tokPipe:
		return !p.staged
	case tokCloseBracket, tokOpenBracket, tokMissingEvent, tokUntil:
		return p.staged
	}
	return false
}

// category reads what comes before where.
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
	for p.tok.kind != tokEOF && (!p.staged || !p.ended()) {
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
		if p.staged {
			return stageAdvice
		}
		return "A condition follows a category and where: any where " +
			clip(strings.TrimSpace(firstLine(p.text)))
	}
	return statementAdvice
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// wholeCondition reads the condition and what follows it wrongly, up to the end of its query.
func (p *parser) wholeCondition() cond.Expr {
	where := p.condition()
	for !p.ended() {
		switch {
		case p.tok.kind == tokCloseParen:
			p.fail(p.tok.span, cond.CodeSyntax, `")" closes nothing`,
				"Take it away, or open its parenthesis.")
		case p.staged:
			p.unexpected("`and`, `or` or \"]\"", p.endAdvice())
		default:
			p.unexpected("`and`, `or` or the end of the query", p.endAdvice())
		}
		p.advance()
		if p.tok.kind == tokAnd || p.tok.kind == tokOr {
			p.advance()
		} else {
			p.skip()
		}
		if !p.ended() && p.tok.kind != tokCloseParen {
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
	if p.tok.kind == tokPipe {
		return "Pipes come after the last stage."
	}
	return "Conditions are joined with and, or."
}

// pipes = pipe*.
func (p *parser) pipes() []Pipe {
	var pipes []Pipe
	for p.tok.kind == tokPipe {
		pipes = append(pipes, p.pipe())
	}
	return pipes
}

// pipe = "|" ( head | tail ) number; the other pipes that EQL has are refused by name.
func (p *parser) pipe() Pipe {
	start := p.advance().span.Start
	word := p.tok
	pipe := Pipe{Kind: Head}
	switch {
	case word.kind != tokIdentifier:
		p.unexpected("a pipe's name", "Pipes are not supported; join conditions with and.")
	case word.text == "head", word.text == "tail":
		if word.text == "tail" {
			pipe.Kind = Tail
		}
		p.advance()
		pipe.Count = p.pipeCount(word)
		pipe.Span = p.from(start)
	default:
		p.advance()
		p.otherPipe(p.from(start), word)
	}
	for p.tok.kind != tokPipe && p.tok.kind != tokEOF {
		p.advance()
	}
	return pipe
}

// pipeCount reads the number of results that a pipe keeps.
func (p *parser) pipeCount(word token) int {
	number := p.tok
	count, err := strconv.ParseInt(number.text, 10, 32)
	if number.kind != tokInteger || err != nil {
		p.unexpected("a whole number after "+name(word.text),
			fmt.Sprintf("Write how many results are kept: | %s 10.", word.text))
		return 0
	}
	p.advance()
	if p.tok.kind != tokPipe && p.tok.kind != tokEOF {
		p.unexpected("a pipe or the end of the query", "A pipe takes one whole number.")
	}
	return int(count)
}

// otherPipe reports a pipe that is not evaluated.
func (p *parser) otherPipe(span cond.Span, word token) {
	refused := []string{"count", "filter", "sort", "unique", "unique_count"}
	if slices.Contains(refused, word.text) {
		p.unsupported(span, "pipe", unsupportedPipe(word.text), pipeAdvice)
		return
	}
	advice := wordAdvice(word.text, "field", `"text"`, "")
	if near := nearest(word.text, append(refused, "head", "tail")); near != "" && advice == "" {
		advice = fmt.Sprintf("Did you mean %s? (It is not supported either.)", near)
	}
	p.fail(word.span, cond.CodeSyntax, "EQL has no pipe "+name(word.text), advice)
}

const pipeAdvice = "Every matching event is reported; take the pipe away."

func unsupportedPipe(word string) string {
	return fmt.Sprintf("the pipe %s is not supported", name(word))
}
