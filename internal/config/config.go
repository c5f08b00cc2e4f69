package config

import (
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/kelseyhightower/envconfig"
	"github.com/robfig/cron/v3"

	"esrule/internal/elastic"
)

// Config is the configuration, valid as a whole.
type Config struct {
	Cluster elastic.Config

	Rules []string // files and folders of rules; none means the built-in rule
	// Exceptions are files and folders of exceptions; those among the rules are read without it.
	Exceptions []string
	// Tags, Severities, RuleIDs and ExcludeRules choose among the rules.
	Tags, Severities, RuleIDs, ExcludeRules []string

	Index []string // patterns that replace those of the rules; none means the rules' own
	// SetAside are patterns of indices that no run waits for while they are closed.
	SetAside []string

	// AlertsIndex are patterns of alerts for which the signals index stands in.
	AlertsIndex []string

	SignalsIndex    string
	StateIndex      string
	DeadLetterIndex string

	Schedule     cron.Schedule
	ScheduleText string // as the user wrote it
	// how far back a rule's first run looks; 0 means the rule's own `from`
	Start time.Duration
	// how late an event may come and still be found; 0 is without the late sweep
	Late     time.Duration
	PageSize int

	MetricsAddress string // where /metrics, /healthz and /readyz are served; empty means nowhere

	LogLevel  slog.Level
	LogFormat LogFormat
}

// LogFormat is how a line of the log is written.
type LogFormat string

// The formats of the log.
const (
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// Load reads the configuration from the environment of the process and checks all of it: the error
// lists every problem. environ (os.Environ) is searched for names that the program does not read;
// now is the time after which the schedule must come due.
func Load(environ []string, now time.Time) (Config, error) {
	env := defaultEnvironment()
	if err := envconfig.Process(Prefix, &env); err != nil {
		return Config{}, fmt.Errorf("read the environment: %w", err)
	}
	p := &problems{}
	p.checkNames(environ)
	p.checkProxies(environ)
	cfg := Config{
		Cluster:         env.Elasticsearch.parse(p),
		Rules:           splitList(env.Rules),
		Exceptions:      splitList(env.Exceptions),
		Tags:            splitList(env.Tag),
		Severities:      splitList(env.Severity),
		RuleIDs:         splitList(env.RuleID),
		ExcludeRules:    splitList(env.ExcludeRule),
		Index:           p.patterns("INDEX", env.Index),
		SetAside:        p.patterns("SET_ASIDE", env.SetAside),
		AlertsIndex:     p.alerts("ALERTS_INDEX", env.AlertsIndex),
		SignalsIndex:    p.index("SIGNALS_INDEX", env.SignalsIndex),
		StateIndex:      p.index("STATE_INDEX", env.StateIndex),
		DeadLetterIndex: p.index("DEAD_LETTER_INDEX", env.DeadLetterIndex),
		Schedule:        p.schedule("SCHEDULE", env.Schedule, now),
		ScheduleText:    string(env.Schedule),
		Start:           p.duration("START", env.Start),
		Late:            p.durationOrOff("LATE", env.Late),
		PageSize:        p.wholeNumber("PAGE_SIZE", env.PageSize, 1, 10_000),
		MetricsAddress:  p.address("METRICS_ADDRESS", env.MetricsAddress),
		LogLevel:        p.logLevel("LOG_LEVEL", env.LogLevel),
		LogFormat:       p.logFormat("LOG_FORMAT", env.LogFormat),
	}
	p.checkDistinct(
		named{"SIGNALS_INDEX", cfg.SignalsIndex},
		named{"STATE_INDEX", cfg.StateIndex},
		named{"DEAD_LETTER_INDEX", cfg.DeadLetterIndex},
	)
	for _, pattern := range cfg.Index {
		if why := cfg.OwnIndex(pattern); why != "" {
			p.bad("INDEX", pattern, why)
		}
	}
	if err := p.err(); err != nil {
		return Config{}, err
	}
	return cfg, nil
}

// HasCluster reports whether the configuration names a cluster; check and explain do part of their
// work without one.
func (c Config) HasCluster() bool { return len(c.Cluster.Addresses) > 0 }

// Own returns the three indices that the program writes. Of them only the signals are read for
// events, by rules whose patterns AlertsIndex names.
func (c Config) Own() []string { return []string{c.SignalsIndex, c.StateIndex, c.DeadLetterIndex} }

// OwnIndex returns why a pattern that names one of the program's own indices is refused, or "". A
// wider one, such as *, is searched without them.
func (c Config) OwnIndex(pattern string) (why string) {
	if slices.Contains(c.Own(), pattern) {
		return "is one of the three indices that esrule writes, and it does not read them; name " +
			"the indices of the events. For rules over esrule's own signals, see --alerts-index"
	}
	return ""
}

// LogValue is how the configuration is logged, without its secrets.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(
		slog.Any("elasticsearch", c.Cluster),
		slog.Any("rules", c.Rules),
		slog.Any("exceptions", c.Exceptions),
		slog.Any("tags", c.Tags),
		slog.Any("severities", c.Severities),
		slog.Any("rule_ids", c.RuleIDs),
		slog.Any("exclude_rules", c.ExcludeRules),
		slog.Any("index", c.Index),
		slog.Any("set_aside", c.SetAside),
		slog.Any("alerts_index", c.AlertsIndex),
		slog.String("signals_index", c.SignalsIndex),
		slog.String("state_index", c.StateIndex),
		slog.String("dead_letter_index", c.DeadLetterIndex),
		slog.String("schedule", c.ScheduleText),
		slog.Duration("start", c.Start),
		slog.Duration("late", c.Late),
		slog.Int("page_size", c.PageSize),
		slog.String("metrics_address", c.MetricsAddress),
	)
}
