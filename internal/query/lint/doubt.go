package lint

import (
	"slices"

	"esrule/internal/finding"
	"esrule/internal/query/cond"
)

// Doubt is a part of a query that is legal and probably not what was meant.
type Doubt struct {
	Code finding.Code
	At   *cond.Error // the place, the message and the advice
}

// Error returns the place and the message.
func (d Doubt) Error() string { return d.At.Error() }

// Doubts are those of one query, in the order of its text.
type Doubts []Doubt

// Errors returns the doubts as errors in the query's text.
func (d Doubts) Errors() cond.Errors {
	errs := make(cond.Errors, len(d))
	for i, one := range d {
		errs[i] = one.At
	}
	return errs
}

func (d Doubts) sort() {
	slices.SortStableFunc(d, func(a, b Doubt) int { return a.At.Span.Start - b.At.Span.Start })
}
