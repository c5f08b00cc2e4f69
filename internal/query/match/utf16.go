package match

import (
	"bytes"
	"unicode/utf8"
)

// Elasticsearch's functions count UTF-16 units: one for most characters, two for those beyond
// U+FFFF. A text that was cut between the two halves of such a character holds a half, written in
// three bytes as UTF-8 would write it if it could, and joined with the other half again it is the
// character.

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// units gives the length in bytes and in UTF-16 units of the character at the start of b.
func units(b []byte) (size, count int) {
	switch {
	case b[0] < utf8.RuneSelf:
		return 1, 1
	case isHalf(b):
		return 3, 1
	}
	r, size := utf8.DecodeRune(b)
	if r > 0xffff {
		return size, 2
	}
	return size, 1
}

// isHalf tells whether b begins with half a character, U+D800 to U+DFFF.
func isHalf(b []byte) bool {
	return len(b) >= 3 && b[0] == 0xed && b[1] >= 0xa0 && b[1] <= 0xbf && b[2] >= 0x80 &&
		b[2] <= 0xbf
}

func lengthUTF16(b []byte) int {
	if isASCII(b) {
		return len(b)
	}
	n := 0
	for len(b) > 0 {
		size, count := units(b)
		n += count
		b = b[size:]
	}
	return n
}

// offsetUTF16 gives the offset in bytes of the unit at, or the length where b is shorter.
func offsetUTF16(b []byte, at int) int {
	offset, _ := findUTF16(b, at)
	return offset
}

// findUTF16 tells besides whether the unit is the second half of the character at the offset.
func findUTF16(b []byte, at int) (offset int, inside bool) {
	for offset < len(b) && at > 0 {
		size, count := units(b[offset:])
		if count > at {
			return offset, true
		}
		offset += size
		at -= count
	}
	return offset, false
}

// sliceUTF16 gives the units from start up to end, empty where end is not behind start.
func sliceUTF16(e *Evaluation, b []byte, start, end int) []byte {
	if start >= end {
		return nil
	}
	if isASCII(b) {
		return b[start:end]
	}
	from, cutStart := findUTF16(b, start)
	to, cutEnd := findUTF16(b, end)
	if !cutStart && !cutEnd {
		return b[from:to]
	}
	begin := len(e.scratch)
	if cutStart {
		r, size := utf8.DecodeRune(b[from:])
		e.scratch = appendHalf(e.scratch, 0xdc00+(r-0x10000)&0x3ff)
		from += size
	}
	e.scratch = append(e.scratch, b[min(from, to):to]...)
	if cutEnd {
		r, _ := utf8.DecodeRune(b[to:])
		e.scratch = appendHalf(e.scratch, 0xd800+(r-0x10000)>>10)
	}
	return e.scratch[begin:]
}

func appendHalf(into []byte, half rune) []byte {
	return append(into, 0xe0|byte(half>>12), 0x80|byte(half>>6&0x3f), 0x80|byte(half&0x3f))
}

// appendUTF16 joins a text to that which begins in into at start; two halves that meet become one
// character.
func appendUTF16(into []byte, start int, b []byte) []byte {
	n := len(into)
	if n-start < 3 || !isHalf(into[n-3:]) || !isHalf(b) || into[n-2] >= 0xb0 || b[1] < 0xb0 {
		return append(into, b...)
	}
	high, low := half(into[n-3:]), half(b)
	into = utf8.AppendRune(into[:n-3], 0x10000+(high-0xd800)<<10+(low-0xdc00))
	return append(into, b[3:]...)
}

func half(b []byte) rune { return rune(b[0]&0x0f)<<12 | rune(b[1]&0x3f)<<6 | rune(b[2]&0x3f) }

// compareUTF16 orders texts by their UTF-16 units, as Java does. It differs from the order of bytes
// only in that U+E000 to U+FFFF come after all characters beyond.
func compareUTF16(a, b []byte) int {
	for i := 0; i < len(a) && i < len(b); i++ {
		if a[i] == b[i] {
			continue
		}
		x, y := a[i], b[i]
		if (x >= 0xee && x <= 0xef) != (y >= 0xee && y <= 0xef) && x >= 0xee && y >= 0xee {
			x, y = y, x
		}
		if x < y {
			return -1
		}
		return 1
	}
	return compareIntegers(int64(len(a)), int64(len(b)))
}

// lower gives text in lower case as Java's toLowerCase makes it.
func lower(e *Evaluation, text []byte) []byte {
	if bytes.IndexFunc(text, func(r rune) bool {
		return 'A' <= r && r <= 'Z' || r >= utf8.RuneSelf
	}) < 0 {
		return text
	}
	start := len(e.scratch)
	e.scratch = appendLower(e.scratch, text)
	return e.scratch[start:]
}
