package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"esrule/internal/detect"
	"esrule/internal/elastic/dsl"
	"esrule/internal/query/rule"
	"esrule/internal/schedule"
	"esrule/internal/span"
)

const statusLong = `Show what the ledgers say: how far each rule is covered, what is open and why, and what
the last run came to. Exit code 0 where everything up to the last run is covered, and that
was not too long ago, otherwise 1.

Of more than 10 rules it shows a summary, each cause for which something is not covered,
and the rules that are not covered or cost more than their share, the furthest behind
first. --all shows every rule, and so does --format json.`

func newStatusCommand(a *app) *cobra.Command {
	format := newChoice("text", "json")
	var maxLag time.Duration
	var all bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show what is covered and what is open",
		Long:  statusLong,
		Example: "  esrule status\n  esrule status --format json | jq '.rules[] | {name, " +
			"covered, lag_seconds, gap_seconds}'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.status(cmd.Context(), statusPrinter{format: format.String(), all: all}, maxLag)
		},
	}
	format.register(cmd, "how the result is written")
	cmd.Flags().DurationVar(&maxLag, "max-lag", time.Hour,
		"how long ago the covered time may end; 0 is any")
	cmd.Flags().BoolVar(&all, "all", false, "show every rule, however many there are")
	return cmd
}

// ruleStatus is one rule's standing at one moment.
type ruleStatus struct {
	RuleID      string     `json:"rule_id"`
	Name        string     `json:"name"`
	CoveredUpTo *time.Time `json:"covered_up_to,omitempty"` // absent: never run
	Lag         float64    `json:"lag_seconds"`
	Late        bool       `json:"late"` // the lag is beyond --max-lag
	// Covered says whether all of it is well: covered without a gap or an open index, by a last run
	// that ended, in time.
	Covered     bool                 `json:"covered"`
	GapSeconds  float64              `json:"gap_seconds"`
	Gaps        span.Intervals       `json:"gaps,omitempty"`
	OpenSeconds float64              `json:"open_seconds"` // for which at least one index is open
	Open        []schedule.OpenIndex `json:"open,omitempty"`
	Sick        []schedule.SickPiece `json:"sick,omitempty"` // pieces that failed as a whole
	// SetAside are closed indices that are not waited for: they are searched when they are opened.
	SetAside  []string  `json:"set_aside,omitempty"`
	LateSweep lateSweep `json:"late_sweep"`
	// in which ways the last run cost more than a rule's share
	Costs   []string      `json:"costs,omitempty"`
	LastRun *schedule.Run `json:"last_run,omitempty"`
	// ChangedAt is when the rule's meaning changed since its first run: what was covered before was
	// searched for another condition.
	ChangedAt *time.Time `json:"changed_at,omitempty"`
}

// lateSweep is what was read again for events that come late.
type lateSweep struct {
	Off bool `json:"off"` // ESRULE_LATE is 0
	// Last is when the last complete sweep began: every event that was searchable then, and not
	// older than ESRULE_LATE, was read. Absent: none is complete yet.
	Last *time.Time `json:"last,omitempty"`
	Due  *time.Time `json:"due,omitempty"`
	// UnderWay is where a sweep that is not complete goes on.
	UnderWay *time.Time `json:"under_way,omitempty"`
}

func lateSweepOf(s *schedule.Sweep, late time.Duration) lateSweep {
	sweep := lateSweep{Off: late == 0}
	if sweep.Off || s == nil {
		return sweep
	}
	sweep.Due = &s.Due
	if !s.CompletedAt.IsZero() {
		sweep.Last = &s.Start
	}
	if s.UnderWay != nil {
		sweep.UnderWay = &s.UnderWay.Next
	}
	return sweep
}

func (s lateSweep) String() string {
	switch {
	case s.Off:
		return "off (ESRULE_LATE=0): an event without event.ingested that comes some minutes " +
			"late is missed"
	case s.Due == nil:
		return "none yet: the next run begins with them"
	}
	text := "none complete yet"
	if s.Last != nil {
		text = "complete as of " + s.Last.Format(time.RFC3339)
	}
	if s.UnderWay != nil {
		return text + "; one is under way and goes on from " + s.UnderWay.Format(time.RFC3339)
	}
	return text + ", the next is due at " + s.Due.Format(time.RFC3339)
}

// whole asks the last run too: what an error ended leaves no gap before the newest thing covered,
// and a first run that was killed has entered nothing.
func (s ruleStatus) whole() bool {
	ended := s.LastRun != nil && s.LastRun.Error == ""
	return s.CoveredUpTo != nil && len(s.Gaps) == 0 && len(s.Open) == 0 && len(s.Sick) == 0 &&
		ended && !s.Late
}

func (a *app) status(ctx context.Context, p statusPrinter, maxLag time.Duration) error {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	log := a.logger(cfg)
	set, err := a.ruleSet(cfg, log)
	if err != nil {
		return err
	}
	c, err := a.connect(ctx, cfg, log)
	if err != nil {
		return err
	}
	store := schedule.NewStore(c.Requests, cfg.StateIndex, a.now)
	ids := make([]rule.ID, len(set.detections))
	for i, d := range set.detections {
		ids[i] = d.Rule.ID
	}
	ledgers, err := store.LoadAll(ctx, ids)
	if err != nil {
		return err
	}
	var rules []ruleStatus
	whole := len(set.refused) == 0
	for _, d := range set.detections {
		s := a.ruleStatus(ledgers[d.Rule.ID], d, cfg.Late)
		s.Late = maxLag > 0 && s.Lag > maxLag.Seconds()
		s.Covered = s.whole()
		rules = append(rules, s)
		whole = whole && s.Covered
	}
	backfills, err := a.backfills(ctx, cfg, c)
	if err != nil {
		return err
	}
	// Where they may not be counted, what the runs say of them stands alone.
	dead, err := a.reader(cfg, c, log).Count(ctx, []string{cfg.DeadLetterIndex},
		dsl.Everything())
	if err != nil {
		log.Debug("the dead letters were not counted", "index", cfg.DeadLetterIndex, "error", err)
	}
	all := statusReport{Covered: whole, Rules: rules, Backfills: backfills,
		DeadLetters: dead.Documents, deadLetterIndex: cfg.DeadLetterIndex}
	if err := p.print(a.stdout, all); err != nil {
		return err
	}
	if len(set.refused) > 0 {
		return errors.New("not everything is covered:\n  " + strings.Join(refusedRules(set.refused),
			"\n  "))
	}
	if !whole {
		return errors.New("not everything is covered; the next run searches what is open")
	}
	return nil
}

// ruleStatus is where a rule stands by its ledger, which is nil where it was never run.
func (a *app) ruleStatus(ledger *schedule.Ledger, d *detect.Detection,
	late time.Duration) ruleStatus {
	s := ruleStatus{RuleID: string(d.Rule.ID), Name: d.Rule.Name}
	if ledger == nil {
		return s
	}
	upTo := ledger.CoveredUpTo()
	s.CoveredUpTo, s.Lag = &upTo, a.now().Sub(upTo).Seconds()
	// What lies behind the last run is not a gap yet: the next poll is for it.
	s.Gaps = ledger.Gaps(ledger.Covered.End())
	s.GapSeconds = s.Gaps.Length().Seconds()
	s.Open, s.Sick, s.LastRun = ledger.Open, ledger.Sick, ledger.LastRun
	if ledger.SetAside != nil {
		s.SetAside = *ledger.SetAside
	}
	s.LateSweep = lateSweepOf(ledger.Sweep, late)
	var open span.Intervals
	for _, o := range s.Open {
		open = open.Union(o.Time...)
	}
	s.OpenSeconds = open.Length().Seconds()
	if s.LastRun != nil {
		for _, cost := range (schedule.RuleReport{Run: *s.LastRun}).Costs() {
			s.Costs = append(s.Costs, cost.Text)
		}
	}
	if ledger.PreviousFingerprint != "" {
		s.ChangedAt = &ledger.FingerprintAt
	}
	return s
}

// statusReport is what the command prints.
type statusReport struct {
	Covered   bool             `json:"covered"`
	Rules     []ruleStatus     `json:"rules"`
	Backfills []backfillStatus `json:"backfills"`
	// DeadLetters is how many signals the signals index refused in every form, of all runs so far.
	DeadLetters int64 `json:"dead_letters"`

	deadLetterIndex string
}
