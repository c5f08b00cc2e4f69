package main

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"esrule/internal/config"
	"esrule/internal/detect"
	"esrule/internal/elastic"
	"esrule/internal/metrics"
	"esrule/internal/query/rule"
	"esrule/internal/schedule"
)

// service is `esrule run` without --once: it polls, takes new rules between two runs, and shows how
// it stands.
type service struct {
	app     *app
	cfg     config.Config
	log     *slog.Logger
	metrics *metrics.Metrics
	health  *metrics.Health

	rules *ruleSet                // of the run under way, or the last one
	next  atomic.Pointer[ruleSet] // of the next run; SIGHUP puts them here
	on    atomic.Pointer[onCluster]

	client *elastic.Client
}

// onCluster is what the service has once the cluster has answered.
type onCluster struct {
	cluster   *elastic.Client
	runner    *schedule.Runner
	store     *schedule.Store
	keeper    *keeper
	unmatched *unmatched
}

// serve runs until ctx ends, which is a clean end: what is open then is in the ledger.
func (a *app) serve(ctx context.Context) error {
	holdLittle()
	cfg, err := a.config()
	if err != nil {
		return err
	}
	s := &service{app: a, cfg: cfg, log: a.logger(cfg), metrics: a.newMetrics(false),
		health: metrics.NewHealth(a.now)}
	rules, err := a.ruleSet(cfg, s.log)
	if err != nil {
		return err
	}
	s.rules = &rules
	s.next.Store(s.rules)
	s.metrics.Rules(s.rules.detections, len(s.rules.skipped))
	// Before the cluster is asked: an address that is taken is for the user to mend, and waiting
	// for the cluster shows.
	listener, err := listen(ctx, cfg.MetricsAddress)
	if err != nil {
		return err
	}
	defer serveHTTP(ctx, listener,
		s.metrics.Handler(metrics.Probes{Alive: s.health.Alive, Ready: s.ready}, s.log), s.log)()
	if s.client, err = a.client(s.watched(), s.log); err != nil {
		return err
	}
	// From here on SIGHUP asks for the rules; before, it ends the process as it does any.
	defer s.reloadOnSignal(ctx)()
	if err := s.await(ctx); err != nil {
		return notBegun(err)
	}
	if ctx.Err() == nil {
		s.log.Info("polling", "schedule", cfg.ScheduleText, "rules", len(s.rules.detections))
		schedule.Poll(ctx, cfg.Schedule, s.log, s.poll)
	}
	s.log.Info("stopped; what is open is searched by the next run", "cause", context.Cause(ctx))
	return nil
}

// watched is the configuration whose requests are counted by the metrics.
func (s *service) watched() config.Config {
	cfg := s.cfg
	cfg.Cluster.Watch = s.metrics.Cluster
	return cfg
}

const (
	longestWait = 15 * time.Second
	// sayAgain is how often the log repeats what the service waits for.
	sayAgain = 10 * time.Minute
)

// await waits for the cluster as long as it takes, and ends early when ctx does. A credential or a
// certificate that is refused may be rotated, so that is waited for too; a server that is not
// supported is not.
func (s *service) await(ctx context.Context) error {
	var said elastic.Failure
	var saidAt time.Time
	for pause := time.Second; ctx.Err() == nil; pause = min(2*pause, longestWait) {
		s.health.Waits()
		server, err := s.client.Connect(ctx)
		if err == nil {
			s.log.Info("connected", "server", server.String())
			return s.setUp(s.client)
		}
		if _, unsupported := errors.AsType[*elastic.UnsupportedError](err); unsupported {
			return withExit(exitUsage, err)
		}
		if failure := elastic.FailureOf(err); ctx.Err() == nil &&
			(failure != said || time.Since(saidAt) > sayAgain) {
			said, saidAt = failure, time.Now()
			s.log.Warn("the cluster cannot be used yet; nothing is searched until it can, "+
				"and then from where the last run ended",
				"kind", failure, "reason", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return nil
}

// setUp builds what the service has once the cluster has answered. Requests of a run tell the
// service's health that they are over; those of a readiness probe do not.
func (s *service) setUp(c *elastic.Client) error {
	a, cfg, log := s.app, s.cfg, s.log
	told, err := c.WithListener(s.health)
	if err != nil {
		return err
	}
	s.on.Store(&onCluster{
		cluster: c, runner: a.newRunner(cfg, told, log, s.metrics.Ledger),
		store:  schedule.NewStore(c.Requests, cfg.StateIndex, a.now),
		keeper: a.newKeeper(cfg, told, log), unmatched: newUnmatched(a.reader(cfg, told, log), log),
	})
	return nil
}

// poll is one run. Its outcome is logged, rule by rule, by the runner; what it leaves open is for
// the next.
func (s *service) poll(ctx context.Context) {
	s.health.Begin()
	defer func() {
		now := s.app.now()
		s.health.End(s.cfg.Schedule.Next(now).Sub(now))
	}()
	began := s.app.now()
	report, err := s.run(ctx)
	s.metrics.Run(began, s.app.now().Sub(began), report, err)
}

func (s *service) run(ctx context.Context) (schedule.Report, error) {
	on := s.on.Load()
	s.takeRules()
	// One of the indices that was deleted since the last run comes back before it is missed.
	if err := on.keeper.ensure(ctx); err != nil {
		if ctx.Err() == nil {
			s.log.Error("run skipped: no rule has covered anything; the next run searches its time too", "error", err)
		}
		return schedule.Report{}, err
	}
	s.metrics.PatternsWithoutIndex(on.unmatched.look(ctx, s.rules.detections))
	s.rules.exceptions.tell(s.app.now(), s.log)
	report, err := on.runner.Run(ctx, s.rules.detections)
	report.Refused = s.rules.refused
	if err != nil && ctx.Err() == nil {
		s.log.Error("run ended early; what it left open is searched by the next run", "error", err)
	}
	nameCostly(report, s.log)
	return report, err
}

// takeRules makes the newest rules those of this run.
func (s *service) takeRules() {
	next := s.next.Load()
	if next == s.rules {
		return
	}
	change := changeOf(s.rules.detections, next.detections)
	s.rules = next
	s.metrics.Rules(next.detections, len(next.skipped))
	s.log.Info("new rules run from now on", "rules", len(next.detections), "skipped",
		len(next.skipped),
		"added", change.added, "changed", change.changed, "removed", change.removed)
}

// ready answers /readyz.
func (s *service) ready(ctx context.Context) error {
	on := s.on.Load()
	if on == nil {
		return errConnecting(s.metrics.ClusterNote())
	}
	return readiness(ctx, on.cluster, on.store, s.next.Load().detections[0], s.health.Runs(), s.log)
}

// reloadOnSignal reads the rules, and the files of the credentials, again at each SIGHUP.
func (s *service) reloadOnSignal(ctx context.Context) (stop func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		for {
			select {
			case <-hangups:
				s.client.Reload()
				s.reload()
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { signal.Stop(hangups) }
}

// reload reads the rules and lays them ready for the next run. Where one is wrong, all the old ones
// stay: a set that is half new is what nobody wrote.
func (s *service) reload() {
	rules, err := s.app.ruleSet(s.cfg, s.log)
	s.metrics.Reload(s.app.now(), err)
	if err != nil {
		s.log.Error("the rules were read again and are wrong: none of them is taken, the ones "+
			"before run on; mend them and send SIGHUP again", "error", err)
		return
	}
	s.next.Store(&rules)
	s.log.Info("the rules were read again; the next run takes them", "rules", len(rules.detections),
		"skipped", len(rules.skipped))
}

// ruleChange names what a reload changes, by id.
type ruleChange struct{ added, changed, removed []rule.ID }

// changeOf compares by what a rule means; other words about it, such as its severity, are taken
// without a mention.
func changeOf(before, after []*detect.Detection) ruleChange {
	was := map[rule.ID]string{}
	for _, d := range before {
		was[d.Rule.ID] = d.Fingerprint()
	}
	var c ruleChange
	for _, d := range after {
		fingerprint, there := was[d.Rule.ID]
		delete(was, d.Rule.ID)
		switch {
		case !there:
			c.added = append(c.added, d.Rule.ID)
		case fingerprint != d.Fingerprint():
			c.changed = append(c.changed, d.Rule.ID)
		}
	}
	c.removed = slices.Sorted(maps.Keys(was))
	return c
}
