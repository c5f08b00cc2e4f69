package eql

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// foreign reports what is no token of EQL and gives the token that was meant.
func (l *lexer) foreign() token {
	start := l.pos
	known := func(kind tokenKind, width int, instead string) token {
		l.pos += width
		t := l.token(kind, start)
		l.report(t.span, fmt.Sprintf("EQL has no %q", t.text), instead)
		return t
	}
	rest := l.text[start:]
	switch {
	case strings.HasPrefix(rest, "&&"):
		return known(tokAnd, 2, "Write and.")
	case strings.HasPrefix(rest, "||"):
		return known(tokOr, 2, "Write or.")
	case strings.HasPrefix(rest, "<>"):
		return known(tokNotEqual, 2, "Write !=.")
	case strings.HasPrefix(rest, "!:"):
		return known(tokColon, 2, `Write not before the field: not field : "pattern".`)
	case rest[0] == '!':
		return known(tokNot, 1, "Write not.")
	case rest[0] == '~':
		return known(tokInvalid, 1, "A ~ stands directly behind in, like, regex or a function's name, without a space before it.")
	}
	r, width := utf8.DecodeRuneInString(rest)
	l.pos += width
	span := Span{start, l.pos}
	switch {
	case r == '“' || r == '”' || r == '‘' || r == '’':
		return l.curlyQuoted(start)
	case r == utf8.RuneError && width == 1:
		l.report(span, fmt.Sprintf("the byte 0x%02x is not UTF-8", rest[0]), "")
	case unicode.IsLetter(r):
		word := rest
		if end := strings.IndexFunc(rest, func(r rune) bool { return !unicode.IsLetter(r) }); end >= 0 {
			word = rest[:end]
		}
		l.pos = start + len(word)
		l.report(Span{start, l.pos}, fmt.Sprintf("unexpected character %q", r), "A name with such characters goes into backquotes.")
	default:
		l.report(span, fmt.Sprintf("unexpected character %q", r), "")
	}
	return token{tokInvalid, span, ""}
}

// curlyQuoted reads a string in typographic quotes, as word processors make them.
func (l *lexer) curlyQuoted(start int) token {
	const closing = "”’“‘\""
	line := l.text[l.pos:]
	if end := strings.IndexAny(line, "\r\n"); end >= 0 {
		line = line[:end]
	}
	content := line
	if end := strings.IndexAny(line, closing); end >= 0 {
		content = line[:end]
		_, width := utf8.DecodeRuneInString(line[end:])
		l.pos += end + width
	} else {
		l.pos += len(line)
		l.lose(start)
	}
	span := Span{start, l.pos}
	l.report(span, "strings are not written in typographic quotes", fmt.Sprintf(`Write %s.`, clip(`"`+content+`"`)))
	return token{tokString, span, content}
}
