package schedule

import (
	"slices"
	"strings"
	"time"

	"esrule/internal/detect"
	"esrule/internal/query/rule"
	"esrule/internal/span"
)

// Ledger is the memory of one rule: what was searched and what is still open. It is a document of
// the state index, readable by the next release; fields are added, never given another meaning.
type Ledger struct {
	Kind    string  `json:"kind"`    // "ledger"
	Version int     `json:"version"` // of this format
	RuleID  rule.ID `json:"rule_id"`
	// RuleName is for people who read the document.
	RuleName string `json:"rule_name"`
	// Since is where the rule's coverage begins: the start of its first run's look back.
	Since time.Time `json:"since"`
	// Covered are the intervals that were searched whole, but for the indices in Open.
	Covered span.Intervals `json:"covered"`
	// Open are the indices that did not answer for part of what is covered otherwise.
	Open []OpenIndex `json:"open,omitempty"`
	// Sick are the pieces that failed as a whole. Their time is in Covered only where they are a
	// late sweep's. A release that does not know the field finds gaps there.
	Sick []SickPiece `json:"sick,omitempty"`
	// Alone says that the rule failed where it was searched alone and others did not. As long as
	// something of it is open or sick, it is not searched together with others.
	Alone bool `json:"alone,omitempty"`
	// SetAside are the closed indices that the operator does not wait for: they are searched when
	// they are opened. Nil in a ledger of a release that did not ask.
	SetAside *[]string `json:"set_aside,omitempty"`
	// Sweep is the account of the late sweeps; a ledger of an earlier release has none until its
	// next run.
	Sweep *Sweep `json:"sweep,omitempty"`
	// Fingerprint is the meaning of the rule that was searched last, FingerprintAt when it became
	// that.
	Fingerprint   string    `json:"fingerprint"`
	FingerprintAt time.Time `json:"fingerprint_at"`
	// PreviousFingerprint is not empty where the meaning changed: what was covered before
	// FingerprintAt was searched for another condition.
	PreviousFingerprint string    `json:"previous_fingerprint,omitempty"`
	LastRun             *Run      `json:"last_run,omitempty"`
	UpdatedAt           time.Time `json:"updated_at"`
}

// ledgerVersion is the format that this release writes.
const ledgerVersion = 1

// OpenIndex is an index, or a whole pattern that may not be read, with the time for which it is not
// covered.
type OpenIndex struct {
	Index string         `json:"index"`
	Time  span.Intervals `json:"time"`
	// SweepFrom is the time from which on the index owes a late sweep, without an end; zero where
	// it owes none.
	SweepFrom time.Time `json:"sweep_from,omitzero"`
	Reason    string    `json:"reason"`
	// Since is when it first failed, Tries how often it has since, Next when it is tried again at
	// the earliest.
	Since time.Time `json:"since"`
	Tries int       `json:"tries"`
	Next  time.Time `json:"next"`
}

// Run is what one run of a rule came to, its late sweep included.
type Run struct {
	ID       string        `json:"id"`
	At       time.Time     `json:"at"`
	Duration time.Duration `json:"duration_ns"`
	// Searched is the time that was searched, overlap included; Indices how many indices were.
	Searched time.Duration `json:"searched_ns"`
	Indices  int           `json:"indices"`
	// Searches is the rule's share of the searches that were sent: a tenth of one for ten rules.
	Searches float64 `json:"searches,omitempty"`
	detect.Counts
	// Together is the most rules that were searched together with this one, itself included.
	// WholeWindow says why a search read every event of its window in some indices; it is empty
	// where none did.
	Together    int    `json:"together,omitempty"`
	WholeWindow string `json:"whole_window,omitempty"`
	// Swept is what of that its late sweep came to, if it had a part of one.
	Swept *Swept `json:"swept,omitempty"`
	// Error is what ended the run early, if anything did, or made a piece of it fail.
	Error string `json:"error,omitempty"`
}

// Swept is what the late sweep came to within one run.
type Swept struct {
	// From is the first time that was read again; the last piece, behind which the sweep is
	// Complete, has no end.
	From       time.Time `json:"from"`
	Complete   bool      `json:"complete"`
	Candidates int       `json:"candidates"`
	Matched    int       `json:"matched"`
	// Created are the signals that only the sweep found.
	Created int `json:"created"`
}

// NewLedger is the ledger of a rule that was never run, to be covered from since on.
func NewLedger(id rule.ID, name string, since time.Time) *Ledger {
	return &Ledger{Kind: "ledger", Version: ledgerVersion, RuleID: id, RuleName: name,
		Since: since.UTC().Truncate(time.Millisecond)}
}

// Gaps is the time up to now that is wanted and not covered, oldest first.
func (l *Ledger) Gaps(now time.Time) span.Intervals {
	return span.Intervals(nil).Union(span.New(l.Since, now)).Minus(l.Covered...)
}

// CoveredUpTo is the moment before which everything wanted is covered by every index.
func (l *Ledger) CoveredUpTo() time.Time {
	upTo := l.Since
	if len(l.Covered) > 0 && !l.Covered[0].From.After(l.Since) {
		upTo = l.Covered[0].To
	}
	for _, open := range l.Open {
		if len(open.Time) > 0 {
			upTo = span.Earlier(upTo, open.Time[0].From)
		}
	}
	return upTo
}

// CutFuture takes out of the coverage what lies after now, as a clock that was ahead leaves it, and
// gives how much that was. An open index whose next try is further away than the pause behind so
// many tries, at the rule's interval, is due at once: nobody knows what of the pause is over.
func (l *Ledger) CutFuture(now time.Time, interval time.Duration) time.Duration {
	now = now.UTC().Truncate(time.Millisecond)
	future := l.Covered.Length()
	l.Covered = l.Covered.Within(span.Interval{To: now})
	l.cutSick(now, interval)
	for i := range l.Open {
		o := &l.Open[i]
		o.Since = span.Earlier(o.Since, now)
		if o.Next.After(now.Add(o.pause(interval))) {
			o.Next = now
		}
	}
	return future - l.Covered.Length()
}

// cover enters an interval as searched, except for the failures, whose indices are open for it.
func (l *Ledger) cover(i span.Interval, failures []detect.Failure, now time.Time) {
	l.Covered = l.Covered.Union(i)
	l.heal(now)
	for _, f := range failures {
		l.open(f, i, now)
	}
}

func (l *Ledger) open(f detect.Failure, i span.Interval, now time.Time) {
	o := l.opened(f, now)
	o.Time = o.Time.Union(i)
}

// opened is the entry of an index that just failed, a new one where it did not before.
func (l *Ledger) opened(f detect.Failure, now time.Time) *OpenIndex {
	at := slices.IndexFunc(l.Open, func(o OpenIndex) bool { return o.Index == f.Index })
	if at < 0 {
		l.Open = append(l.Open, OpenIndex{Index: f.Index, Since: now})
		at = len(l.Open) - 1
	}
	o := &l.Open[at]
	o.Reason = f.Reason
	o.Next = span.Later(o.Next, now)
	return o
}

// retried enters what became of a second look at one index: answered, or failed once more.
func (l *Ledger) retried(index string, i span.Interval, failure *detect.Failure, now time.Time,
	interval time.Duration) {
	at := slices.IndexFunc(l.Open, func(o OpenIndex) bool { return o.Index == index })
	if at < 0 {
		return
	}
	if o := &l.Open[at]; failure != nil {
		o.failed(*failure, now, interval)
	} else {
		o.Time = o.Time.Minus(i)
		l.close(at)
	}
}

// failed puts the next try off.
func (o *OpenIndex) failed(f detect.Failure, now time.Time, interval time.Duration) {
	o.Tries++
	o.Reason = f.Reason
	o.Next = now.Add(o.pause(interval))
}

// pause is how long the index is left alone behind its last try.
func (o *OpenIndex) pause(interval time.Duration) time.Duration {
	if o.Tries == 0 {
		return 0
	}
	return backoff(o.Tries, interval)
}

// close drops an entry of which nothing is left open.
func (l *Ledger) close(at int) {
	if o := l.Open[at]; len(o.Time) == 0 && o.SweepFrom.IsZero() {
		l.Open = slices.Delete(l.Open, at, at+1)
	}
}

// What says for people what is open of an index.
func (o OpenIndex) What() string {
	var what []string
	if n := o.Time.Length(); n > 0 {
		what = append(what, n.Round(time.Second).String())
	}
	if !o.SweepFrom.IsZero() {
		what = append(what, "the late sweep from "+o.SweepFrom.Format(time.RFC3339)+" on")
	}
	return strings.Join(what, " and ")
}

// longestPause is how long an open index is left alone at most.
const longestPause = time.Hour

// backoff is how long an index is left alone after so many failures: the rule's interval, doubled
// each time, at most longestPause.
func backoff(tries int, interval time.Duration) time.Duration {
	wait := interval
	for range tries - 1 {
		wait *= 2
		if wait >= longestPause {
			return longestPause
		}
	}
	return min(wait, longestPause)
}

// meaning enters the fingerprint of the rule that is searched from now on.
func (l *Ledger) meaning(fingerprint string, now time.Time) (changed bool) {
	if l.Fingerprint == fingerprint {
		return false
	}
	changed = l.Fingerprint != ""
	l.PreviousFingerprint, l.Alone = l.Fingerprint, false
	l.Fingerprint, l.FingerprintAt = fingerprint, now.UTC().Truncate(time.Millisecond)
	return changed
}
