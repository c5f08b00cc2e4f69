package main

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// plain is where text for people goes. Events, rules and even index names may hold what a terminal
// obeys: such a character is written as its number. It is not for JSON, which has its own way, nor
// for the progress bar, which means it.
type plain struct{ out io.Writer }

func (p plain) Write(text []byte) (int, error) {
	if bytes.IndexFunc(text, obeyed) < 0 {
		return p.out.Write(text)
	}
	if _, err := io.WriteString(p.out, escaped(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}

// obeyed says whether a terminal would do something else with a character than show it. Lines and
// columns are ours.
func obeyed(r rune) bool {
	return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r))
}

func escaped(text string) string {
	var b strings.Builder
	for _, r := range text {
		if obeyed(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// nameOf writes a name that comes from the cluster. One with a line break would make a line of its
// own.
func nameOf(s string) string {
	if strings.ContainsFunc(s, unicode.IsControl) {
		return strconv.Quote(s)
	}
	return s
}
