package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"esrule/internal/query/search"
	"esrule/internal/schedule"
	"esrule/internal/sink"
)

// indices are the three that the program owns and never reads for events.
func (c config) indices() sink.Indices {
	return sink.Indices{Signals: c.SignalsIndex, State: c.StateIndex, DeadLetter: c.DeadLetterIndex}
}

// newRunner puts together what a run needs: the reading side, the writing side, the ledgers.
func (a *app) newRunner(cfg config, c *cluster, log *slog.Logger) *schedule.Runner {
	return schedule.NewRunner(
		a.reader(cfg, c, log),
		sink.NewWriter(c.once, sink.Options{SignalsIndex: cfg.SignalsIndex, DeadLetterIndex: cfg.DeadLetterIndex, Logger: log}),
		schedule.NewStore(c.requests, cfg.StateIndex, a.now),
		schedule.Options{
			StateIndex: cfg.StateIndex,
			Own:        []string{cfg.SignalsIndex, cfg.StateIndex, cfg.DeadLetterIndex},
			Start:      cfg.Start,
			Now:        a.now,
			Log:        log,
			Version:    readBuildInfo().Version,
		})
}

// reader is the reading side. Package search repeats what may succeed later itself, so it gets the
// client that does not.
func (a *app) reader(cfg config, c *cluster, log *slog.Logger) *search.Cluster {
	return search.NewCluster(c.once, search.Options{PageSize: cfg.PageSize, Logger: log})
}

// ensureIndices makes the program's indices where they are missing, and warns where signals are there
// but the memory of what was searched is new.
func (a *app) ensureIndices(ctx context.Context, cfg config, c *cluster, log *slog.Logger) error {
	report, err := cfg.indices().Ensure(ctx, c.requests)
	if err != nil {
		return fmt.Errorf("prepare the program's indices: %w", err)
	}
	for _, created := range report.Created {
		log.Info("created", "what", created)
	}
	for _, w := range report.Warnings {
		log.Warn("left as it is", "on", w.On, "problem", w.Problem, "advice", w.Advice)
	}
	if madeNew(report, cfg.StateIndex) && !madeNew(report, cfg.SignalsIndex) && hasDocuments(ctx, a.reader(cfg, c, log), cfg.SignalsIndex) {
		log.Warn("THE STATE INDEX WAS MISSING WHILE SIGNALS EXIST: what was searched before is forgotten. "+
			"Polling starts anew from ESRULE_START; run a backfill over the time before. Signals are not doubled.",
			"state_index", cfg.StateIndex, "signals_index", cfg.SignalsIndex)
	}
	return nil
}

func madeNew(r sink.Report, index string) bool { return slices.Contains(r.Created, "index "+index) }

// hasDocuments serves a warning only: where it cannot be asked, the answer is no.
func hasDocuments(ctx context.Context, reader *search.Cluster, index string) bool {
	count, err := reader.Count(ctx, []string{index}, nil)
	return err == nil && count.Documents > 0
}
