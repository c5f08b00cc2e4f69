package event

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// MendSurrogates gives JSON text with each escaped half of a surrogate pair that stands alone
// ("\ud800", which a file's name on Windows may hold) replaced by the question mark that
// Elasticsearch indexes in its place. The parser of events would keep it as six characters, or take
// the escape behind it for its other half. Text without any is given back as it is; text is never
// changed.
func MendSurrogates(text []byte) []byte {
	if !escapesSurrogate(text) {
		return text
	}
	mended := text
	for at := 0; ; {
		next := bytes.IndexByte(text[min(at, len(text)):], '\\')
		if next < 0 {
			return mended
		}
		at += next
		half, isUnit := codeUnit(text[at:])
		if !isUnit {
			at += len(`\\`)
			continue
		}
		const unit = len(`\u0000`)
		at += unit
		if !utf16.IsSurrogate(half) {
			continue
		}
		if other, _ := codeUnit(text[at:]); utf16.DecodeRune(half, other) != utf8.RuneError {
			at += unit
			continue
		}
		if &mended[0] == &text[0] {
			mended = bytes.Clone(text)
		}
		copy(mended[at-unit:], `\u003f`)
	}
}

// escapesSurrogate tells whether any escape begins with the d of a surrogate. It looks at every
// byte of every event, so it goes from backslash to backslash, two at a time where one escapes the
// other.
func escapesSurrogate(text []byte) bool {
	for {
		at := bytes.IndexByte(text, '\\')
		if at < 0 || len(text) < at+3 {
			return false
		}
		if text[at+1] == 'u' && text[at+2]|0x20 == 'd' {
			return true
		}
		text = text[at+2:]
	}
}

// codeUnit reads an escape such as \u0041 at the start of text.
func codeUnit(text []byte) (unit rune, ok bool) {
	const length = len(`\u0000`)
	if len(text) < length || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(text[2:length]), 16, 16)
	return rune(n), err == nil
}
