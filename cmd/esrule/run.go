package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"esrule/internal/config"
	"esrule/internal/metrics"
	"esrule/internal/schedule"
)

const runLong = `Search what is not covered yet, write a signal for each match, and remember what was
searched. At the first run a rule looks back as far as ESRULE_START says, or as its own
"from" does. After an outage the newest window comes first, then the gap, oldest part
first.

Without --once it polls at once and then on ESRULE_SCHEDULE until it gets SIGINT or
SIGTERM, which end it wherever it is; what is open then is covered by the next run. It
waits for a cluster that is not there or does not let it in, for as long as it takes. Any
number of instances may run at the same time. SIGHUP reads the rules again, and the files
of the password, the API key and the CA: the next run takes the new rules, or where one of
them is wrong resumes with the old. Where ESRULE_METRICS_ADDRESS is set, it serves
/metrics, /healthz and /readyz there.

With --once it covers what is open and ends: exit code 0 says that everything was
covered, 1 that something was not and is kept for the next run. --metrics-file leaves the
run's numbers for the textfile collector of Prometheus's node exporter.`

const runExample = `  # From cron, a systemd timer or a Kubernetes CronJob:
  esrule run --once

  # The same, with metrics for Prometheus's node exporter:
  esrule run --once --metrics-file /var/lib/node_exporter/textfile/esrule.prom

  # As a service, every two minutes:
  ESRULE_SCHEDULE='@every 2m' esrule run

  # The first run looks a week back:
  ESRULE_START=7d esrule run --once`

func newRunCommand(a *app) *cobra.Command {
	var once bool
	var metricsFile string
	cmd := &cobra.Command{
		Use:     "run",
		Short:   "Run the rules on the schedule, or once",
		Long:    runLong,
		Example: runExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case once:
				return a.runOnce(cmd.Context(), metricsFile)
			case metricsFile != "":
				return withExit(exitUsage, errors.New("--metrics-file goes with --once; a "+
					"service shows its metrics at ESRULE_METRICS_ADDRESS"))
			}
			return a.serve(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "cover what is open, then end")
	cmd.Flags().StringVar(&metricsFile, "metrics-file", "",
		"with --once: `FILE` to leave the metrics in; it is replaced as a whole")
	return cmd
}

// runOnce covers what is open. The metrics file is written however that ends: a run that could not
// begin is what an operator wants to see there.
func (a *app) runOnce(ctx context.Context, metricsFile string) error {
	holdLittle()
	cfg, err := a.config()
	if err != nil {
		return err
	}
	log := a.logger(cfg)
	rules, err := a.ruleSet(cfg, log)
	if err != nil {
		return err
	}
	m := a.newMetrics(true)
	m.Rules(rules.detections, len(rules.skipped))
	began := a.now()
	report, err := a.runOver(ctx, cfg, rules, m, log)
	m.Run(began, a.now().Sub(began), report, err)
	err = errors.Join(err, notCovered(report))
	if metricsFile != "" {
		err = errors.Join(err, m.WriteFile(metricsFile))
	}
	return err
}

// runOver is one run of the program over the rules, from the first word with the cluster on.
func (a *app) runOver(ctx context.Context, cfg config.Config, rules ruleSet, m *metrics.Metrics,
	log *slog.Logger) (schedule.Report, error) {
	cfg.Cluster.Watch = m.Cluster
	c, err := a.connect(ctx, cfg, log)
	if err != nil {
		return schedule.Report{}, notBegun(err)
	}
	if err := a.ensureIndices(ctx, cfg, c, log); err != nil {
		return schedule.Report{}, notBegun(err)
	}
	m.PatternsWithoutIndex(newUnmatched(a.reader(cfg, c, log), log).look(ctx, rules.detections))
	report, err := a.newRunner(cfg, c, log, m.Ledger).Run(ctx, rules.detections)
	report.Refused = rules.refused
	nameCostly(report, log)
	return report, err
}

// nameCostly names the rules that cost the cluster more than their share: one line for each reason,
// with the one that costs most, see [schedule.Report.Costly].
func nameCostly(report schedule.Report, log *slog.Logger) {
	for _, c := range report.Costly() {
		attributes := []any{"rule", c.Worst.ID, "name", c.Worst.Name, "cost", c.Reason,
			"why", c.Text}
		if len(c.Rules) == 1 {
			log.Warn("a rule costs the cluster more than its share; it runs on", attributes...)
			continue
		}
		log.Warn("rules cost the cluster more than their share; they run on, and this one costs "+
			"most; esrule status lists them", append(attributes, "rule_count", len(c.Rules),
			"rules", c.Rules[:min(len(c.Rules), shownNames)])...)
	}
}

// notBegun adds to what kept a run from its beginning what that means. A wrong configuration says
// enough itself.
func notBegun(err error) error {
	if _, coded := errors.AsType[*exitError](err); coded {
		return err
	}
	return fmt.Errorf("%w\n  Nothing was searched; the next run searches the time of this one too",
		err)
}
