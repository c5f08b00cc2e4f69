package backfill

import (
	"slices"
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

// covers reports whether the slice's time was searched for a rule.
func (s Slice) covers(id rule.ID) bool {
	return s.State == Done ||
		s.State == Failed && len(s.Blind) > 0 && !slices.Contains(s.Blind, id)
}

// Slice is what became of a piece of a plan. It is a document of the state index, readable by the
// next release.
type Slice struct {
	Kind    string `json:"kind"` // "slice"
	Version int    `json:"version"`
	Plan    string `json:"plan"`
	// RuleID is the first rule of the part.
	RuleID rule.ID       `json:"rule_id"`
	Window span.Interval `json:"window"`
	State  State         `json:"state"`
	// Worker is the process that claimed it last, Beats its signs of life since.
	Worker string `json:"worker"`
	Beats  int    `json:"beats"`
	// Tries is how often it was searched and not covered, Failures why, the last time.
	Tries    int              `json:"tries,omitempty"`
	Failures []detect.Failure `json:"failures,omitempty"`
	// Blind are the rules of the part that the failures are about; none where they are about all.
	Blind  []rule.ID     `json:"blind,omitempty"`
	Counts detect.Counts `json:"counts"`
	// Rules are the counts of the part's rules, of which there is more than one; those that found
	// nothing are left out.
	Rules     map[rule.ID]detect.Counts `json:"rules,omitempty"`
	UpdatedAt time.Time                 `json:"updated_at"`
}
