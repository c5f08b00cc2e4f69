package detect

import (
	"fmt"

	"esrule/internal/sink"
)

// Counts is what searching came to. It is part of documents in the state index, readable by the
// next release.
type Counts struct {
	// Candidates passed the pre-filter, Matched the matcher.
	Candidates int `json:"candidates"`
	Matched    int `json:"matched"`
	// Of the matched, Created are new signals, Duplicates had one before, Reduced are new but
	// without their event's fields, WithoutEvent only say where the event is, and DeadLettered
	// could not be written to the signals index at all.
	Created      int `json:"created"`
	Duplicates   int `json:"duplicates"`
	Reduced      int `json:"reduced"`
	WithoutEvent int `json:"without_event"`
	DeadLettered int `json:"dead_lettered"`
}

// Add adds other counts.
func (c *Counts) Add(o Counts) {
	c.Candidates += o.Candidates
	c.Matched += o.Matched
	c.Created += o.Created
	c.Duplicates += o.Duplicates
	c.Reduced += o.Reduced
	c.WithoutEvent += o.WithoutEvent
	c.DeadLettered += o.DeadLettered
}

// Enter adds what became of signals that were written.
func (c *Counts) Enter(verdicts []sink.Verdict) {
	for _, v := range verdicts {
		switch v.Fate {
		case sink.Created:
			c.Created++
		case sink.Duplicate:
			c.Duplicates++
		case sink.Reduced:
			c.Reduced++
		case sink.WithoutEvent:
			c.WithoutEvent++
		case sink.DeadLettered:
			c.DeadLettered++
		case sink.Open, sink.Refused: // the error of Write is about them
		}
	}
}

// Text is the counts for a person to read.
func (c Counts) Text() string {
	return fmt.Sprintf("%d candidates, %d matched, %d created, %d duplicates, %d reduced, "+
		"%d without their events, %d dead letters", c.Candidates, c.Matched, c.Created,
		c.Duplicates, c.Reduced, c.WithoutEvent, c.DeadLettered)
}

// NewSignals is how many new signals are in the signals index, in whatever form.
func (c Counts) NewSignals() int { return c.Created + c.Reduced + c.WithoutEvent }
