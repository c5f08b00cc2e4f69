package rule

import (
	"errors"
	"fmt"
	"strings"

	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
)

// eventQuery reads the body of a rule of type eql, nil where its query has errors or is of a kind
// that is not run.
func (r *reader) eventQuery() Body {
	text := r.rule.text("query")
	if strings.TrimSpace(text) == "" {
		return nil
	}
	r.placeQuery(text, r.rule.place("query").value)
	statement, err := eql.ParseStatement(text)
	var faults cond.Errors
	switch {
	case errors.As(err, &faults) && faults.Unsupported():
		r.skip(faults[0].What, faults[0].Message)
		return nil
	case err != nil:
		r.errs = append(r.errs, r.locate(err)...)
		return nil
	}
	switch s := statement.(type) {
	case *eql.Event:
		if len(s.Pipes) > 0 {
			r.skip("pipe", fmt.Sprintf("the pipe `%s` is not supported", s.Pipes[0].Kind))
			return nil
		}
		s.Query.CategoryField = r.rule.text("event_category_override")
		return &EventQuery{
			Query:           s.Query,
			TimestampField:  r.rule.text("timestamp_field"),
			TiebreakerField: r.rule.text("tiebreaker_field"),
		}
	case *eql.Sequence:
		r.skip("sequence", "sequence queries are not supported")
	case *eql.Sample:
		r.skip("sample", "sample queries are not supported")
	}
	return nil
}
