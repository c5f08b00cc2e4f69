package kql

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"esrule/internal/query/cond"
)

// place says where in the grammar something unexpected stands.
type place struct {
	after   bool   // after a condition or a value, else before one
	closing byte   // the bracket that closes the ones around, 0 at the top level
	field   string // the field whose value is read, as written
	list    bool   // in the list of its values
}

// wanted says what the grammar has at a place.
func (in place) wanted() string {
	switch {
	case in.after && in.closing == 0:
		return "`and`, `or` or the end of the query"
	case in.after:
		return fmt.Sprintf("`and`, `or` or \"%c\"", in.closing)
	case in.field != "":
		return "a value"
	}
	return "a condition"
}

// unexpected reports what is at the current place, and ends the reading: it is always false.
func (p *parser) unexpected(in place) bool {
	span, found := p.found()
	message := "expected " + in.wanted() + ", found " + found
	switch written := p.text[span.Start:span.End]; {
	case written == `"`:
		message = "the string is not closed"
	case written == `\`:
		message = "a backslash at the end of the query"
	case strings.HasPrefix(written, `\`):
		message = "unknown escape " + written
	}
	p.dropEcho()
	p.refuse(span, cond.CodeSyntax, message, p.advice(in))
	return false
}

// dropEcho takes back the last error, if it is about the value right before the current place: it
// would not be there without the syntax error.
func (p *parser) dropEcho() {
	if n := len(p.errors); n > 0 && p.errors[n-1].Code == cond.CodeUnsupported &&
		skipSpace(p.text, p.errors[n-1].Span.End) >= p.pos {
		p.errors = p.errors[:n-1]
	}
}

// refuse records an error. what names what is not supported, for [cond.CodeUnsupported].
func (p *parser) refuse(span cond.Span, code cond.Code, message, advice string, what ...string) {
	if len(p.errors) >= maxErrors && code != cond.CodeSyntax && code != cond.CodeLimit {
		return
	}
	e := cond.NewError(p.text, span, code, message, advice)
	e.What = strings.Join(what, " ")
	p.errors = append(p.errors, e)
}

// found describes what is at the current place.
func (p *parser) found() (cond.Span, string) {
	start := p.pos
	rest := p.text[start:]
	span := func(length int) cond.Span { return cond.Span{Start: start, End: start + length} }
	if rest == "" {
		return span(0), "the end of the query"
	}
	switch {
	case rest[0] == '"':
		if l, ok := (&parser{text: p.text, pos: start}).quoted(); ok {
			return l.span, "string " + clip(l.raw(p.text))
		}
		return span(1), `"`
	case rest[0] == '\\':
		_, length := utf8.DecodeRuneInString(rest[1:])
		return span(1 + length), rest[:1+length]
	case negated(rest, 0) >= 0:
		return span(len("not")), "keyword `" + rest[:len("not")] + "`"
	case strings.IndexByte(special, rest[0]) >= 0:
		return span(1), `"` + rest[:1] + `"`
	}
	word := rest
	if end := strings.IndexAny(rest, " \t\r\n\u00a0"+special); end > 0 {
		word = rest[:end]
	}
	return span(len(word)), "`" + clip(word) + "`"
}

// clip shortens a text for a message to one line.
func clip(s string) string {
	const most = 60
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:most])) + "…"
}
