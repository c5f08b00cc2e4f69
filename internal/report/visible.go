package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// visible spells out what would not be seen, or would change how the text around it is read:
// control characters, bidirectional overrides, zero-width characters, other spaces than the common
// one, bytes that are no text. A line break and a tab stay.
func visible(s string) string {
	if strings.IndexFunc(s, hidden) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, "⟨0x%02X⟩", s[i])
		case r == '\r' && strings.HasPrefix(s[i:], "\r\n"): // the next round writes the line break
		case hidden(r):
			fmt.Fprintf(&b, "⟨U+%04X⟩", r)
		default:
			b.WriteRune(r)
		}
		i += size
	}
	return b.String()
}

func hidden(r rune) bool {
	return r != '\n' && r != '\t' && !unicode.IsPrint(r)
}

// short is a text for a list: on one line, and no longer than limit characters.
func short(s string, limit int) string {
	if over := cutAt(s, 8*limit); over < len(s) { // so that the work on a large value is small
		s = s[:over] + "…"
	}
	runes := []rune(strings.Join(strings.FieldsFunc(visible(s), unicode.IsSpace), " "))
	if len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return string(runes)
}

// cutAt gives the last place that is no further than limit and not within a character.
func cutAt(s string, limit int) int {
	if len(s) <= limit {
		return len(s)
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return limit
}
