package cond

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Code says what kind of error a query has.
type Code uint8

// The kinds of errors.
const (
	// CodeSyntax: the text is not EQL.
	CodeSyntax Code = iota
	// CodeUnsupported: the text is EQL, but of a kind that is not evaluated here, named in the
	// message.
	CodeUnsupported
	// CodeLimit: the query is larger than anything sensible.
	CodeLimit
	// CodeFunction: no such function, or not with these arguments.
	CodeFunction
	// CodeType: the operands do not fit the operator, whatever a mapping may say.
	CodeType
	// CodeDoubt: the query is good, and probably not what was meant.
	CodeDoubt
)

// String returns the code's name.
func (c Code) String() string {
	switch c {
	case CodeSyntax:
		return "syntax"
	case CodeUnsupported:
		return "unsupported"
	case CodeLimit:
		return "limit"
	case CodeFunction:
		return "function"
	case CodeType:
		return "type"
	case CodeDoubt:
		return "doubt"
	}
	return fmt.Sprintf("Code(%d)", c)
}

// Error is one error in a query's text.
type Error struct {
	Span Span
	// Line and Column count from 1, columns in code points. A caller that knows where the query
	// stands in a file may add to them.
	Line, Column int
	// Source is the whole line that the span starts in.
	Source string
	Code   Code
	// What names what is not supported in a word or two, for CodeUnsupported.
	What    string
	Message string
	// Advice says what to write instead; it may be empty.
	Advice string
}

// NewError makes an error about a part of a query's text, for whoever reads the parsed tree.
func NewError(text string, span Span, code Code, message, advice string) *Error {
	span.Start = min(max(span.Start, 0), len(text))
	span.End = min(max(span.End, span.Start), len(text))
	begin := strings.LastIndexByte(text[:span.Start], '\n') + 1
	line := text[begin:]
	if end := strings.IndexByte(line, '\n'); end >= 0 {
		line = line[:end]
	}
	return &Error{
		Span:    span,
		Line:    strings.Count(text[:begin], "\n") + 1,
		Column:  utf8.RuneCountInString(text[begin:span.Start]) + 1,
		Source:  strings.TrimSuffix(line, "\r"),
		Code:    code,
		Message: message,
		Advice:  advice,
	}
}

// Unsupported makes an error about something that is not evaluated here; what names it in a word or
// two.
func Unsupported(text string, span Span, what, message, advice string) *Error {
	e := NewError(text, span, CodeUnsupported, message, advice)
	e.What = what
	return e
}

// Error returns the error on one line: position and message.
func (e *Error) Error() string { return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Message) }

// Detail returns the error with the line it stands in, a caret under each character that it is
// about, and the advice.
func (e *Error) Detail() string {
	var b strings.Builder
	b.WriteString(e.Error())
	if strings.TrimSpace(e.Source) != "" {
		e.writeExcerpt(&b)
	}
	if e.Advice != "" {
		b.WriteString("\n  " + e.Advice)
	}
	return b.String()
}

// writeExcerpt adds the line and, under it, the carets.
func (e *Error) writeExcerpt(b *strings.Builder) {
	line, skip, width := e.excerpt()
	b.WriteString("\n    " + line + "\n    ")
	for _, r := range line {
		if skip == 0 {
			break
		}
		skip--
		// A tab stays a tab, so that the caret stands right whatever a tab's width is.
		if r != '\t' {
			r = ' '
		}
		b.WriteRune(r)
	}
	b.WriteString(strings.Repeat("^", width))
}

// excerpt returns the part of the line to show, how many code points of it stand before the span,
// and how many of it are the span's.
func (e *Error) excerpt() (line string, skip, width int) {
	const before, most = 100, 160
	runes := []rune(strings.TrimRight(e.Source, " \t"))
	start := min(e.Column-1, len(runes))
	// The span is in bytes and may reach into further lines; what is left of this line bounds it.
	width = len(runes) - start
	if rest := string(runes[start:]); e.Span.End-e.Span.Start < len(rest) {
		width = utf8.RuneCountInString(rest[:e.Span.End-e.Span.Start])
	}
	first := 0
	for first < start && (runes[first] == ' ' || runes[first] == '\t') {
		first++
	}
	prefix := ""
	if start-first > before {
		first, prefix = start-before, "…"
	}
	last, suffix := len(runes), ""
	if last-first > most {
		last, suffix = first+most, "…"
	}
	width = min(width, last-start)
	return prefix + string(
			runes[first:last],
		) + suffix, start - first + utf8.RuneCountInString(
			prefix,
		), max(
			width,
			1,
		)
}

// Errors are all errors found in one query, in the order of the text.
type Errors []*Error

// Error returns every error on a line of its own.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Detail returns every error as [Error.Detail] does.
func (e Errors) Detail() string {
	details := make([]string, len(e))
	for i, one := range e {
		details[i] = one.Detail()
	}
	return strings.Join(details, "\n")
}

// Unwrap lets errors.As find the single errors.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i, one := range e {
		all[i] = one
	}
	return all
}

// Unsupported reports whether the query is well-formed as far as it was read and only of a kind
// that is not evaluated here.
func (e Errors) Unsupported() bool {
	return len(e) > 0 &&
		!slices.ContainsFunc(e, func(one *Error) bool { return one.Code != CodeUnsupported })
}
