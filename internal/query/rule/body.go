package rule

import (
	"encoding/json"

	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
)

// Body is what a rule asks, by its kind. The set is closed: [*EventQuery], [*SequenceQuery],
// [*NewTermsQuery], [*ThresholdQuery], [*IndicatorQuery]. A kind that is not run has no body: its
// rules are [Skipped].
type Body interface {
	// Text returns the query as written.
	Text() string
	// Queries returns the conditions on single events that the body is made of. Their spans point
	// into Text.
	Queries() []*cond.Query
	// Event returns the condition on single events that the body consists of or begins with; nil
	// for a sequence.
	Event() *EventQuery
	body()
}

// EventQuery asks for single events: a rule of type eql whose query is an event query, or a rule of
// type query in KQL. Bodies of kinds that ask more about such events embed it.
type EventQuery struct {
	Query *cond.Query
	// TimestampField and TiebreakerField are those of EQL, and order events. An event query is true
	// of each event alone, so for it they decide nothing; they are kept for the signal.
	TimestampField  string
	TiebreakerField string
	// Filters are the rule's filters as JSON, nil where it has none. Query.Filters are what they
	// mean.
	Filters json.RawMessage
}

// Text returns the query as written.
func (q *EventQuery) Text() string { return q.Query.Text }

// Queries returns the one query.
func (q *EventQuery) Queries() []*cond.Query { return []*cond.Query{q.Query} }

// Event returns the query itself.
func (q *EventQuery) Event() *EventQuery { return q }

func (*EventQuery) body() {}

// SequenceQuery asks for several events together: a rule of type eql whose query is a sequence or a
// sample.
type SequenceQuery struct {
	Statement eql.Statement
	Source    string // the query as written
	// TiebreakerField orders events of the same time; empty where the rule has none.
	TiebreakerField string
}

// Text returns the query as written.
func (q *SequenceQuery) Text() string { return q.Source }

// Queries returns those of the stages, in the order of the text, and that of until.
func (q *SequenceQuery) Queries() []*cond.Query { return q.Statement.Queries() }

// Event returns nil.
func (*SequenceQuery) Event() *EventQuery { return nil }

func (*SequenceQuery) body() {}
