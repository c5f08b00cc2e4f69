package kql

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"esrule/internal/query/cond"
)

// literal is a field's name or a value.
type literal struct {
	span   cond.Span
	quoted bool
	// pieces are the texts between the unescaped stars; there is one more than there are stars.
	pieces []string
}

// wild reports whether the literal holds a star that stands for any characters.
func (l literal) wild() bool { return len(l.pieces) > 1 }

// any reports whether the literal is a star alone.
func (l literal) any() bool { return len(l.pieces) == 2 && l.pieces[0] == "" && l.pieces[1] == "" }

// null reports whether the literal is JSON's null to Kibana.
func (l literal) null() bool { return !l.quoted && !l.wild() && l.pieces[0] == "null" }

// constant makes the value, after unescaping.
func (l literal) constant() *cond.Literal {
	return &cond.Literal{Span: l.span, Kind: cond.String, Text: strings.Join(l.pieces, "*")}
}

// raw returns the literal as it is written.
func (l literal) raw(text string) string { return text[l.span.Start:l.span.End] }

// literal reads a quoted or an unquoted literal. Where there is none, nothing is read.
func (p *parser) literal() (literal, bool) {
	if p.at('"') {
		return p.quoted()
	}
	return p.unquoted()
}

// quoted reads up to the closing quote. A backslash that begins no escape is itself.
func (p *parser) quoted() (literal, bool) {
	var b strings.Builder
	for i := p.pos + 1; i < len(p.text); {
		if p.text[i] == '"' {
			l := literal{span: cond.Span{Start: p.pos, End: i + 1}, quoted: true,
				pieces: []string{b.String()}}
			p.pos = i + 1
			return l, true
		}
		replaced, length := escape(p.text[i:], `\"`)
		if length == 0 {
			replaced, length = p.text[i:i+1], 1
		}
		b.WriteString(replaced)
		i += length
	}
	return literal{}, false
}

// unquoted reads up to a character that has a meaning of its own, or a keyword. Blanks within the
// literal are a part of it.
func (p *parser) unquoted() (literal, bool) {
	var pieces []string
	var b strings.Builder
	i := p.pos
scan:
	for i < len(p.text) {
		switch c := p.text[i]; {
		case c == '\\':
			replaced, length := escape(p.text[i:], special)
			if length == 0 {
				length = keywordLength(p.text[i+1:])
				if length == 0 {
					break scan
				}
				replaced = p.text[i+1 : i+1+length]
				length++
			}
			b.WriteString(replaced)
			i += length
		case c == '*':
			pieces = append(pieces, b.String())
			b.Reset()
			i++
		case strings.IndexByte(special, c) >= 0:
			break scan
		case skipSpace(p.text, i) > i:
			end := skipSpace(p.text, i)
			if joined(p.text, i, "or") >= 0 || joined(p.text, i, "and") >= 0 {
				break scan
			}
			b.WriteString(p.text[i:end])
			i = end
		default:
			if negated(p.text, i) >= 0 {
				break scan
			}
			_, length := utf8.DecodeRuneInString(p.text[i:])
			b.WriteString(p.text[i : i+length])
			i += length
		}
	}
	if i == p.pos {
		return literal{}, false
	}
	pieces = append(pieces, b.String())
	pieces[0] = strings.TrimLeftFunc(pieces[0], isTrimmed)
	last := len(pieces) - 1
	pieces[last] = strings.TrimRightFunc(pieces[last], isTrimmed)
	written := len(strings.TrimRightFunc(p.text[p.pos:i], isTrimmed))
	if written == 0 {
		written = i - p.pos
	}
	l := literal{span: cond.Span{Start: p.pos, End: p.pos + written}, pieces: pieces}
	p.pos = i
	return l, true
}

// special are the characters that end an unquoted literal, unless a backslash is before them. The
// star does not end it.
const special = `\():<>"*{}`

// escape returns what an escape at the text's beginning stands for and its length, 0 where there is
// none. after are the characters that a backslash makes ordinary.
func escape(text, after string) (string, int) {
	if len(text) < 2 || text[0] != '\\' {
		return "", 0
	}
	switch c := text[1]; {
	case c == 't':
		return "\t", 2
	case c == 'r':
		return "\r", 2
	case c == 'n':
		return "\n", 2
	case strings.IndexByte(after, c) >= 0:
		return text[1:2], 2
	}
	unit, ok := unicodeEscape(text)
	if !ok {
		return "", 0
	}
	if low, ok := unicodeEscape(text[6:]); ok {
		if r := utf16.DecodeRune(unit, low); r != unicode.ReplacementChar {
			return string(r), 12
		}
	}
	// Half a pair of units alone becomes U+FFFD: UTF-8 has no way to write it.
	return string(unit), 6
}

// unicodeEscape reads a backslash, u and four hexadecimal digits.
func unicodeEscape(text string) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(text[2:6], 16, 16)
	return rune(unit), err == nil
}

// joined returns where the text after a keyword and the blanks on both sides of it begins, -1 where
// it is not at i.
func joined(text string, i int, keyword string) int {
	word := skipSpace(text, i)
	if word == i || !hasFold(text[word:], keyword) {
		return -1
	}
	return afterWord(text, word+len(keyword))
}

// negated returns where the text after `not` and its blanks begins, -1 where it is not at i.
func negated(text string, i int) int {
	if !hasFold(text[i:], "not") {
		return -1
	}
	return afterWord(text, i+len("not"))
}

// afterWord returns where the blanks at i end, -1 where there are none.
func afterWord(text string, i int) int {
	end := skipSpace(text, i)
	if end == i {
		return -1
	}
	return end
}

// keywordLength returns the length of the keyword that the text begins with, 0 where there is none.
func keywordLength(text string) int {
	for _, keyword := range []string{"or", "and", "not"} {
		if hasFold(text, keyword) {
			return len(keyword)
		}
	}
	return 0
}

func hasFold(text, keyword string) bool {
	return len(text) >= len(keyword) && strings.EqualFold(text[:len(keyword)], keyword)
}

// skipSpace returns where the blanks at i end: those that separate, which are fewer than those that
// are trimmed.
func skipSpace(text string, i int) int {
	for i < len(text) {
		switch {
		case strings.IndexByte(" \t\r\n", text[i]) >= 0:
			i++
		case strings.HasPrefix(text[i:], "\u00a0"):
			i += len("\u00a0")
		default:
			return i
		}
	}
	return i
}

// isTrimmed reports whether JavaScript trims a character.
func isTrimmed(r rune) bool {
	return strings.ContainsRune("\t\n\v\f\r\u2028\u2029\ufeff", r) || unicode.Is(unicode.Zs, r)
}
