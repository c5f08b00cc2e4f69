package eql

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"esrule/internal/query/cond"
)

// number reads 1, 1., 1.5, .5, 1e5, .5e-3. A sign is an operator.
func (l *lexer) number() token {
	start, kind := l.pos, tokInteger
	l.digits()
	if l.peek(0) == '.' {
		kind = tokDecimal
		l.pos++
		l.digits()
	}
	if c := l.peek(0); c == 'e' || c == 'E' {
		sign := 0
		if c := l.peek(1); c == '+' || c == '-' {
			sign = 1
		}
		if isDigit(l.peek(1 + sign)) {
			kind = tokDecimal
			l.pos += 1 + sign
			l.digits()
		}
	}
	hasUnit := l.unit
	l.unit = false
	if l.text[start] != '.' && !hasUnit {
		if t, wrong := l.noNumber(start); wrong {
			return t
		}
	}
	return l.token(kind, start)
}

func (l *lexer) digits() {
	for isDigit(l.peek(0)) {
		l.pos++
	}
}

// noNumber reports what begins like a number and is none: a name, another number or a time follows
// without a blank. A keyword may: 1and is 1 and.
func (l *lexer) noNumber(start int) (token, bool) {
	rest := l.text[start:]
	if date := l.dateAt(start); date != "" {
		return l.meant(start, len(date), "a date is written in quotes",
			"Write "+quote(date)+"."), true
	}
	c := l.peek(0)
	if !isIdentifierStart(c) && (c != '.' || !isDigit(l.peek(1))) {
		return token{}, false
	}
	suffix := l.text[l.pos:]
	if isIdentifierStart(c) {
		end := 0
		for end < len(suffix) && isIdentifierPart(suffix[end]) {
			end++
		}
		if keyword(suffix[:end]) != tokIdentifier {
			return token{}, false
		}
	}
	word := rest[:max(l.pos-start+wordLength(suffix), len(addressBlock(rest)))]
	return l.meant(start, len(word), clip(word)+" is no number in EQL", numberAdvice(word)), true
}

// dateAt is the date with a time that begins at a place, or empty.
func (l *lexer) dateAt(start int) string {
	if l.pos-start != 4 || l.peek(0) != '-' {
		return "" // most numbers, without the cost of an expression
	}
	date := regexp.MustCompile(`^\d{4}-\d\d-\d\dT[0-9:.]+(Z|[+-]\d\d:?\d\d)?`)
	return date.FindString(l.text[start:])
}

// wordLength is how far a word of letters, digits, _ and dots reaches.
func wordLength(text string) int {
	n := 0
	for n < len(text) && (isIdentifierPart(text[n]) || text[n] == '.') {
		n++
	}
	return n
}

// addressBlock is the block of addresses that a text begins with, or empty.
func addressBlock(text string) string {
	return regexp.MustCompile(`^(\d+\.){3}\d+/\d+`).FindString(text)
}

// meant reports a part of the text and takes it for a string, which it probably should be.
func (l *lexer) meant(start, width int, message, advice string) token {
	l.pos = start + width
	t := token{tokString, cond.Span{Start: start, End: l.pos}, l.text[start:l.pos]}
	l.report(t.span, message, advice)
	return t
}

// numberAdvice says what to write instead of a word that begins with a digit.
func numberAdvice(word string) string {
	if n, err := strconv.ParseUint(word, 0, 64); err == nil { // 0x10, 0b1, 1_000
		return fmt.Sprintf("Write %d.", n)
	}
	if _, err := strconv.ParseUint(strings.ReplaceAll(word, "_", ""), 10, 64); err == nil {
		return fmt.Sprintf("Write %s.", strings.ReplaceAll(word, "_", ""))
	}
	if strings.Count(word, ".") > 1 {
		return fmt.Sprintf("An address or a version is written in quotes: %s.", quote(word))
	}
	if regexp.MustCompile(`^\d+(\.\d+)?(ms|[smhdwMy]|[kKmMgG]i?[bB])$`).MatchString(word) {
		return `A number has no unit. Date math is written in quotes: "now-5m".`
	}
	return fmt.Sprintf("A name that begins with a digit goes into backquotes: `%s`; a text is "+
		"written in quotes.", clip(word))
}

// dateMath reads now-1h and the like, which belong into quotes.
func (l *lexer) dateMath() (token, bool) {
	if !strings.HasPrefix(l.text[l.pos:], "now") {
		return token{}, false
	}
	math := regexp.MustCompile(`^now([+-]\d+[smhHdwMy](/[smhHdwMy])?)+\b`).
		FindString(l.text[l.pos:])
	if math == "" {
		return token{}, false
	}
	return l.meant(l.pos, len(math), "date math is written in quotes",
		"Write "+quote(math)+"."), true
}
