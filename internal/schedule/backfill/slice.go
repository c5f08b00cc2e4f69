package backfill

import (
	"time"

	"esrule/internal/detect"
	"esrule/internal/query/rule"
	"esrule/internal/span"
)

// State is where a slice stands. A slice that nobody has claimed has no document.
type State string

// The states of a slice.
const (
	// Claimed: a worker is on it, as long as it shows signs of life.
	Claimed State = "claimed"
	// Free: given back, by a worker that was stopped or wants to try again later.
	Free State = "free"
	// Done: searched whole, and every signal acknowledged.
	Done State = "done"
	// Failed: tried several times; not covered. The next command of the plan tries again.
	Failed State = "failed"
)

// Slice is what became of a piece of a plan. It is a document of the state index, readable by the
// next release.
type Slice struct {
	Kind    string        `json:"kind"` // "slice"
	Version int           `json:"version"`
	Plan    string        `json:"plan"`
	RuleID  rule.ID       `json:"rule_id"`
	Window  span.Interval `json:"window"`
	State   State         `json:"state"`
	// Worker is the process that claimed it last, Beats its signs of life since.
	Worker string `json:"worker"`
	Beats  int    `json:"beats"`
	// Tries is how often it was searched and not covered, Failures why, the last time.
	Tries     int              `json:"tries,omitempty"`
	Failures  []detect.Failure `json:"failures,omitempty"`
	Counts    Counts           `json:"counts"`
	UpdatedAt time.Time        `json:"updated_at"`
}

// Counts is what searching came to. Of the matched, Created are new signals, Duplicates were
// alerted before, Reduced are new but without their event's fields, WithoutEvent only say where the
// event is, and DeadLettered could not be written to the signals index at all.
type Counts struct {
	Candidates   int `json:"candidates"`
	Matched      int `json:"matched"`
	Created      int `json:"created"`
	Duplicates   int `json:"duplicates"`
	Reduced      int `json:"reduced"`
	WithoutEvent int `json:"without_event"`
	DeadLettered int `json:"dead_lettered"`
}

func countsOf(o detect.Outcome) Counts {
	w := o.Written
	return Counts{o.Candidates, o.Matched, w.Created, w.Duplicates, w.Reduced, w.WithoutEvent,
		w.DeadLettered}
}

func (c *Counts) add(o Counts) {
	c.Candidates += o.Candidates
	c.Matched += o.Matched
	c.Created += o.Created
	c.Duplicates += o.Duplicates
	c.Reduced += o.Reduced
	c.WithoutEvent += o.WithoutEvent
	c.DeadLettered += o.DeadLettered
}
