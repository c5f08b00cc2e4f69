package detect

import (
	"cmp"
	"time"

	"esrule/internal/detect/terms"
	"esrule/internal/event"
	"esrule/internal/query/match"
	"esrule/internal/query/prefilter"
	"esrule/internal/query/rule"
	"esrule/internal/sink/signal"
)

// NewTerms is what a rule of type new_terms asks beside its query: an event that the rule accepts
// is a match for a tuple of values where no accepted event with that tuple is in the history before
// it. Of events of the same time the one with the smallest identity is first. So what is new does
// not depend on when the rule is run.
type NewTerms struct {
	Fields  terms.Fields
	History time.Duration
	Clock   Clock
}

// First is the place of an event that may be the first with a tuple.
type First struct {
	At time.Time
	ID signal.ID // of the event under the rule
}

// Compare puts events in order.
func (f First) Compare(other First) int {
	return cmp.Or(f.At.Compare(other.At), cmp.Compare(f.ID, other.ID))
}

// Knows reports whether an event keeps a later one with the same tuple from being new.
func (n *NewTerms) Knows(earlier, later First) bool {
	return earlier.Compare(later) < 0 && later.At.Sub(earlier.At) <= n.History
}

// newNewTerms compiles what the rule asks of the history, and adds what it reads to fields.
func newNewTerms(r *rule.Rule, w Where, body *rule.NewTermsQuery,
	fields *event.Fields) *NewTerms {
	return &NewTerms{Fields: terms.New(fields, body.Fields), History: body.History,
		Clock: newClock(timestampsOf(r, w), fields)}
}

// Clock reads when an event was, by the timestamps of a rule.
type Clock struct {
	override, primary event.Slot
	timestamps        prefilter.Timestamps
}

// newClock returns the clock of a rule's timestamps, and adds them to fields.
func newClock(timestamps prefilter.Timestamps, fields *event.Fields) Clock {
	c := Clock{timestamps: timestamps, primary: fields.Add(timestamp)}
	if c.timestamps.Override != "" {
		c.override = fields.Add(c.timestamps.Override)
	}
	return c
}

// Time returns when the event was; ok is false where it has no time that can be read. Of several
// times it is the earliest, as in the index.
func (c Clock) Time(e *match.Evaluation) (at time.Time, ok bool) {
	if c.timestamps.Override != "" {
		if at, ok = earliest(e.Values(c.override)); ok || c.timestamps.NoFallback {
			return at, ok
		}
	}
	return earliest(e.Values(c.primary))
}
