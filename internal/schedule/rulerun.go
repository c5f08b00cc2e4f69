package schedule

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"esrule/internal/detect"
	"esrule/internal/sink/signal"
	"esrule/internal/span"
)

// ruleRun is one run of one rule under way. It begins, takes steps until none is left, and ends. A
// piece that fails does not end it; an error of the ledger or of the clock does.
type ruleRun struct {
	*Runner
	findings  *findings
	ledgers   *batch
	coverer   *detect.Coverer
	detection *detect.Detection
	execution signal.Execution
	started   time.Time
	run       Run
	stalled   atomic.Int64 // nanoseconds of it, see [RuleReport.Stalled]

	ledger    *Ledger
	patterns  []string         // those that are searched
	forbidden []detect.Failure // those that may not be read, or not whole
	now       time.Time        // the earlier of our clock and the cluster's, when asked last
	asked     time.Time        // our clock then
	theirs    time.Time        // the cluster's clock when the run began
	apart     span.Interval    // between the two clocks, where that is too much; it is not searched
	before    turn             // what the last step searched
	turn      work             // the kind of work behind the live window that is next
	gapPace   pace
	sweepPace pace
	retryPace pace
	single    bool   // open indices are searched one by one
	ahead     *ahead // what was searched for the next step already, together with other rules
	// lookedElsewhere are open indices that were gone, a piece of whose time was searched in all
	// patterns.
	lookedElsewhere []string
	isNew           bool // the rule had no ledger
	// newMeaning says that the rule's condition or patterns changed since its previous run.
	newMeaning bool
	shut       shutIndices
	failing    failing
	due        map[string]bool // indices that were open before the run, and are tried again in it
	reached    reach           // by the pieces of gaps and the live window
	swept      reach           // by those of a late sweep
	notKept    error           // why the ledger is not in the state index as it is here
	err        error           // what ended the run early
}

func (r *Runner) newRuleRun(d *detect.Detection, f *findings, b *batch,
	started time.Time) *ruleRun {
	s := &ruleRun{Runner: r, findings: f, ledgers: b, detection: d, started: started,
		due: map[string]bool{}}
	s.coverer = &detect.Coverer{Cluster: f, Signals: r.signals, Own: r.options.Own, Log: r.log,
		Bursts: r.bursts, Indicators: r.indicators}
	s.gapPace, s.retryPace = newPace(longestPiece, leastPiece), newPace(longestPiece, leastPiece)
	s.sweepPace = newPace(sweepPiece, sweepPiece)
	s.execution = signal.Execution{ID: rand.Text(), Type: signal.Scheduled,
		Version: r.options.Version,
		Now:     r.options.Now}
	s.run = Run{ID: s.execution.ID, At: s.started.UTC()}
	return s
}

// begin learns the time, reads the ledger, and asks what may be read and what is closed.
func (s *ruleRun) begin(ctx context.Context) {
	defer s.timed()()
	s.err = s.prepare(ctx)
}

func (s *ruleRun) prepare(ctx context.Context) error {
	latest, err := s.askTime(ctx)
	if err != nil {
		return err
	}
	if err := s.openLedger(ctx, latest); err != nil {
		return err
	}
	if err := s.askPrivileges(ctx); err != nil {
		return err
	}
	if err := s.askShut(ctx); err != nil {
		return fmt.Errorf("ask which indices are closed: %w", err)
	}
	for _, o := range s.ledger.Open {
		s.due[o.Index] = true
	}
	return nil
}

// wakeUp learns the time where the live window may have come due since it was asked last: a rule
// that has nothing left behind waits for others that have.
func (s *ruleRun) wakeUp(ctx context.Context) error {
	if s.before != gap || s.options.Now().Sub(s.asked) < s.detection.Rule.Interval {
		return nil
	}
	_, err := s.askTime(ctx)
	return err
}

// timed adds the time until the function that it gives is called to the run's.
func (s *ruleRun) timed() func() {
	began := s.options.Now()
	return func() { s.run.Duration += s.options.Now().Sub(began) }
}

// apartReason is why the time between the two clocks is not covered.
const apartReason = "our clock and the cluster's differ: events are searched up to the earlier " +
	"of the two, so " +
	"later than they could be. Set the clock that is wrong (NTP)"

// askTime sets now to the earlier of our clock and the cluster's, since what lies between them is
// not over yet for one of the two, and gives the later.
func (s *ruleRun) askTime(ctx context.Context) (latest time.Time, err error) {
	ours, theirs, err := s.findings.clocks(ctx, s.options)
	if err != nil {
		return time.Time{}, fmt.Errorf("ask the cluster for its clock: %w", err)
	}
	s.apart = span.Interval{}
	if skew := ours.Sub(theirs).Abs(); skew > detect.LeastOverlap {
		s.apart = span.New(span.Earlier(ours, theirs), span.Later(ours, theirs))
		if s.findings.first(apartReason) {
			s.log.Warn(apartReason, "ours", ours.UTC(), "cluster", theirs.UTC(), "skew",
				skew.Round(time.Second))
		}
	}
	s.asked = ours
	if s.theirs.IsZero() {
		s.theirs = theirs
	}
	s.now = span.Earlier(ours, theirs).Add(-s.detection.Settles()).UTC().
		Truncate(time.Millisecond)
	return span.Later(ours, theirs), nil
}

// openLedger reads the ledger, or makes the rule's first, and enters what the rule means now.
func (s *ruleRun) openLedger(ctx context.Context, latest time.Time) error {
	d := s.detection
	start := s.options.Start
	if start == 0 {
		start = d.Rule.From
	}
	create := func() *Ledger {
		s.isNew = true
		return NewLedger(d.Rule.ID, d.Rule.Name, s.now.Add(-start))
	}
	return s.update(ctx, create, func(l *Ledger) {
		l.beginSweeps(s.now)
		l.afterGap(s.now)
		s.rightClocks(l, latest, start)
		if l.meaning(d.Fingerprint(), s.now) {
			s.warn("the rule's condition or index patterns changed: what was covered before "+
				"was searched for the old ones, and is not searched again but by a backfill",
				"covered_before", s.now)
			l.Sweep.UnderWay = nil // what it has read, it read for the old ones
			s.newMeaning = true
		}
		l.RuleName = d.Rule.Name
	})
}

// rightClocks takes out of the ledger what clocks that were ahead left in it.
func (s *ruleRun) rightClocks(l *Ledger, latest time.Time, start time.Duration) {
	began := l.Since
	ahead := l.setBack(s.now, latest)
	if l.Since.After(latest) {
		l.Since = s.now.Add(-start)
	}
	if !l.Since.Equal(began) {
		s.warn("the clocks were ahead since the rule's first run: its coverage begins "+
			"earlier than the ledger said", "began", began, "begins", l.Since)
	}
	cut := l.CutFuture(s.now, s.detection.Rule.Interval)
	if cut == 0 {
		return
	}
	advice := "the late sweep now reads again what was taken for searched"
	if ahead > s.options.Late {
		advice = "the late sweep (ESRULE_LATE) does not reach as far back as the clocks were " +
			"ahead: what happened meanwhile may be missed, run a backfill over that time"
	}
	if ahead == 0 {
		advice = "nothing to do: each search overlaps by that much"
	}
	s.warn("the ledger ended in the future, as clocks that were ahead leave it; what lies "+
		"after now is searched when it comes", "cut", cut, "advice", advice)
}

func (s *ruleRun) update(ctx context.Context, create func() *Ledger, change func(*Ledger)) error {
	ledger, err := s.ledgers.update(ctx, s.detection.Rule.ID, create, change)
	if err == nil {
		s.ledger = ledger
	}
	return err
}

// write writes the ledgers that the runs have changed, even where ctx has ended. A rule whose
// ledger cannot be written goes back to what is written of it, and its run ends.
func (b *batch) write(ctx context.Context, runs []*ruleRun) {
	became := b.flush(context.WithoutCancel(ctx))
	for _, s := range runs {
		k, changed := became[s.detection.Rule.ID]
		if !changed {
			continue
		}
		s.ledger, s.notKept = k.ledger, nil
		if _, blocked := errors.AsType[*NotKeptError](k.err); blocked {
			s.notKept = k.err
			continue
		}
		s.err = both(s.err, k.err)
	}
}

// known is for updates of a ledger that this run has read already. One deleted meanwhile starts
// anew from what this run knows.
func (s *ruleRun) known() *Ledger { return s.ledger }

// askPrivileges sorts the patterns into those that are searched and those that stay open.
func (s *ruleRun) askPrivileges(ctx context.Context) error {
	var err error
	s.patterns, s.forbidden, err = detect.Searchable(ctx, s.findings, s.detection.Patterns)
	return err
}

func (s *ruleRun) count(out detect.Outcome, window span.Interval) {
	s.run.Searched += window.Length()
	s.run.Indices = max(s.run.Indices, out.Indices)
	s.run.Add(out.Counts)
	s.run.Together = max(s.run.Together, out.Rules)
	if out.Whole != "" {
		s.run.WholeWindow = out.Whole
	}
}

// finish enters the run into the ledger. A run that could not read its ledger leaves it alone.
func (s *ruleRun) finish(ctx context.Context) {
	if s.err == nil {
		s.err = ctx.Err()
	}
	if s.ahead != nil { // its step did not come: the signals were written all the same
		s.run.Add(s.ahead.out.Counts)
	}
	s.err = both(s.err, s.noteMissed(ctx))
	s.run.Error = textOf(errors.Join(append([]error{s.err, s.notUpToNow()}, s.failing.errs...)...))
	if s.ledger != nil {
		s.err = both(s.err, s.update(context.WithoutCancel(ctx), s.known,
			func(l *Ledger) {
				l.LastRun = &s.run
				l.ceaseAlone()
			}))
	}
}

// report returns the report of the run, whose ledger is written.
func (s *ruleRun) report() RuleReport {
	s.err = both(s.err, s.notKept)
	report := RuleReport{
		RuleID: s.detection.Rule.ID, Name: s.detection.Rule.Name, Run: s.run, Err: s.err,
		Stalled: time.Duration(s.stalled.Load()), Failed: s.failing.errs, Apart: s.apart,
	}
	if s.ledger != nil {
		s.letGo()
		report.Sick = s.ledger.Sick
		report.Open = s.ledger.Open
		report.CoveredUpTo = s.ledger.CoveredUpTo()
		report.Lag = s.options.Now().Sub(report.CoveredUpTo)
	}
	return report
}

// both joins two errors. One that is alone stays what it is, so that its cause is found.
func both(a, b error) error {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return errors.Join(a, b)
}

// notUpToNow is the error of a run that could not search up to now.
func (s *ruleRun) notUpToNow() error {
	if s.apart.Length() == 0 {
		return nil
	}
	return fmt.Errorf("%s is not covered: %s", s.apart, apartReason)
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
