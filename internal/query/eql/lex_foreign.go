package eql

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"esrule/internal/query/cond"
)

// foreignOperator reports an operator of another language and returns the token that was meant.
func (l *lexer) foreignOperator() (token, bool) {
	const (
		negate = `Write not before the field: not field : "pattern".`
		fold   = `Write : to ignore letter case, or regex~ for a regular expression.`
	)
	for _, known := range []struct {
		text    string
		kind    tokenKind
		instead string
	}{
		// Longer ones first.
		{"!=~", tokColon, negate}, {"==~", tokColon, fold},
		{"!==", tokNotEqual, "Write !=."}, {"===", tokEqual, "Write ==."},
		{"<=>", tokEqual, "Write ==."}, {"!~", tokColon, negate}, {"!:", tokColon, negate},
		{"=~", tokColon, fold}, {"~=", tokColon, fold}, {"~~", tokColon, fold},
		{"&&", tokAnd, "Write and."}, {"||", tokOr, "Write or."},
		{"<>", tokNotEqual, "Write !=."}, {"=>", tokGreaterOrEqual, "Write >=."},
		{"=<", tokLessOrEqual, "Write <=."},
		{":=", tokColon, "Write : or ==."}, {"=:", tokColon, "Write : or ==."},
	} {
		if !strings.HasPrefix(l.text[l.pos:], known.text) {
			continue
		}
		start := l.pos
		l.pos += len(known.text)
		t := l.token(known.kind, start)
		l.report(t.span, fmt.Sprintf("EQL has no %q", t.text), known.instead)
		return t, true
	}
	return token{}, false
}

// foreign reports what is no token of EQL and returns the token that was meant.
func (l *lexer) foreign() token {
	start := l.pos
	known := func(kind tokenKind, instead string) token {
		l.pos++
		t := l.token(kind, start)
		l.report(t.span, fmt.Sprintf("EQL has no %q", t.text), instead)
		return t
	}
	rest := l.text[start:]
	switch rest[0] {
	case '!':
		if strings.HasPrefix(strings.TrimLeft(rest[1:], " \t"), "=") {
			return known(tokInvalid, "Write != without a blank in it.")
		}
		return known(tokNot, "Write not.")
	case '~':
		return known(tokInvalid, "A ~ stands directly after in, like, regex or a function's "+
			"name. To ignore letter case, write :.")
	case ';':
		return known(tokInvalid, "Take it away: a rule has one query.")
	case '{', '}':
		return known(tokInvalid, listAdvice)
	case '&':
		return known(tokAnd, "Write and.")
	}
	r, width := utf8.DecodeRuneInString(rest)
	l.pos += width
	span := cond.Span{Start: start, End: l.pos}
	switch {
	case strings.ContainsRune(curlyQuotes, r):
		return l.curlyQuoted(start)
	case r == utf8.RuneError && width == 1:
		l.report(span, fmt.Sprintf("the byte 0x%02x is not UTF-8", rest[0]),
			"Save the file as UTF-8.")
	case unicode.IsLetter(r):
		word := rest
		if end := strings.IndexFunc(rest,
			func(r rune) bool { return !unicode.IsLetter(r) }); end >= 0 {
			word = rest[:end]
		}
		l.pos = start + len(word)
		l.report(cond.Span{Start: start, End: l.pos}, fmt.Sprintf("unexpected character %q", r),
			"A name with such characters goes into backquotes.")
	default:
		l.report(span, fmt.Sprintf("unexpected character %q", r),
			"A name with such a character goes into backquotes, a text into quotes.")
	}
	return token{tokInvalid, span, ""}
}

// curlyQuotes are what word processors and some keyboards make of quotes.
const curlyQuotes = "“”„‟‘’‚‛«»‹›＂″"

// curlyQuoted reads a string in typographic quotes, as word processors make them.
func (l *lexer) curlyQuoted(start int) token {
	const closing = curlyQuotes + "\""
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
	span := cond.Span{Start: start, End: l.pos}
	l.report(span, "strings are not written in typographic quotes",
		fmt.Sprintf(`Write %s.`, clip(`"`+content+`"`)))
	return token{tokString, span, content}
}
