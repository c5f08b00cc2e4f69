package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"esrule/internal/config"
	"esrule/internal/detect"
	"esrule/internal/elastic"
	"esrule/internal/elastic/indexpattern"
	"esrule/internal/elastic/search"
	"esrule/internal/elastic/state"
	"esrule/internal/schedule/backfill"
	"esrule/internal/sink"
)

const backfillLong = `Search a range of history, by @timestamp, and write a signal for each match that was not
alerted before. The polling job goes on meanwhile: its ledger is not touched.

Times are RFC 3339, dates, or date math such as now-30d. A --to that is a date means the
whole of that day. The range is cut into slices by how many candidates lie where; the
plan is shown before it starts, and with --plan nothing else happens.

The same command again goes on where it stopped, also behind a crash; on a second machine
at the same time it shares the work. Ctrl-C ends after the pages in flight, a second one
at once; nothing is lost or doubled. --restart makes the plan anew and searches all again.

Exit code 0: all of it was covered. 1: something was not, and standard error says what.`

const backfillExample = `  # What would it take? Nothing is written.
  esrule backfill --from 2021-01-01 --to now --plan

  # Since January, at most 20,000 documents a second, with a report to hand over.
  esrule backfill --from 2021-01-01 --to now --max-rate 20000 --report report.html

  # Over restored indices that the rules' patterns do not name.
  esrule backfill --from 2021-01-01 --to 2021-03-31 --index 'restored-winlogbeat-*'

  # To look at the signals before any is written:
  esrule backfill --from now-7d --to now --dry-run > signals.ndjson`

type backfillFlags struct {
	from, to string
	index    []string
	workers  int
	maxRate  int
	lease    time.Duration
	slice    int64
	dryRun   bool
	planOnly bool
	restart  bool
	report   string
}

func newBackfillCommand(a *app) *cobra.Command {
	var f backfillFlags
	cmd := &cobra.Command{
		Use:     "backfill --from TIME --to TIME",
		Short:   "Run the rules over a range of history",
		Long:    backfillLong,
		Example: backfillExample,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.backfill(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", "", "start of the range: RFC 3339, a date, or now-30d")
	flags.StringVar(&f.to, "to", "",
		"end of the range, itself not in it; a date means that whole day")
	flags.StringArrayVar(&f.index, "index", nil,
		"index `PATTERN` to search instead of the rules' own; repeatable")
	flags.IntVar(&f.workers, "workers", 2, "how many slices are searched at once, each with a "+
		"point in time of its own")
	flags.IntVar(&f.maxRate, "max-rate", 0, "most documents to read a second, by all workers of "+
		"this process (0: no limit)")
	flags.Int64Var(&f.slice, "slice-size", 0,
		"how many candidates a slice holds (0: what suits their number)")
	flags.DurationVar(&f.lease, "lease", 30*time.Second,
		"how long a worker may be silent before another takes its slice over")
	flags.BoolVar(&f.dryRun, "dry-run", false,
		"print the signals as NDJSON and write nothing to the cluster")
	flags.BoolVar(&f.planOnly, "plan", false, "show the plan and end")
	flags.BoolVar(&f.restart, "restart", false, "make the plan anew and search everything again")
	flags.StringVar(&f.report, "report", "", "write an HTML report to `FILE`")
	_ = cmd.MarkFlagRequired("from")
	_ = cmd.MarkFlagRequired("to")
	cmd.MarkFlagsMutuallyExclusive("plan", "report")
	cmd.MarkFlagsMutuallyExclusive("dry-run", "restart")
	return cmd
}

// slowPage is the most seconds that a page may have to wait for --max-rate: its point in time must
// not expire meanwhile.
const slowPage = 10

// check refuses values that cannot be meant.
func (f backfillFlags) check() error {
	switch {
	case f.workers < 1:
		return fmt.Errorf("--workers %d: want at least 1", f.workers)
	case f.maxRate < 0:
		return fmt.Errorf("--max-rate %d: want documents a second, or 0 for no limit", f.maxRate)
	case f.slice < 0:
		return fmt.Errorf("--slice-size %d: want a number of candidates, or 0", f.slice)
	case f.lease < time.Second:
		return fmt.Errorf("--lease %s: want at least 1s", f.lease)
	}
	for _, pattern := range f.index {
		if why := indexpattern.Check(pattern); why != "" {
			return fmt.Errorf("--index %q: %s", pattern, why)
		}
	}
	if why := indexpattern.CheckList(f.index); why != "" {
		return fmt.Errorf("--index: %s", why)
	}
	return nil
}

// history is one backfill under way: what the command's steps share.
type history struct {
	*app
	rules   ruleSet
	flags   backfillFlags
	request backfill.Request
	cfg     config.Config
	log     *slog.Logger
	cluster *elastic.Client
	reader  *search.Cluster
	survey  *backfill.Survey
	store   *backfill.Store
	began   time.Time
}

func (a *app) backfill(ctx context.Context, f backfillFlags) error {
	holdLittle()
	h, err := a.newHistory(ctx, f)
	if err != nil {
		return err
	}
	plan, resumed, err := h.plan(ctx)
	if err != nil {
		return err
	}
	if f.planOnly {
		return printPlan(plain{a.stdout}, plan)
	}
	if err := printPlan(plain{a.stderr}, plan); err != nil {
		return err
	}
	page, err := h.newPage()
	if err != nil {
		return err
	}
	defer page.discard()
	runner, err := h.runner(ctx, plan, h.signals(page))
	if err != nil {
		return err
	}
	h.tellStart(runner.Totals(), resumed)
	watched := h.watch(runner)
	// The first signal asks for an end, which Run brings about in order; a second one ends the
	// process.
	err = runner.Run(context.WithoutCancel(ctx), ctx.Done())
	watched()
	ending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if ctx.Err() != nil {
		ending, cancel = context.WithTimeout(context.WithoutCancel(ctx), finishWithin)
	}
	defer cancel()
	return errors.Join(err, h.finish(ending, plan, runner, page, ctx.Err() != nil))
}

// finishWithin is how long a backfill that was stopped may take to say what it did. What a process
// manager allows for an end is 30 seconds in Kubernetes, of which the pages in flight take some.
const finishWithin = 8 * time.Second

// newHistory reads rules and flags, and connects.
func (a *app) newHistory(ctx context.Context, f backfillFlags) (*history, error) {
	if err := f.check(); err != nil {
		return nil, withExit(exitUsage, err)
	}
	request, err := backfill.NewRequest(f.from, f.to, f.index, a.now())
	if err != nil {
		return nil, withExit(exitUsage, err) // before anything else is asked for
	}
	cfg, err := a.config()
	if err != nil {
		return nil, err
	}
	for _, pattern := range f.index {
		if why := cfg.OwnIndex(pattern); why != "" {
			return nil, withExit(exitUsage, fmt.Errorf("--index %q: %s", pattern, why))
		}
	}
	log := a.logger(cfg)
	if len(f.index) > 0 {
		cfg.Index = f.index
	}
	if f.maxRate > 0 {
		cfg.PageSize = min(cfg.PageSize, slowPage*f.maxRate)
	}
	rules, err := a.ruleSet(cfg, log)
	if err != nil {
		return nil, err
	}
	c, err := a.connect(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	h := &history{app: a, flags: f, request: request, cfg: cfg, log: log, cluster: c,
		reader: a.reader(cfg, c, log), rules: rules, began: a.now()}
	h.survey = &backfill.Survey{Cluster: h.reader, Own: h.cfg.Own(), SliceSize: f.slice, Now: a.now}
	h.store = backfill.NewStore(state.NewStore(c.Requests, cfg.StateIndex), a.now)
	return h, nil
}

// plan finds the plan of the same request, or makes one. It is kept unless nothing may be written.
func (h *history) plan(ctx context.Context) (plan *backfill.Plan, resumed bool, err error) {
	writing := !h.flags.dryRun && !h.flags.planOnly
	if !h.flags.dryRun && !h.flags.restart {
		there, err := h.store.Load(ctx, backfill.PlanID(h.request, h.rules.detections))
		if h.flags.planOnly && forbidden(err) { // whoever wants to see a plan need not be the job
			h.log.Warn("whether this was begun before is not known, for want of the privilege "+
				"read on the state index; the plan is for all of it",
				"state_index", h.cfg.StateIndex, "reason", err)
			err = nil
		}
		if err != nil || there != nil {
			return there, true, err
		}
	}
	plan, err = h.survey.Plan(ctx, h.request, h.rules.detections)
	if err != nil {
		return nil, false, fmt.Errorf("make the plan: %w", err)
	}
	if err := h.nothingToSearch(plan); err != nil {
		return nil, false, err
	}
	if writing {
		if err := h.ensureIndices(ctx, h.cfg, h.cluster, h.log); err != nil {
			return nil, false, err
		}
	}
	switch {
	case writing && h.flags.restart:
		plan, err = h.store.Replace(ctx, plan)
	case writing:
		plan, err = h.store.Keep(ctx, plan)
	}
	return plan, false, err
}

// forbidden says whether the cluster refused for want of a privilege.
func forbidden(err error) bool {
	refused, ok := errors.AsType[interface {
		error
		HTTPStatus() int
	}](err)
	return ok && refused.HTTPStatus() == http.StatusForbidden
}

// nothingToSearch refuses a range over patterns that the user named and that match nothing: a slip
// of the pen, and no answer to what was asked.
func (h *history) nothingToSearch(plan *backfill.Plan) error {
	if len(h.flags.index) == 0 {
		return nil
	}
	for _, s := range plan.Sources {
		if len(s.Indices) > 0 || len(s.Unsearched) > 0 {
			return nil
		}
	}
	return withExit(exitUsage, fmt.Errorf("no index that may be read matches %s",
		strings.Join(h.flags.index, ", ")))
}

func (h *history) runner(ctx context.Context, plan *backfill.Plan,
	signals detect.Signals) (*backfill.Runner, error) {
	documents := state.NewStore(h.cluster.Requests, h.cfg.StateIndex)
	index := h.cfg.SignalsIndex
	if h.flags.dryRun { // says what it finds, whether it has a signal or not
		documents, index = nil, ""
	}
	return backfill.NewRunner(ctx,
		&detect.Coverer{Cluster: h.reader, Signals: signals, Own: h.cfg.Own(), Log: h.log,
			Bursts:     detect.NewBursts(index),
			Indicators: detect.NewIndicators(h.reader, h.cfg.Own(), h.log)},
		backfill.NewClaims(documents, rand.Text(), h.flags.lease, h.now),
		plan, h.rules.detections,
		backfill.Options{Workers: h.flags.workers, Pace: backfill.NewPace(h.flags.maxRate),
			Now: h.now, Log: h.log, Version: readBuildInfo().Version})
}

// signals is where the signals of a backfill go.
func (h *history) signals(page *historyPage) detect.Signals {
	if h.flags.dryRun {
		return sink.NewLines(h.stdout, page.take)
	}
	return h.writer(h.cfg, h.cluster, h.log)
}

// finish tells what came of it. Its error is what was not covered.
func (h *history) finish(ctx context.Context, plan *backfill.Plan, runner *backfill.Runner,
	page *historyPage, stopped bool) error {
	changes, err := h.survey.Changes(ctx, plan)
	if err != nil {
		h.log.Warn("of some patterns it is not known which indices came and went meanwhile",
			"error", err)
	}
	totals := runner.Totals()
	h.printTotals(totals, changes)
	return errors.Join(page.finish(ctx, plan, totals, runner.Covered(), changes),
		h.notCovered(plan, totals, stopped))
}

// command is the command line that goes on with what was begun.
func (h *history) command(plan *backfill.Plan) string {
	words := plan.Request.Command()
	for _, path := range h.rulePaths {
		words += " --rules " + backfill.Quote(path)
	}
	for _, path := range h.exceptionPaths {
		words += " --exceptions " + backfill.Quote(path)
	}
	return words + h.choiceFlags()
}

// notCovered says what a backfill left out, or is nil.
func (h *history) notCovered(plan *backfill.Plan, totals backfill.Totals, stopped bool) error {
	unsearched := plan.Unsearched()
	refused := refusedRules(h.rules.refused)
	if totals.Whole() && len(unsearched)+len(refused) == 0 && totals.Counts.DeadLettered == 0 {
		return nil
	}
	lines := []string{"not everything was covered:"}
	lines = append(lines, refused...)
	if left := totals.Slices - totals.Done - totals.Failed; left > 0 {
		why := ""
		if stopped {
			why = ", since it was stopped"
		}
		lines = append(lines, fmt.Sprintf("%d of %d slices were not searched to the end%s", left,
			totals.Slices, why))
	}
	for _, f := range totals.Failures {
		lines = append(lines, fmt.Sprintf("%s for %s: %s", nameOf(f.Index), spans(f.Time),
			f.Reason))
	}
	for _, f := range unsearched {
		lines = append(lines, fmt.Sprintf("%s: %s", nameOf(f.Index), f.Reason))
	}
	if n := totals.Counts.DeadLettered; n > 0 {
		lines = append(lines, fmt.Sprintf("%d signals were refused by the signals index and lie "+
			"in the dead-letter index. No run writes them again: "+
			"each holds its reason (ESRULE_DEAD_LETTER_INDEX); remove it, then run the same with --restart", n))
	}
	switch {
	case totals.Whole():
	case h.flags.dryRun:
		lines = append(lines, "A dry run keeps no state: the same command starts over.")
	default:
		lines = append(lines, "To resume what is left: "+h.command(plan))
	}
	return withExit(exitNotCovered, errors.New(strings.Join(lines, "\n  ")))
}
