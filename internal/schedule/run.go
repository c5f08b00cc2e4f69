package schedule

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"esrule/internal/detect"
	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/query/rule"
	"esrule/internal/span"
)

// Reader is what a run reads of Elasticsearch beside what covering does. *search.Cluster is one.
type Reader interface {
	detect.Cluster
	detect.Permissions
	// Now is the cluster's clock, asked through a date field of an index that may be empty.
	Now(ctx context.Context, index, field string) (time.Time, error)
	// Standings returns which indices there are, and which of them a search passes over.
	Standings(ctx context.Context, patterns []string) (map[string]search.Standing, error)
	// CountBy counts what a query finds by the values of a field, most of them at most.
	CountBy(ctx context.Context, patterns []string, query dsl.Clause, field string,
		most int) (map[string]int64, error)
	// Resolve is Standings for many lists of patterns.
	Resolve(ctx context.Context, patterns []string) (*search.Resolution, error)
}

// Options are what a Runner needs beside its collaborators.
type Options struct {
	// StateIndex is asked for the cluster's clock; with the other two of the program's own indices
	// it is never read for events.
	StateIndex string
	Own        []string
	// SetAside are patterns of indices that are not waited for while they are closed.
	SetAside []string
	// SignalsIndex is asked whether a rule without a ledger has signals.
	SignalsIndex string
	// Start is how far back a rule's first run looks; 0 is the rule's own look back.
	Start time.Duration
	// Late is how late an event may come that only its @timestamp places, and still be found; 0
	// switches the late sweep off.
	Late    time.Duration
	Now     func() time.Time
	Log     *slog.Logger
	Version string // of the program, for the signals
}

// Runner covers what is open of a set of rules.
type Runner struct {
	cluster Reader
	signals detect.Signals
	ledgers *Store
	options Options
	log     *slog.Logger
	groups  map[string]*detect.Group   // of the run before, see [common]
	apart   map[*detect.Detection]bool // see [common], and vain
	vain    map[*detect.Detection]bool
	bursts  *detect.Bursts
	// indicators are read anew by each run.
	indicators *detect.Indicators
}

// NewRunner puts a runner together.
func NewRunner(c Reader, s detect.Signals, l *Store, o Options) *Runner {
	return &Runner{cluster: c, signals: s, ledgers: l, options: o, log: o.Log,
		apart: map[*detect.Detection]bool{}, vain: map[*detect.Detection]bool{},
		bursts:     detect.NewBursts(o.SignalsIndex),
		indicators: detect.NewIndicators(c, o.Own, o.Log)}
}

// Report is what a run over all rules came to.
type Report struct {
	Rules []RuleReport
	// Indices is how many indices were searched, each counted once.
	Indices int
	// Refused are the rules that could not be run at all; whoever read them enters them.
	Refused []Refused
}

// Refused is a rule that is not run, since something is wrong with it alone.
type Refused struct {
	RuleName
	Reason string
}

// RuleReport is one rule's part of a Report.
type RuleReport struct {
	RuleID rule.ID
	Name   string
	Run    Run
	// Stalled is how much of the run's time went by in waiting for an address that left requests
	// unanswered.
	Stalled time.Duration
	// Open is what is still not covered behind the run, per index.
	Open []OpenIndex
	// Lag is the time since the moment up to which everything is covered.
	Lag time.Duration
	// CoveredUpTo is that moment; zero where the ledger could not be read.
	CoveredUpTo time.Time
	// Sick is what failed as a whole, behind the run.
	Sick []SickPiece
	// Failed are the errors of the pieces that failed in this run.
	Failed []error
	// Apart is the time between our clock and the cluster's where they differ by too much: whether
	// it is over nobody knows, and it is not searched.
	Apart span.Interval
	// Err is what ended the rule's run early; the gap stays open.
	Err error
}

// Covered reports whether everything asked for was covered.
func (r Report) Covered() bool {
	return len(r.Refused) == 0 && !slices.ContainsFunc(r.Rules, func(one RuleReport) bool {
		return !one.Covered()
	})
}

// Covered reports whether everything asked for was covered for the rule.
func (r RuleReport) Covered() bool {
	return r.Err == nil && r.Apart.Length() == 0 && len(r.Open) == 0 && len(r.Sick) == 0 &&
		r.Run.DeadLettered == 0
}

// Run covers what is open of all rules, up to now. The rules take turns, a piece each, so that
// every live window is searched before any backlog, and no backlog waits for another's end. A rule
// that fails does not stop the others; the error is the context's.
func (r *Runner) Run(ctx context.Context, detections []*detect.Detection) (Report, error) {
	runs := make([]*ruleRun, len(detections))
	r.indicators.Forget()
	defer r.indicators.Forget() // they are many
	known, started := newFindings(r.cluster, detections), r.options.Now()
	ids := make([]rule.ID, len(detections))
	for i, d := range detections {
		ids[i] = d.Rule.ID
	}
	ledgers, err := r.ledgers.batch(ctx, ids)
	// Where either fails, each rule asks for its own, and says what is wrong.
	err = errors.Join(err, known.askPrivileges(ctx))
	if err != nil && ctx.Err() == nil {
		r.log.Debug("ledgers or privileges of all rules could not be read at once", "error", err)
	}
	for i, d := range detections {
		runs[i] = r.newRuleRun(d, known, ledgers, started)
		runs[i].begin(ctx)
	}
	r.tellOfFirstRuns(ctx, runs)
	known.notes.tell(r.log)
	shared := &common{findings: known, coverer: &detect.Coverer{Cluster: known, Signals: r.signals,
		Own: r.options.Own, Log: r.log, Bursts: r.bursts, Indicators: r.indicators},
		groups: r.groups,
		used:   map[string]*detect.Group{},
		apart:  r.apart, vain: r.vain}
	for working := true; working && ctx.Err() == nil; known.nextTurn() {
		shared.search(ctx, runs)
		working = pass(ctx, runs)
		if ledgers.due() {
			ledgers.write(ctx, runs)
		}
	}
	r.groups = shared.used
	known.forget()
	for _, one := range runs {
		one.finish(ctx)
	}
	ledgers.write(ctx, runs)
	report := Report{Indices: len(known.searched)}
	for _, one := range runs {
		report.Rules = append(report.Rules, one.report())
	}
	troubles := report.Troubles()
	if ctx.Err() != nil { // the runs were interrupted, which is no error of theirs
		troubles = report.uncovered()
	}
	teller{r.log, ctx.Err() != nil}.tell(summary{report: report, troubles: troubles,
		took: r.options.Now().Sub(started)})
	known.tellReleased(r.log)
	r.tellTroubles(troubles)
	return report, ctx.Err()
}

// pass lets every rule take one step, and gives false where none had any left. While some rule
// works on what was left behind, the live windows of all the others keep their turn.
func pass(ctx context.Context, runs []*ruleRun) (worked bool) {
	backlog := false
	for _, one := range runs {
		if one.step(ctx) {
			worked = true
			backlog = backlog || one.before == gap
		}
	}
	if backlog {
		for _, one := range runs {
			one.before = gap
		}
	}
	return worked
}
