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
	// is in a file may add to them.
	Line, Column int
	Code         Code
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
	return &Error{
		Span:    span,
		Line:    strings.Count(text[:begin], "\n") + 1,
		Column:  utf8.RuneCountInString(text[begin:span.Start]) + 1,
		Code:    code,
		Message: message,
		Advice:  advice,
	}
}

// Error returns the error on one line: position and message.
func (e *Error) Error() string { return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Message) }

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
