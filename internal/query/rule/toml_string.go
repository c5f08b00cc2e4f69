package rule

import (
	"bytes"
	"strconv"
	"strings"
)

// unquote returns the text of a TOML string that is at a place, and for each byte of the text, and
// its end, the place where it is written.
func unquote(raw []byte, at int) (string, []int) {
	open := quotes(raw)
	if len(raw) < 2*open {
		return "", nil
	}
	inner := raw[open : len(raw)-open]
	if open == 3 { // the line end after the opening quotes is no part of the text
		inner = bytes.TrimPrefix(bytes.TrimPrefix(inner, []byte("\r")), []byte("\n"))
	}
	first := at + len(raw) - open - len(inner)
	if raw[0] != '\'' {
		return unescape(inner, first)
	}
	places := make([]int, len(inner)+1)
	for i := range places {
		places[i] = first + i
	}
	return string(inner), places
}

// quotes returns how many quotes a TOML string begins and ends with.
func quotes(raw []byte) int {
	if bytes.HasPrefix(raw, []byte("'''")) || bytes.HasPrefix(raw, []byte(`"""`)) {
		return 3
	}
	return 1
}

// unescape reads the inside of a TOML basic string that begins at first, and returns for each byte
// of the result the place of what it was written as. go-toml has checked the string; what it yields
// decides.
func unescape(raw []byte, first int) (string, []int) {
	var text []byte
	var at []int
	add := func(place int, s string) {
		for range len(s) {
			at = append(at, first+place)
		}
		text = append(text, s...)
	}
	for i := 0; i < len(raw); {
		if raw[i] != '\\' || i+1 == len(raw) {
			add(i, string(raw[i:i+1]))
			i++
			continue
		}
		if digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[raw[i+1]]; digits > 0 {
			end := min(i+2+digits, len(raw))
			code, _ := strconv.ParseUint(string(raw[i+2:end]), 16, 31)
			add(i, string(rune(code)))
			i = end
			continue
		}
		if short := strings.IndexByte(`btnfre"\`, raw[i+1]); short >= 0 {
			add(i, "\b\t\n\f\r\x1b\"\\"[short:short+1])
			i += 2
			continue
		}
		// A backslash at the end of a line takes with it all white space up to the next character.
		i += 1 + len(raw[i+1:]) - len(bytes.TrimLeft(raw[i+1:], " \t\r\n"))
	}
	return string(text), append(at, first+len(raw))
}
