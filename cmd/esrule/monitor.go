package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"esrule/internal/detect"
	"esrule/internal/elastic"
	"esrule/internal/metrics"
	"esrule/internal/schedule"
)

func (a *app) newMetrics(once bool) *metrics.Metrics {
	build := readBuildInfo()
	return metrics.New(metrics.Options{Now: a.now, Version: build.Version, Commit: build.Commit,
		Runtime: build.Go, Once: once})
}

// listen opens the address of the metrics, or gives nil where there is none.
func listen(ctx context.Context, address string) (net.Listener, error) {
	if address == "" {
		return nil, nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, withExit(exitUsage,
			fmt.Errorf("ESRULE_METRICS_ADDRESS=%q: serve the metrics there: %w", address, err))
	}
	return l, nil
}

// serveHTTP serves until ctx ends. Without a listener there is nothing to do.
func serveHTTP(ctx context.Context, l net.Listener, handler http.Handler,
	log *slog.Logger) (stop func()) {
	if l == nil {
		return func() {}
	}
	log.Info("serving /metrics, /healthz and /readyz", "address", l.Addr().String())
	server := metrics.NewServer(handler, log)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the metrics are served no more; the rules run on: restart esrule to have them back", "error", err)
		}
	}()
	return func() {
		const patience = 3 * time.Second
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		_ = server.Shutdown(ctx) // what is cut off is a scrape
		<-ended
	}
}

// What /readyz says to anybody; the log says more.
var (
	errNoLedger = errors.New("not ready: the ledger cannot be read")
	errFirstRun = errors.New("not ready: the first run has not made its ledger yet")
)

func errConnecting(note string) error {
	if note == "" {
		return errors.New("not ready: the cluster has not answered yet")
	}
	return fmt.Errorf("not ready: the cluster has not answered yet: %s", note)
}

// readiness is whether the cluster answers and a ledger can be read.
func readiness(ctx context.Context, c *elastic.Client, store *schedule.Store, d *detect.Detection,
	runs int, log *slog.Logger) error {
	if err := c.Probe(ctx); err != nil {
		log.Debug("not ready", "error", err)
		return fmt.Errorf("not ready: %s", metrics.Explain(elastic.FailureOf(err)))
	}
	_, err := store.Load(ctx, d.Rule.ID)
	switch {
	case errors.Is(err, schedule.ErrNoLedger) && runs == 0:
		return errFirstRun
	// a rule that is new has none before its run
	case err != nil && !errors.Is(err, schedule.ErrNoLedger):
		log.Debug("not ready", "error", err)
		return errNoLedger
	}
	return nil
}
