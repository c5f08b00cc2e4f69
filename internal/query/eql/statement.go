package eql

import (
	"time"

	"esrule/internal/query/cond"
)

// Statement is what a text of EQL asks for. The set is closed: [*Event], [*Sequence], [*Sample].
type Statement interface {
	// Queries returns the event queries that the statement is made of, in the order of the text.
	Queries() []*cond.Query
	// String returns the statement in canonical form; parsing it returns the same statement.
	String() string
	// kind names the kind of statement in a message.
	kind() string
}

// Event asks for single events: `category where condition`.
type Event struct {
	Query *cond.Query
	Pipes []Pipe
}

// Sequence asks for events that follow each other.
type Sequence struct {
	// Keys are the fields that must have the same values in all events. They come before each
	// stage's own.
	Keys []*cond.Field
	// MaxSpan is the longest time from the first event to the last, 0 where there is no limit.
	MaxSpan time.Duration
	Stages  []Stage
	Until   *Stage // the event that ends a sequence before it is complete, or nil
	Pipes   []Pipe
}

// Sample asks for events in any order that have the same keys.
type Sample struct {
	Keys   []*cond.Field // as in a Sequence
	Stages []Stage
}

// Stage is one event of a sequence or a sample: `[category where condition] by key with runs=2`.
type Stage struct {
	cond.Span
	Query   *cond.Query
	Missing bool          // `![…]`: there must be no such event
	Keys    []*cond.Field // of this stage, after those that all share
	Runs    int           // how many such events one after another, 1 where the text does not say
}

// Pipe keeps some of the results.
type Pipe struct {
	cond.Span
	Kind  PipeKind
	Count int
}

// PipeKind is one of the two pipes that EQL evaluates.
type PipeKind uint8

// The pipes.
const (
	Head PipeKind = iota // the first results
	Tail                 // the last results
)

// String returns the pipe's name.
func (k PipeKind) String() string {
	if k == Tail {
		return "tail"
	}
	return "head"
}

// Queries returns the one query.
func (e *Event) Queries() []*cond.Query { return []*cond.Query{e.Query} }

// Queries returns the queries of the stages and of until.
func (s *Sequence) Queries() []*cond.Query {
	queries := queriesOf(s.Stages)
	if s.Until != nil {
		queries = append(queries, s.Until.Query)
	}
	return queries
}

// Queries returns the queries of the stages.
func (s *Sample) Queries() []*cond.Query { return queriesOf(s.Stages) }

func queriesOf(stages []Stage) []*cond.Query {
	queries := make([]*cond.Query, len(stages))
	for i := range stages {
		queries[i] = stages[i].Query
	}
	return queries
}

func (*Event) kind() string    { return "event" }
func (*Sequence) kind() string { return "sequence" }
func (*Sample) kind() string   { return "sample" }
