package rule

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// shownWidth is how much of a line an error shows, in characters: queries on one line can be very
// long.
const shownWidth = 100

// span is a part of a file, in bytes. The zero span is the file as a whole.
type span struct{ start, end int }

// source is a file's text and name.
type source struct {
	file string
	text []byte
	// before is how many lines of the file are before the text.
	before  int
	queryAt queryPlace
}

// ofQuery returns the lines of the query alone: all that is kept of the file of a rule that runs.
func (s source) ofQuery() source {
	at := &s.queryAt.value
	from := bytes.LastIndexByte(s.text[:at.start], '\n') + 1
	to := len(s.text)
	if end := bytes.IndexByte(s.text[at.end:], '\n'); end >= 0 {
		to = at.end + end
	}
	s.before = s.lineAt(from) - 1
	s.text = bytes.Clone(s.text[from:to])
	at.start, at.end = at.start-from, at.end-from
	return s
}

// errorAt makes an error about a part of the file.
func (s *source) errorAt(at span, message, advice string) *Error {
	e := &Error{File: s.file, Message: message, Advice: advice}
	if at == (span{}) || at.start > len(s.text) {
		return e
	}
	lineStart := bytes.LastIndexByte(s.text[:at.start], '\n') + 1
	line := s.text[lineStart:]
	if end := bytes.IndexByte(line, '\n'); end >= 0 {
		line = line[:end]
	}
	e.Line = s.lineAt(lineStart)

	from := at.start - lineStart
	to := min(max(at.end-lineStart, from), len(line))
	before := shown(line[:from])
	e.Column = len(before) + 1
	e.Source, e.Caret = underline(before, shown(line[from:to]), shown(line[to:]))
	return e
}

// lineAt returns the line of a place.
func (s *source) lineAt(at int) int {
	return 1 + s.before + bytes.Count(s.text[:at], []byte("\n"))
}

// lineOf makes an error about the line that a part of the file begins on, where the column is not
// known.
func (s *source) lineOf(at span, message, advice string) *Error {
	e := s.errorAt(at, message, advice)
	e.Column, e.Caret = 0, ""
	return e
}

// offset returns the place of a line and a column in bytes, both from 1.
func (s *source) offset(line, column int) int {
	at := 0
	for ; line > 1; line-- {
		next := bytes.IndexByte(s.text[at:], '\n')
		if next < 0 {
			break
		}
		at += next + 1
	}
	return min(at+max(column-1, 0), len(s.text))
}

// shown returns text as it may be written to a terminal: what a file holds must not steer it.
func shown(text []byte) []rune {
	text = bytes.TrimSuffix(text, []byte("\r"))
	runes := make([]rune, 0, utf8.RuneCount(text))
	for _, r := range string(text) {
		if r != '\t' && !unicode.IsPrint(r) {
			r = utf8.RuneError
		}
		runes = append(runes, r)
	}
	return runes
}

// underline returns a line and the marks below its middle part, without indentation and cut to what
// fits.
func underline(before, marked, after []rune) (line, caret string) {
	line = string(before) + string(marked) + string(after)
	indent := len([]rune(line)) - len([]rune(strings.TrimLeft(line, " \t")))
	before = before[min(indent, len(before)):]

	if len(before)+len(marked)+len(after) > shownWidth {
		before = cutFront(before, shownWidth*3/5)
		marked = cutBack(marked, shownWidth-len(before))
		after = cutBack(after, shownWidth-len(before)-len(marked))
	}
	margin := make([]rune, len(before))
	for i, r := range before {
		margin[i] = ' '
		if r == '\t' {
			margin[i] = '\t' // as wide as the one above it, whatever the terminal makes of it
		}
	}
	line = strings.TrimRight(string(before)+string(marked)+string(after), " \t")
	return line, string(margin) + strings.Repeat("^", max(len(marked), 1))
}

func cutFront(text []rune, most int) []rune {
	if len(text) <= most {
		return text
	}
	return append([]rune{'…'}, text[len(text)-most:]...)
}

func cutBack(text []rune, most int) []rune {
	if len(text) <= most {
		return text
	}
	return append(slices.Clone(text[:max(most, 0)]), '…')
}
