package eql

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"esrule/internal/query/cond"
)

// tokenKind is the closed set of what the lexer distinguishes.
type tokenKind uint8

const (
	tokEOF tokenKind = iota
	// tokInvalid stands for text that was already reported; the parser returns no second error for
	// it.
	tokInvalid
	tokIdentifier
	tokQuoted // a name in backquotes
	tokTilde  // a function's name with ~
	tokString
	tokInteger
	tokDecimal

	tokAnd
	tokAny
	tokBy
	tokFalse
	tokIn
	tokInFold
	tokJoin
	tokLike
	tokLikeFold
	tokMaxspan
	tokNot
	tokNull
	tokOf
	tokOr
	tokRegex
	tokRegexFold
	tokSample
	tokSequence
	tokTrue
	tokUntil
	tokWhere
	tokWith

	tokColon
	tokAssign
	tokEqual
	tokNotEqual
	tokLess
	tokLessOrEqual
	tokGreater
	tokGreaterOrEqual
	tokPlus
	tokMinus
	tokStar
	tokSlash
	tokPercent
	tokDot
	tokComma
	tokOpenBracket
	tokCloseBracket
	tokOpenParen
	tokCloseParen
	tokPipe
	tokOptional
	tokMissingEvent // ![
)

// token is one piece of the text. Its text is as written, or the value for strings and quoted
// names.
type token struct {
	kind tokenKind
	span cond.Span
	text string
}

// keyword returns the kind of a reserved word, tokIdentifier for any other. Keywords are lower-case
// only.
func keyword(word string) tokenKind {
	switch word {
	case "and":
		return tokAnd
	case "any":
		return tokAny
	case "by":
		return tokBy
	case "false":
		return tokFalse
	case "in":
		return tokIn
	case "in~":
		return tokInFold
	case "join":
		return tokJoin
	case "like":
		return tokLike
	case "like~":
		return tokLikeFold
	case "maxspan":
		return tokMaxspan
	case "not":
		return tokNot
	case "null":
		return tokNull
	case "of":
		return tokOf
	case "or":
		return tokOr
	case "regex":
		return tokRegex
	case "regex~":
		return tokRegexFold
	case "sample":
		return tokSample
	case "sequence":
		return tokSequence
	case "true":
		return tokTrue
	case "until":
		return tokUntil
	case "where":
		return tokWhere
	case "with":
		return tokWith
	}
	return tokIdentifier
}

func (k tokenKind) isKeyword() bool { return k >= tokAnd && k <= tokWith }

// describe names the token in a message: found ….
func (t token) describe() string {
	switch {
	case t.kind == tokEOF:
		return "the end of the query"
	case t.kind == tokString:
		return "string " + clip(quote(t.text))
	case t.kind == tokInteger || t.kind == tokDecimal:
		return "number " + clip(t.text)
	case t.kind == tokQuoted:
		return "name " + name(t.text)
	case t.kind == tokIdentifier || t.kind == tokTilde:
		return "name " + name(t.text)
	case t.kind.isKeyword():
		return "keyword " + name(t.text)
	}
	return strconv.Quote(t.text)
}

// name shows a name or a keyword in a message.
func name(s string) string { return "`" + clip(s) + "`" }

// clip keeps a quotation in a message short.
func clip(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > most {
			break
		}
		b.WriteRune(r)
	}
	return b.String() + "…"
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isIdentifierStart(c byte) bool { return isLetter(c) || c == '_' || c == '@' }

func isIdentifierPart(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' }

// isPlainIdentifier reports whether the name can be written without backquotes.
func isPlainIdentifier(name string) bool {
	if name == "" || !isIdentifierStart(name[0]) || keyword(name) != tokIdentifier {
		return false
	}
	for i := 1; i < len(name); i++ {
		if !isIdentifierPart(name[i]) {
			return false
		}
	}
	return true
}
