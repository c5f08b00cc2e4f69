package rule

import (
	"cmp"
	"errors"

	"esrule/internal/query/cond"
)

// queryPlace says where the query's text is in the file.
type queryPlace struct {
	text    string
	value   span // the whole value, with its quotes
	unquote unquoter
}

// bytes returns the place in the file of each byte of the query's text, and of its end; nil where
// the two cannot be lined up: no column is better than a wrong one.
func (q queryPlace) bytes(file []byte) []int {
	if q.unquote == nil {
		return nil
	}
	text, at := q.unquote(file[q.value.start:q.value.end], q.value.start)
	if text != q.text {
		return nil
	}
	return at
}

// Locate turns errors about the rule's query (a *cond.Error or cond.Errors, from whoever reads the
// tree) into errors about the rule's file. Any other error becomes one about the file as a whole.
func (h *Head) Locate(err error) Errors {
	text := h.text
	text.file = cmp.Or(text.file, h.File) // a rule that was not loaded has no text
	return text.locate(err)
}

func (s *source) locate(err error) Errors {
	var many cond.Errors
	var one *cond.Error
	switch {
	case errors.As(err, &many):
	case errors.As(err, &one):
		many = cond.Errors{one}
	default:
		return Errors{&Error{File: s.file, Message: err.Error(), Err: err}}
	}
	located := make(Errors, len(many))
	for i, e := range many {
		located[i] = s.queryError(e)
	}
	return located
}

func (s *source) queryError(e *cond.Error) *Error {
	q := s.queryAt
	from, to := e.Span.Start, e.Span.End
	at := q.bytes(s.text)
	if at == nil || from < 0 || to < from || to > len(q.text) {
		return s.lineOf(q.value, "query: "+e.Message, e.Advice)
	}
	return s.errorAt(span{at[from], at[to]}, e.Message, e.Advice)
}
