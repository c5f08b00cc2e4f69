package rule

import (
	"fmt"
	"strings"
)

// Error is one thing wrong with one file.
type Error struct {
	File string `json:"file"`
	// Line and Column count from 1, columns in characters; 0 where the fault has no place in the
	// file.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Source is the line as it is shown, Caret the marks below it; both empty where Line is 0.
	Source  string `json:"source,omitempty"`
	Caret   string `json:"-"`
	Message string `json:"message"`
	Advice  string `json:"advice,omitempty"` // what the user can do
	Err     error  `json:"-"`                // the cause, where it came from the file system
}

// Error returns the fault as a user reads it, on up to four lines.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	if e.Column > 0 {
		fmt.Fprintf(&b, ":%d", e.Column)
	}
	b.WriteString(": " + e.Message)
	if e.Source != "" {
		b.WriteString("\n    " + e.Source)
	}
	if e.Caret != "" {
		b.WriteString("\n    " + e.Caret)
	}
	if e.Advice != "" {
		b.WriteString("\n  " + e.Advice)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errors is everything wrong with the files of one Load, in the order in which they were read.
type Errors []*Error

// Error returns all of them, one after the other.
func (e Errors) Error() string {
	texts := make([]string, len(e))
	for i, one := range e {
		texts[i] = one.Error()
	}
	return strings.Join(texts, "\n")
}

// Unwrap lets errors.Is and errors.As look into each.
func (e Errors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, one := range e {
		errs[i] = one
	}
	return errs
}
