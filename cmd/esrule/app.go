package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"esrule/internal/config"
	"esrule/internal/elastic"
	"esrule/internal/query/rule"
)

// app is what the commands share: the process's streams and clock, and the parts that most of them
// build first. A command takes from it what it needs, in the order in which it needs it.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	now            func() time.Time
	readyWithin    time.Duration

	rulePaths      []string // --rules
	exceptionPaths []string // --exceptions
	choice         rule.Choice
	alertsIndex    []string // --alerts-index

	// config is the configuration, read from the environment when a command first asks for it:
	// `esrule version` works under a broken one.
	config func() (config.Config, error)
}

func newApp(stdin io.Reader, stdout, stderr io.Writer) *app {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, now: clock(),
		readyWithin: elastic.ReadyWithin}
	a.config = sync.OnceValues(func() (config.Config, error) {
		cfg, err := config.Load(os.Environ(), a.now())
		if err == nil {
			err = a.useAlerts(&cfg)
		}
		return cfg, withExit(exitUsage, err)
	})
	return a
}

// logger writes to standard error, which leaves standard output to a command's result.
func (a *app) logger(cfg config.Config) *slog.Logger {
	return newLogger(a.stderr, cfg.LogFormat, cfg.LogLevel)
}

// errNoCluster says that a command needs a cluster and the configuration names none.
var errNoCluster = errors.New("no cluster is configured: set ESRULE_ELASTICSEARCH_URL, or " +
	"ESRULE_ELASTICSEARCH_CLOUD_ID")

// connect returns the client of the configured cluster, once it answers and lets us in.
func (a *app) connect(ctx context.Context, cfg config.Config,
	log *slog.Logger) (*elastic.Client, error) {
	c, err := a.client(cfg, log)
	if err != nil {
		return nil, err
	}
	server, err := c.Ready(ctx, a.readyWithin, log)
	if _, unsupported := errors.AsType[*elastic.UnsupportedError](err); unsupported {
		return nil, withExit(exitUsage, err)
	}
	if err != nil {
		return nil, err
	}
	log.Debug("connected", "server", server.String())
	return c, nil
}

// client returns the client of the configured cluster, which it does not ask anything.
func (a *app) client(cfg config.Config, log *slog.Logger) (*elastic.Client, error) {
	if !cfg.HasCluster() {
		return nil, withExit(exitUsage, errNoCluster)
	}
	cfg.Cluster.UserAgent, cfg.Cluster.Log = userAgent(), log
	c, err := elastic.New(cfg.Cluster)
	return c, withExit(exitUsage, err)
}
