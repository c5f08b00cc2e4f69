package match

import (
	"unicode"
	"unicode/utf8"
)

// appendLower writes text in lower case as Java's toLowerCase(Locale.ROOT) does: with the whole of
// Unicode, in which İ becomes two characters, and Σ at the end of a word is ς.
func appendLower(into, text []byte) []byte {
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			into = append(into, c)
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			into = append(into, c) // half a character, or no UTF-8
		case r == 'İ':
			into = append(into, "i\u0307"...)
		case r == 'Σ' && endsWord(text[:i], text[i+size:]):
			into = append(into, "ς"...)
		default:
			into = utf8.AppendRune(into, unicode.ToLower(r))
		}
		i += size
	}
	return into
}

// endsWord tells whether a letter stands before and none after, what is no part of words aside.
func endsWord(before, after []byte) bool {
	for len(before) > 0 {
		r, size := utf8.DecodeLastRune(before)
		before = before[:len(before)-size]
		if isIgnorable(r) {
			continue
		}
		if !isCased(r) {
			return false
		}
		for len(after) > 0 {
			r, size := utf8.DecodeRune(after)
			after = after[size:]
			if !isIgnorable(r) {
				return !isCased(r)
			}
		}
		return true
	}
	return false
}

func isCased(r rune) bool {
	return unicode.IsUpper(r) || unicode.IsLower(r) || unicode.IsTitle(r) ||
		unicode.Is(unicode.Other_Lowercase, r) || unicode.Is(unicode.Other_Uppercase, r)
}

// isIgnorable: characters that stand inside words without being letters.
func isIgnorable(r rune) bool {
	switch r {
	case '\'', '.', ':', '·', '’', '\u00ad', '\u2018', '\u2024', '\u2027', '\ufe13', '\ufe52',
		'\ufe55', '\uff07', '\uff0e', '\uff1a':
		return true
	}
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk)
}
