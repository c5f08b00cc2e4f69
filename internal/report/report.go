package report

import (
	"encoding/json"
	"time"

	"esrule/internal/query/match"
	"esrule/internal/query/rule"
)

// Report is what the page says beside the signals.
type Report struct {
	Command   string // "scan" or "backfill"
	Version   string // of the program
	Generated time.Time
	// From and To bound the time that was asked for, half-open; zero where there was no bound.
	From, To time.Time
	// Rules are those that were searched for, with or without signals; Skipped those that were
	// given and did not run.
	Rules   []*rule.Rule
	Skipped []rule.Skipped
	Covered []Coverage
	// NotCovered comes first on the page. The skipped rules need not be repeated in it.
	NotCovered []Gap
	// Notes are sentences that limit what the page says.
	Notes []string
}

// Coverage is a part that was searched whole: a row of a table that a person reads, so an index and
// not each of its slices.
type Coverage struct {
	What     string    // an index, a pattern, a file
	Rule     rule.ID   // empty where it is all rules
	From, To time.Time // zero where time has no part in it
	Events   int64     // that are in this part; negative where it is not known
	// of these, how many the matcher read: all in a scan, the candidates in a backfill
	Judged int64
}

// Gap is a part that was asked for and not searched, or not whole.
type Gap struct {
	What     string
	Rule     rule.ID
	From, To time.Time
	Reason   string // a sentence: why, and what can be done
}

// Signal is one signal as package sink makes it, and how its event came to match.
type Signal struct {
	Document json.RawMessage
	// Decided is the rule's condition judged on the event; nil where it was not judged again.
	Decided *match.Explanation
}
