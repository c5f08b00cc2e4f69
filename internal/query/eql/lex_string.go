package eql

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"esrule/internal/query/cond"
)

// doubleQuoted reads "…" with its escapes, or the raw """…""". Both end on the line that they start
// on.
func (l *lexer) doubleQuoted() token {
	if strings.HasPrefix(l.text[l.pos:], `"""`) {
		return l.raw()
	}
	start := l.pos
	var value strings.Builder
	for l.pos++; ; {
		switch c := l.peek(0); {
		case l.pos >= len(l.text) || c == '\r' || c == '\n':
			if strings.ContainsAny(l.text[start:l.pos], "”“„") {
				return l.unclosed(start, `End it with a plain quote: ".`)
			}
			return l.unclosed(start,
				`End it with ". A backslash before a quote escapes it: a value that ends in \ is written "…\\".`)
		case c == '"':
			l.pos++
			return token{tokString, cond.Span{Start: start, End: l.pos}, value.String()}
		case c == '\\':
			l.escape(&value)
		default:
			l.character(&value)
		}
	}
}

// raw reads """…""". It ends at the first three quotes; up to two more belong to the content.
func (l *lexer) raw() token {
	start := l.pos
	l.pos += 3
	var value strings.Builder
	for {
		switch c := l.peek(0); {
		case l.pos >= len(l.text) || c == '\r' || c == '\n':
			return l.unclosed(start, `End it with """ on the same line.`)
		case strings.HasPrefix(l.text[l.pos:], `"""`):
			for range 2 {
				if l.peek(3) == '"' {
					value.WriteByte('"')
					l.pos++
				}
			}
			l.pos += 3
			return token{tokString, cond.Span{Start: start, End: l.pos}, value.String()}
		default:
			l.character(&value)
		}
	}
}

// character takes one character of a string as it is.
func (l *lexer) character(value *strings.Builder) {
	r, width := utf8.DecodeRuneInString(l.text[l.pos:])
	if r == utf8.RuneError && width == 1 {
		l.report(cond.Span{Start: l.pos, End: l.pos + 1},
			fmt.Sprintf("the byte 0x%02x is not UTF-8", l.text[l.pos]), "Save the file as UTF-8.")
	}
	value.WriteRune(r)
	l.pos += width
}

// escape reads a backslash and what it means.
func (l *lexer) escape(value *strings.Builder) {
	start := l.pos
	l.pos += 2
	switch c := l.peek(-1); c {
	case 'b':
		value.WriteByte('\b')
	case 't':
		value.WriteByte('\t')
	case 'n':
		value.WriteByte('\n')
	case 'f':
		value.WriteByte('\f')
	case 'r':
		value.WriteByte('\r')
	case '"', '\'', '\\':
		value.WriteByte(c)
	case 'u':
		l.unicodeEscape(start, value)
	default:
		l.pos--
		if l.pos >= len(l.text) || c == '\r' || c == '\n' {
			return // the string is not closed, which is the error to show
		}
		l.character(value)
		shown := l.text[start:l.pos]
		l.report(cond.Span{Start: start, End: l.pos}, fmt.Sprintf("unknown escape %s in a string",
			shown), escapeAdvice(c, shown))
	}
}

// escapeAdvice says what to write instead of an escape that EQL does not have.
func escapeAdvice(c byte, shown string) string {
	switch c {
	case '*', '?':
		return fmt.Sprintf("%c cannot be escaped: : and like take it as a wildcard, == and in as "+
			"it is. Where the value has a backslash before it, write \\%s.", c, shown)
	case 'x', '0', 'a', 'v', 'e', 'U':
		return fmt.Sprintf(`Write \u{41} for a character by its code, \%s for a backslash.`, shown)
	case '/', '-', '`':
		return fmt.Sprintf(`Write %c: it needs no backslash. Write \%s where the value has one.`,
			c, shown)
	}
	return fmt.Sprintf(`Write \%s for a backslash, or the whole string raw: """…""".`, shown)
}

// unicodeEscape reads {hex} after \u, 2 to 8 digits.
func (l *lexer) unicodeEscape(start int, value *strings.Builder) {
	begin := l.pos
	if l.peek(0) == '{' {
		begin++
		l.pos++
	}
	for isHex(l.peek(0)) {
		l.pos++
	}
	digits := l.text[begin:l.pos]
	closed := begin > start+2 && l.peek(0) == '}'
	if closed {
		l.pos++
	}
	span := cond.Span{Start: start, End: l.pos}
	if !closed || len(digits) < 2 || len(digits) > 8 {
		l.report(span, `a character escape is \u{…} with 2 to 8 hexadecimal digits`,
			`Write \u{00e9} for é.`)
		return
	}
	code, _ := strconv.ParseUint(digits, 16, 32) // 8 hexadecimal digits always fit
	if code > utf8.MaxRune || !utf8.ValidRune(rune(code)) {
		l.report(span, fmt.Sprintf("%s is not a character of Unicode", l.text[start:l.pos]),
			"Write a code point from 0 to 10FFFF that is no surrogate (D800 to DFFF).")
		return
	}
	value.WriteRune(rune(code))
}

func isHex(c byte) bool { return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }

// unclosed reports a string that does not end on its line.
func (l *lexer) unclosed(start int, advice string) token {
	l.lose(start)
	span := cond.Span{Start: start, End: l.pos}
	l.report(span, "the string is not closed on its line", advice)
	return token{tokString, span, ""}
}

// oldString reads the strings of Elasticsearch before 7.11, which it still reads to refuse them:
// '…', ?"…", ?'…'.
func (l *lexer) oldString() token {
	start := l.pos
	raw := l.text[start] == '?'
	if raw {
		l.pos++
	}
	quotation := l.text[l.pos]
	l.pos++
	begin := l.pos
	for l.pos < len(l.text) && l.text[l.pos] != quotation && l.text[l.pos] != '\r' &&
		l.text[l.pos] != '\n' {
		if l.text[l.pos] == '\\' && l.peek(1) != '\r' && l.peek(1) != '\n' {
			l.pos++
		}
		l.pos++
	}
	l.pos = min(l.pos, len(l.text))
	content := l.text[begin:l.pos]
	if l.peek(0) != quotation {
		l.lose(start)
	} else {
		l.pos++
	}
	span := cond.Span{Start: start, End: l.pos}
	mark := string(quotation)
	if raw {
		l.report(span, fmt.Sprintf("raw strings are not written with ?%s", mark),
			fmt.Sprintf(`Write %s.`, clip(`"""`+content+`"""`)))
	} else {
		l.report(span, "strings are not written in single quotes",
			fmt.Sprintf(`Write %s.`, clip(`"`+content+`"`)))
	}
	return token{tokString, span, content}
}
