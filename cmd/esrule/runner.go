package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"esrule/internal/config"
	"esrule/internal/elastic"
	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/schedule"
	"esrule/internal/sink"
	"esrule/internal/sink/indices"
)

// indicesOf returns the three indices that the program owns and never reads for events.
func indicesOf(c config.Config) indices.Names {
	return indices.Names{Signals: c.SignalsIndex, State: c.StateIndex,
		DeadLetter: c.DeadLetterIndex}
}

// newRunner puts together what a run needs: the reading side, the writing side, the ledgers. Each
// ledger that is written is shown to watch.
func (a *app) newRunner(cfg config.Config, c *elastic.Client, log *slog.Logger,
	watch func(*schedule.Ledger)) *schedule.Runner {
	if cfg.Late == 0 {
		log.Warn("the late sweep is off (ESRULE_LATE=0): an event without event.ingested that " +
			"comes some minutes late is missed, and so is one dated in the future")
	}
	ledgers := schedule.NewStore(c.Requests, cfg.StateIndex, a.now)
	ledgers.Watch(watch)
	return schedule.NewRunner(
		a.reader(cfg, c, log),
		a.writer(cfg, c, log),
		ledgers,
		schedule.Options{
			StateIndex: cfg.StateIndex, SignalsIndex: cfg.SignalsIndex,
			Own:      cfg.Own(),
			SetAside: cfg.SetAside,
			Start:    cfg.Start,
			Late:     cfg.Late,
			Now:      a.now,
			Log:      log,
			Version:  readBuildInfo().Version,
		})
}

// reader is the reading side. Package search repeats what may succeed later itself, so it gets the
// client that does not.
func (a *app) reader(cfg config.Config, c *elastic.Client, log *slog.Logger) *search.Cluster {
	return search.NewCluster(c.Once, search.Options{PageSize: cfg.PageSize, Logger: log,
		Dialect: c.Dialect})
}

// writer is the writing side, which repeats itself what was not acknowledged.
func (a *app) writer(cfg config.Config, c *elastic.Client, log *slog.Logger) *sink.Writer {
	return sink.NewWriter(c.Once, sink.Options{SignalsIndex: cfg.SignalsIndex,
		DeadLetterIndex: cfg.DeadLetterIndex, Logger: log})
}

// ensureIndices is for a command that looks once.
func (a *app) ensureIndices(ctx context.Context, cfg config.Config, c *elastic.Client,
	log *slog.Logger) error {
	return a.newKeeper(cfg, c, log).ensure(ctx)
}

// keeper keeps the program's indices there, and says once what is not as it should be.
type keeper struct {
	app     *app
	cfg     config.Config
	cluster *elastic.Client
	log     *slog.Logger
	told    map[indices.Warning]bool // what was said last
}

func (a *app) newKeeper(cfg config.Config, c *elastic.Client, log *slog.Logger) *keeper {
	return &keeper{app: a, cfg: cfg, cluster: c, log: log}
}

// ensure makes the program's indices where they are missing, and warns where signals are there but
// the memory of what was searched is new.
func (k *keeper) ensure(ctx context.Context) error {
	report, err := indicesOf(k.cfg).Ensure(ctx, k.cluster.Requests, k.cluster.Dialect)
	if err != nil {
		return fmt.Errorf("prepare the program's indices: %w", err)
	}
	for _, created := range report.Created {
		k.log.Info("created", "what", created)
	}
	if len(report.Missing) > 0 {
		return fmt.Errorf("prepare the program's indices: %w", report.Missing)
	}
	k.warn(report.Warnings)
	if madeNew(report, k.cfg.StateIndex) && !madeNew(report, k.cfg.SignalsIndex) &&
		hasDocuments(ctx, k.app.reader(k.cfg, k.cluster, k.log), k.cfg.SignalsIndex) {
		k.log.Warn("THE STATE INDEX WAS MISSING WHILE SIGNALS EXIST: what was searched before is "+
			"forgotten. "+
			"Polling starts anew from ESRULE_START; run a backfill over the time before. Signals "+
			"are not doubled.",
			"state_index", k.cfg.StateIndex, "signals_index", k.cfg.SignalsIndex)
	}
	return nil
}

// warn says what was not so when it was looked at before, and forgets what is mended: should it
// come back, it is said again.
func (k *keeper) warn(warnings []indices.Warning) {
	before := k.told
	k.told = map[indices.Warning]bool{}
	for _, w := range warnings {
		k.told[w] = true
		if !before[w] {
			k.log.Warn("left as it is", "on", w.On, "problem", w.Problem, "advice", w.Advice)
		}
	}
}

func madeNew(r indices.Report, index string) bool {
	return slices.Contains(r.Created, "index "+index)
}

// hasDocuments serves a warning only: where it cannot be asked, the answer is no.
func hasDocuments(ctx context.Context, reader *search.Cluster, index string) bool {
	count, err := reader.Count(ctx, []string{index}, dsl.Everything())
	return err == nil && count.Documents > 0
}
