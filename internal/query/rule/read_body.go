package rule

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
	"esrule/internal/query/filter"
	"esrule/internal/query/kql"
)

// body reads the query, nil where it has errors or the rule is of a kind that is not run.
func (r *reader) body() Body {
	text := r.rule.text("query")
	r.placeQuery(text, r.rule.place("query").value)
	if languageOf(r.kind) == "kuery" {
		return r.kuery(text)
	}
	if strings.TrimSpace(text) == "" {
		return nil
	}
	return r.eventQuery(text)
}

// kuery reads the body of a rule whose query is in KQL.
func (r *reader) kuery(text string) Body {
	query, err := kql.Parse(text)
	if r.refused(err) {
		return nil
	}
	body := EventQuery{Query: query}
	query.Filters, body.Filters = r.filters("filters")
	switch r.kind {
	case "new_terms":
		return r.newTerms(body)
	case "threshold":
		return r.threshold(&body)
	case "threat_match":
		return r.indicator(&body)
	}
	return &body
}

// filters reads the rule's filters below a key: what they mean, and as JSON. A rule with one that
// is not evaluated is skipped.
func (r *reader) filters(key string) ([]cond.Expr, json.RawMessage) {
	entries := r.rule.tables(key, "")
	if len(entries) == 0 {
		return nil, nil
	}
	var list []cond.Expr
	for i, entry := range entries {
		e, err := filter.Parse(entry.values)
		if err != nil {
			r.skip("filters", fmt.Sprintf("filter %d: %v", i+1, err))
			return nil, nil
		}
		if e != nil {
			list = append(list, e)
		}
	}
	text, err := json.Marshal(r.rule.list(key))
	if err != nil {
		r.skip("filters", fmt.Sprintf("the filters are no JSON: %v", err))
	}
	return list, text
}

// refused reports whether a query is not run, and says why.
func (r *reader) refused(err error) bool {
	var faults cond.Errors
	switch {
	case err == nil:
		return false
	case errors.As(err, &faults) && faults.Unsupported():
		r.skip(faults[0].What, faults[0].Message)
	default:
		r.errs = append(r.errs, r.locate(err)...)
	}
	return true
}

// eventQuery reads the body of a rule of type eql.
func (r *reader) eventQuery(text string) Body {
	if len(r.rule.list("filters")) > 0 {
		r.skip("filters", "filters of rules of type eql are not evaluated; write them into the query")
	}
	statement, err := eql.ParseStatement(text)
	if r.refused(err) {
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
		if len(s.Pipes) > 0 {
			r.skip("pipe", fmt.Sprintf("the pipe `%s` is not supported", s.Pipes[0].Kind))
			return nil
		}
		return r.sequence(s, text)
	case *eql.Sample:
		return r.sequence(s, text)
	}
	return nil
}

// sequence reads the body of a rule whose query is a sequence or a sample.
func (r *reader) sequence(s eql.Statement, text string) Body {
	for _, q := range s.Queries() {
		q.CategoryField = r.rule.text("event_category_override")
	}
	return &SequenceQuery{Statement: s, Source: text,
		TiebreakerField: r.rule.text("tiebreaker_field")}
}
