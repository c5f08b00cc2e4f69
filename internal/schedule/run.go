package schedule

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"esrule/internal/query/rule"
	"esrule/internal/query/search"
	"esrule/internal/sink"
)

// Cluster is what a run reads of Elasticsearch. *search.Cluster is one.
type Cluster interface {
	OpenPointInTime(ctx context.Context, patterns []string) (*search.PointInTime, error)
	Mappings(ctx context.Context, patterns, fields []string) ([]search.Class, error)
	Privileges(ctx context.Context, patterns []string) ([]search.MissingPrivilege, error)
	Exists(ctx context.Context, index string) (bool, error)
	// Now is the cluster's clock, asked through a date field of an index that may be empty.
	Now(ctx context.Context, index, field string) (time.Time, error)
}

// Signals is where matches go. *sink.Writer is one. Write returns when the cluster has acknowledged
// every signal, or an error.
type Signals interface {
	Write(ctx context.Context, signals []sink.Signal) (sink.Result, error)
}

// Options are what a Runner needs beside its collaborators.
type Options struct {
	// StateIndex is asked for the cluster's clock; with the other two of the program's own indices it is never read for events.
	StateIndex string
	Own        []string
	// Start is how far back a rule's first run looks; 0 is the rule's own look back.
	Start   time.Duration
	Now     func() time.Time
	Log     *slog.Logger
	Version string // of the program, for the signals
}

// Runner covers what is open of a set of rules.
type Runner struct {
	cluster Cluster
	signals Signals
	ledgers *Store
	own     []string
	options Options
	log     *slog.Logger
}

// NewRunner puts a runner together.
func NewRunner(c Cluster, s Signals, l *Store, o Options) *Runner {
	return &Runner{cluster: c, signals: s, ledgers: l, own: o.Own, options: o, log: o.Log}
}

// Report is what a run over all rules came to.
type Report struct {
	Rules []RuleReport
}

// RuleReport is one rule's part of a Report.
type RuleReport struct {
	RuleID rule.ID
	Name   string
	Run    Run
	// Open is what is still not covered behind the run, per index.
	Open []OpenIndex
	// Err is what ended the rule's run early; the gap stays open.
	Err error
}

// Covered tells whether everything asked for was covered.
func (r Report) Covered() bool {
	for _, one := range r.Rules {
		if one.Err != nil || len(one.Open) > 0 || one.Run.DeadLettered > 0 {
			return false
		}
	}
	return true
}

// Run covers what is open of each rule in turn, up to now. A rule that fails does not stop the others;
// the error is the context's.
func (r *Runner) Run(ctx context.Context, detections []*Detection) (Report, error) {
	var report Report
	for _, d := range detections {
		one := r.runRule(ctx, d)
		report.Rules = append(report.Rules, one)
		r.logRun(d, one)
		if err := ctx.Err(); err != nil {
			return report, err
		}
	}
	return report, nil
}

// runRule covers one rule: what is due of the indices that failed before, the live window, the gaps.
func (r *Runner) runRule(ctx context.Context, d *Detection) RuleReport {
	s := &ruleRun{Runner: r, detection: d, started: r.options.Now()}
	s.execution = sink.Execution{ID: rand.Text(), Type: sink.Scheduled, Version: r.options.Version, Now: r.options.Now}
	s.run = Run{ID: s.execution.ID, At: s.started.UTC()}
	err := s.perform(ctx)
	s.run.Duration = r.options.Now().Sub(s.started)
	if err != nil {
		s.run.Failures = append(s.run.Failures, err.Error())
	}
	if finished := s.finish(context.WithoutCancel(ctx)); finished != nil {
		err = errors.Join(err, finished)
	}
	report := RuleReport{RuleID: d.Rule.ID, Name: d.Rule.Name, Run: s.run, Err: err}
	if s.ledger != nil {
		report.Open = s.ledger.Open
	}
	return report
}

// ruleRun is one run of one rule under way.
type ruleRun struct {
	*Runner
	detection *Detection
	started   time.Time
	execution sink.Execution
	ledger    *Ledger
	run       Run
	latest    time.Time // the later of our clock and the cluster's, when asked last
	patterns  []string  // those that may be read
	forbidden []Failure // those that may not
}

func (s *ruleRun) perform(ctx context.Context) error {
	now, err := s.now(ctx)
	if err != nil {
		return err
	}
	if err := s.begin(ctx, now); err != nil {
		return err
	}
	if err := s.askPrivileges(ctx); err != nil {
		return err
	}
	for before := nothingYet; ; {
		piece, ok := nextPiece(s.ledger, s.detection.Rule, now, before)
		if !ok {
			break
		}
		before = gap
		if piece.To.Equal(now) {
			before = liveWindow
		}
		if err := s.coverPiece(ctx, piece); err != nil {
			return err
		}
		if now, err = s.now(ctx); err != nil {
			return err
		}
	}
	return s.retryOpen(ctx, now)
}

// now is the earlier of our clock and the cluster's: what lies between them is not over yet for one of the two.
func (s *ruleRun) now(ctx context.Context) (time.Time, error) {
	theirs, err := s.cluster.Now(ctx, s.options.StateIndex, "updated_at")
	if err != nil {
		return time.Time{}, fmt.Errorf("ask the cluster for its clock: %w", err)
	}
	ours := s.options.Now()
	s.latest = later(ours, theirs)
	return earlier(ours, theirs).UTC().Truncate(time.Millisecond), nil
}

// begin reads the ledger, or makes the rule's first, and enters what the rule means now.
func (s *ruleRun) begin(ctx context.Context, now time.Time) error {
	d := s.detection
	start := s.options.Start
	if start == 0 {
		start = d.Rule.From
	}
	create := func() *Ledger {
		s.log.Info("first run of a rule", "rule", d.Rule.ID, "name", d.Rule.Name, "looks_back", start)
		return NewLedger(d.Rule.ID, d.Rule.Name, now.Add(-start))
	}
	return s.update(ctx, create, func(l *Ledger) {
		if l.Since.After(s.latest) {
			s.log.Warn("the ledger begins in the future: a clock was ahead; coverage begins anew", "rule", d.Rule.ID, "began", l.Since, "begins", now.Add(-start))
			l.Since = now.Add(-start)
		}
		if cut := l.CutFuture(now); cut > 0 {
			s.log.Warn("the ledger ended in the future, as clocks that were ahead leave it; what lies after now is searched when it comes", "rule", d.Rule.ID, "cut", cut)
		}
		if l.meaning(d.Fingerprint(), now) {
			s.log.Warn("the rule's condition or index patterns changed: what was covered before was searched for the old ones; run a backfill to search it again",
				"rule", d.Rule.ID, "name", d.Rule.Name)
		}
		l.RuleName = d.Rule.Name
	})
}

func (s *ruleRun) update(ctx context.Context, create func() *Ledger, change func(*Ledger)) error {
	ledger, err := s.ledgers.Update(ctx, s.detection.Rule.ID, create, change)
	if err == nil {
		s.ledger = ledger
	}
	return err
}

// known is for updates of a ledger that this run has read already. One deleted meanwhile starts anew
// from what this run knows.
func (s *ruleRun) known() *Ledger { return s.ledger }

// askPrivileges sorts the patterns into those that may be read and those that may not: a search over
// what is forbidden answers as if nothing were there.
func (s *ruleRun) askPrivileges(ctx context.Context) error {
	missing, err := s.cluster.Privileges(ctx, s.detection.Patterns)
	if err != nil {
		return fmt.Errorf("ask what may be read: %w", err)
	}
	lacking := map[string][]string{}
	for _, m := range missing {
		lacking[m.Pattern] = append(lacking[m.Pattern], m.Privilege)
	}
	for _, p := range s.detection.Patterns {
		if len(lacking[p]) == 0 {
			s.patterns = append(s.patterns, p)
			continue
		}
		s.forbidden = append(s.forbidden, Failure{Index: p, Reason: fmt.Sprintf("the privilege %s is missing on it: grant it to the user or API key of esrule (esrule setup prints the role)", lacking[p])})
	}
	return nil
}

// coverPiece covers one interval and enters it into the ledger.
func (s *ruleRun) coverPiece(ctx context.Context, piece Interval) error {
	out := outcome{}
	if len(s.patterns) > 0 {
		var err error
		out, err = s.cover(ctx, s.detection, s.patterns, piece, s.execution)
		s.count(out, piece)
		if err != nil {
			return fmt.Errorf("cover %s: %w; it stays open and is searched again by the next run", piece, err)
		}
	}
	failures := append(out.failures, s.forbidden...)
	return s.update(ctx, s.known, func(l *Ledger) { l.cover(piece, failures, s.started.UTC()) })
}

// retryOpen searches again the indices that failed in earlier runs and are due.
func (s *ruleRun) retryOpen(ctx context.Context, now time.Time) error {
	for _, open := range s.ledger.Open {
		if open.Next.After(now) || !open.Since.Before(s.started.UTC()) || s.isForbidden(open.Index) {
			continue
		}
		for _, i := range open.Time {
			failure, err := s.retry(ctx, open.Index, i)
			if err != nil {
				return err
			}
			if err := s.update(ctx, s.known, func(l *Ledger) {
				l.retried(open.Index, i, failure, now, s.detection.Rule.Interval)
			}); err != nil {
				return err
			}
			if failure != nil {
				break
			}
		}
	}
	return nil
}

func (s *ruleRun) isForbidden(index string) bool {
	for _, f := range s.forbidden {
		if f.Index == index {
			return true
		}
	}
	return false
}

func (s *ruleRun) retry(ctx context.Context, index string, i Interval) (*Failure, error) {
	out, err := s.cover(ctx, s.detection, []string{index}, i, s.execution)
	s.count(out, i)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return &Failure{Index: index, Reason: err.Error()}, nil
	}
	for _, f := range out.failures {
		return &Failure{Index: index, Reason: f.Reason}, nil
	}
	if out.empty && !strings.ContainsAny(index, "*?") {
		return s.outOfReach(ctx, index), nil
	}
	return nil, nil
}

// outOfReach tells an index that is gone, for which there is nothing left to do, from one that is there and
// of which a search reads nothing: no answer stands for no event only where there is nothing to answer.
func (s *ruleRun) outOfReach(ctx context.Context, index string) *Failure {
	there, err := s.cluster.Exists(ctx, index)
	switch {
	case err != nil:
		return &Failure{Index: index, Reason: fmt.Sprintf("ask whether it is still there: %v", err)}
	case there:
		return &Failure{Index: index, Reason: "it is closed, or may not be read: open it, or grant the privilege"}
	}
	s.log.Warn("an index was deleted before it was covered; it is no longer waited for", "rule", s.detection.Rule.ID, "index", index)
	return nil
}

func (s *ruleRun) count(out outcome, i Interval) {
	s.run.Searched += reading(s.detection.Rule, i).Length()
	s.run.Indices = max(s.run.Indices, out.indices)
	s.run.Candidates += out.candidates
	s.run.Matched += out.matched
	s.run.Created += out.written.Created
	s.run.Duplicates += out.written.Duplicates
	s.run.Reduced += out.written.Reduced
	s.run.DeadLettered += out.written.DeadLettered
}

// finish enters the run into the ledger. A run that could not read its ledger leaves it alone.
func (s *ruleRun) finish(ctx context.Context) error {
	if s.ledger == nil {
		return nil
	}
	return s.update(ctx, s.known, func(l *Ledger) { l.LastRun = &s.run })
}

func (r *Runner) logRun(d *Detection, one RuleReport) {
	run := one.Run
	attributes := []any{
		"rule", one.RuleID, "name", one.Name, "searched", run.Searched, "indices", run.Indices,
		"candidates", run.Candidates, "matched", run.Matched, "created", run.Created, "duplicates", run.Duplicates,
		"reduced", run.Reduced, "dead_lettered", run.DeadLettered, "failed", len(one.Open), "duration", run.Duration.Round(time.Millisecond),
	}
	for _, open := range one.Open {
		r.log.Error("an index is not covered; it is searched again with growing pauses", "rule", one.RuleID, "index", open.Index,
			"time", open.Time.Length(), "reason", open.Reason, "next_try", open.Next)
	}
	switch {
	case one.Err != nil:
		r.log.Error("run failed; what it left open is searched by the next run", append(attributes, "error", one.Err)...)
	default:
		r.log.Info("run", attributes...)
	}
}
