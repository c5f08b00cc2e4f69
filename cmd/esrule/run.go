package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"esrule/internal/query/search"
	"esrule/internal/schedule"
)

const runLong = `Search what is not covered yet, write a signal for each match, and remember what was
searched. At the first run a rule looks back as far as ESRULE_START says, or as its own
"from" does. After an outage the newest window comes first, then the gap, oldest part
first.

Without --once it polls at once and then on ESRULE_SCHEDULE until it gets SIGINT or
SIGTERM, which end it wherever it is; what is open then is covered by the next run. Any
number of instances may run at the same time.

With --once it covers what is open and ends: exit code 0 says that everything was
covered, 1 that something was not and is kept for the next run.`

const runExample = `  # From cron, a systemd timer or a Kubernetes CronJob:
  esrule run --once

  # As a service, every two minutes:
  ESRULE_SCHEDULE='@every 2m' esrule run

  # The first run looks a week back:
  ESRULE_START=7d esrule run --once`

func newRunCommand(a *app) *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use:     "run",
		Short:   "Run the rules on the schedule, or once",
		Long:    runLong,
		Example: runExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.runRules(cmd.Context(), once)
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "cover what is open, then end")
	return cmd
}

func (a *app) runRules(ctx context.Context, once bool) error {
	cfg, log, detections, err := a.prepare()
	if err != nil {
		return err
	}
	c, err := a.connect(ctx, cfg, log)
	if err != nil {
		return err
	}
	if err := a.ensureIndices(ctx, cfg, c, log); err != nil {
		return err
	}
	warnUnmatched(ctx, a.reader(cfg, c, log), detections, log)
	runner := a.newRunner(cfg, c, log)
	if once {
		report, err := runner.Run(ctx, detections)
		return errors.Join(err, notCovered(report))
	}
	log.Info("polling", "schedule", cfg.ScheduleText, "rules", len(detections))
	return a.poll(ctx, cfg, c, runner, detections, log)
}

// warnUnmatched names the patterns that no index matches. They count as covered: there is nothing to
// search. It is advice only, so where it cannot be asked the run goes on.
func warnUnmatched(ctx context.Context, reader *search.Cluster, detections []*schedule.Detection, log *slog.Logger) {
	asked := map[string]bool{}
	for _, d := range detections {
		for _, pattern := range d.Patterns {
			if asked[pattern] {
				continue
			}
			asked[pattern] = true
			indices, err := reader.Indices(ctx, []string{pattern})
			if err == nil && len(indices) == 0 {
				log.Warn("no index that may be read matches a pattern: nothing is searched there until one does", "pattern", pattern)
			}
		}
	}
}

// poll runs until the context ends, which is a clean end: what is open is in the ledger.
func (a *app) poll(ctx context.Context, cfg config, c *cluster, runner *schedule.Runner, detections []*schedule.Detection, log *slog.Logger) error {
	schedule.Poll(ctx, cfg.Schedule, log, func(ctx context.Context) {
		// One that was deleted under way comes back before it is missed.
		if err := a.ensureIndices(ctx, cfg, c, log); err != nil && ctx.Err() == nil {
			log.Error("run skipped; the next one searches its time too", "error", err)
			return
		}
		// Each rule's outcome is logged by the runner; the next run searches what this one left open.
		if _, err := runner.Run(ctx, detections); err != nil && ctx.Err() == nil {
			log.Error("run ended early", "error", err)
		}
	})
	log.Info("stopped; what is open is searched by the next run", "cause", context.Cause(ctx))
	return nil
}

// notCovered says what a run left open, or is nil.
func notCovered(report schedule.Report) error {
	if report.Covered() {
		return nil
	}
	lines := []string{"not everything was covered:"}
	for _, r := range report.Rules {
		if r.Err != nil {
			lines = append(lines, fmt.Sprintf("rule %s (%s): %v", r.Name, r.RuleID, r.Err))
		}
		for _, open := range r.Open {
			lines = append(lines, fmt.Sprintf("rule %s (%s): %s is open for %s: %s", r.Name, r.RuleID, open.Index, open.Time.Length().Round(time.Second), open.Reason))
		}
		if n := r.Run.DeadLettered; n > 0 {
			lines = append(lines, fmt.Sprintf("rule %s (%s): %d signals were refused by the signals index and lie in the dead-letter index", r.Name, r.RuleID, n))
		}
	}
	lines = append(lines, "The next run searches again what is open; `esrule status` shows it.")
	return withExit(exitNotCovered, errors.New(strings.Join(lines, "\n  ")))
}
