package eql

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"esrule/internal/query/cond"
)

// lexer cuts a text into tokens, one at a time. What it cannot read it reports, then goes on with
// what was probably meant, so that the parser finds the errors after it too.
type lexer struct {
	text string
	pos  int
	// report takes the errors.
	report func(span cond.Span, message, advice string)
	// lost is where the first string, name or comment is that does not end, -1 while there is
	// none: what comes after it may have been read wrongly.
	lost int
	// unit is set after the word maxspan: the next number has a unit.
	unit bool
}

// next returns the next token, tokEOF at the end and ever after.
func (l *lexer) next() token {
	l.skipBlank()
	start := l.pos
	if start >= len(l.text) {
		return token{kind: tokEOF, span: cond.Span{Start: start, End: start}}
	}
	switch c := l.text[start]; {
	case isIdentifierStart(c):
		if t, ok := l.dateMath(); ok {
			return t
		}
		return l.word()
	case isDigit(c), c == '.' && isDigit(l.peek(1)):
		return l.number()
	case c == '"':
		return l.doubleQuoted()
	case c == '\'', c == '?' && (l.peek(1) == '"' || l.peek(1) == '\''):
		return l.oldString()
	case c == '`':
		return l.backquoted()
	}
	if t, ok := l.foreignOperator(); ok {
		return t
	}
	if kind, width := operator(l.text[start:]); width > 0 {
		l.pos += width
		return l.token(kind, start)
	}
	return l.foreign()
}

// peek returns the byte n places on, 0 after the end.
func (l *lexer) peek(n int) byte {
	if l.pos+n < len(l.text) {
		return l.text[l.pos+n]
	}
	return 0
}

// token makes a token of the text from start to here.
func (l *lexer) token(kind tokenKind, start int) token {
	return token{kind, cond.Span{Start: start, End: l.pos}, l.text[start:l.pos]}
}

// skipBlank skips white space and comments.
func (l *lexer) skipBlank() {
	for l.pos < len(l.text) {
		switch c := l.text[l.pos]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			l.pos++
		case c == '/' && l.peek(1) == '/', c == '#':
			if c == '#' {
				l.report(
					cond.Span{Start: l.pos, End: l.pos + 1},
					"unexpected character '#'",
					"A comment is written // … or /* … */.",
				)
			}
			if end := strings.IndexAny(l.text[l.pos:], "\r\n"); end >= 0 {
				l.pos += end
			} else {
				l.pos = len(l.text)
			}
		case c == '/' && l.peek(1) == '*':
			l.blockComment()
		default:
			r, width := utf8.DecodeRuneInString(l.text[l.pos:])
			if r != '\ufeff' && (r < utf8.RuneSelf || !unicode.IsSpace(r)) {
				return
			}
			l.pos += width
			l.report(cond.Span{Start: l.pos - width, End: l.pos},
				fmt.Sprintf("the character %U is not white space in EQL", r),
				"Write a plain space, or nothing.")
		}
	}
}

// lose remembers that the text from here on may be read wrongly.
func (l *lexer) lose(at int) {
	if l.lost < 0 {
		l.lost = at
	}
}

// blockComment skips a comment in /* */; such comments nest.
func (l *lexer) blockComment() {
	start, depth := l.pos, 0
	for l.pos < len(l.text) {
		switch {
		case l.text[l.pos] == '/' && l.peek(1) == '*':
			depth++
			l.pos += 2
		case l.text[l.pos] == '*' && l.peek(1) == '/':
			depth--
			l.pos += 2
			if depth == 0 {
				return
			}
		default:
			l.pos++
		}
	}
	l.lose(start)
	l.report(cond.Span{Start: start, End: start + 2}, "the comment is not closed",
		"Each /* needs its own */, also inside another comment.")
}

// word reads an identifier, a keyword or a function's name with ~.
func (l *lexer) word() token {
	start := l.pos
	for l.pos++; isIdentifierPart(l.peek(0)); l.pos++ {
	}
	// A name with ~ is letters, digits and _ and starts with a letter; @x~ and _x~ are no such
	// names.
	if l.peek(0) == '~' && isLetter(l.text[start]) {
		l.pos++
		if kind := keyword(l.text[start:l.pos]); kind != tokIdentifier {
			return l.token(kind, start)
		}
		return l.token(tokTilde, start)
	}
	t := l.token(keyword(l.text[start:l.pos]), start)
	l.unit = l.unit || t.kind == tokMaxspan
	return t
}

// backquoted reads a name in backquotes; two of them stand for one inside.
func (l *lexer) backquoted() token {
	start := l.pos
	var name strings.Builder
	for l.pos++; l.pos < len(l.text); l.pos++ {
		switch {
		case l.text[l.pos] != '`':
			name.WriteByte(l.text[l.pos])
		case l.peek(1) == '`':
			name.WriteByte('`')
			l.pos++
		default:
			l.pos++
			span := cond.Span{Start: start, End: l.pos}
			if name.Len() == 0 {
				l.report(span, "the name in backquotes is empty",
					"Write the field's name between the backquotes.")
				return token{tokInvalid, span, ""}
			}
			if !utf8.ValidString(name.String()) {
				l.report(span, "the name in backquotes is not UTF-8", "Save the file as UTF-8.")
			}
			return token{tokQuoted, span, name.String()}
		}
	}
	l.lose(start)
	l.report(
		cond.Span{Start: start, End: start + 1},
		"the name in backquotes is not closed",
		"End it with `.",
	)
	return token{tokInvalid, cond.Span{Start: start, End: l.pos}, ""}
}

// operator recognises the operator at the start of the text, the longest that fits.
func operator(text string) (kind tokenKind, width int) {
	if len(text) >= 2 {
		switch text[:2] {
		case "==":
			return tokEqual, 2
		case "!=":
			return tokNotEqual, 2
		case "<=":
			return tokLessOrEqual, 2
		case ">=":
			return tokGreaterOrEqual, 2
		case "![":
			return tokMissingEvent, 2
		}
	}
	switch text[0] {
	case ':':
		return tokColon, 1
	case '=':
		return tokAssign, 1
	case '<':
		return tokLess, 1
	case '>':
		return tokGreater, 1
	case '+':
		return tokPlus, 1
	case '-':
		return tokMinus, 1
	case '*':
		return tokStar, 1
	case '/':
		return tokSlash, 1
	case '%':
		return tokPercent, 1
	case '.':
		return tokDot, 1
	case ',':
		return tokComma, 1
	case '[':
		return tokOpenBracket, 1
	case ']':
		return tokCloseBracket, 1
	case '(':
		return tokOpenParen, 1
	case ')':
		return tokCloseParen, 1
	case '|':
		return tokPipe, 1
	case '?':
		return tokOptional, 1
	}
	return tokEOF, 0
}
