package detect

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"esrule/internal/query/rule"
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
	// Excepted are events that would have matched but for an exception, ByException which of them
	// each exception accepted, by its name.
	Excepted    int            `json:"excepted,omitempty"`
	ByException map[string]int `json:"by_exception,omitempty"`
	// ChainStopped are signals that a rule over signals would have matched but for the bound on
	// their chains, see [signal.Chain].
	ChainStopped int `json:"chain_stopped,omitempty"`
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
	c.Excepted += o.Excepted
	c.ChainStopped += o.ChainStopped
	if len(o.ByException) > 0 {
		sum := maps.Clone(o.ByException) // counts are copied, and the map with them
		for name, n := range c.ByException {
			sum[name] += n
		}
		c.ByException = sum
	}
}

// Except counts an event that an exception accepted.
func (c *Counts) Except(by *rule.Exception) {
	c.Add(Counts{Excepted: 1, ByException: map[string]int{by.Name: 1}})
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
		"%d without their events, %d dead letters%s", c.Candidates, c.Matched, c.Created,
		c.Duplicates, c.Reduced, c.WithoutEvent, c.DeadLettered, c.ExceptedText())
}

// ExceptedText is the end of a list of counts: how many events were excepted by what, and how many
// signals ended a chain. It is empty where none was.
func (c Counts) ExceptedText() (text string) {
	if c.Excepted > 0 {
		text = fmt.Sprintf(", %d excepted (%s)", c.Excepted, c.Exceptions())
	}
	if c.ChainStopped > 0 {
		text += fmt.Sprintf(", %d not judged as signals that end a chain", c.ChainStopped)
	}
	return text
}

// Exceptions names the exceptions that accepted events, with the number for each.
func (c Counts) Exceptions() string {
	names := slices.Sorted(maps.Keys(c.ByException))
	for i, name := range names {
		names[i] = fmt.Sprintf("%q: %d", name, c.ByException[name])
	}
	return strings.Join(names, ", ")
}

// NewSignals is how many new signals are in the signals index, in whatever form.
func (c Counts) NewSignals() int { return c.Created + c.Reduced + c.WithoutEvent }
