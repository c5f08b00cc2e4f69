package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/kelseyhightower/envconfig"
	"github.com/robfig/cron/v3"

	"esrule/internal/elastic"
)

// envPrefix begins the name of every variable of the configuration.
const envPrefix = "ESRULE"

// environment is the configuration as it is written: one text a variable, with its default, before
// any is judged. envconfig derives the names from the fields (Elasticsearch.APIKeyFile is
// ESRULE_ELASTICSEARCH_API_KEY_FILE). The fields are named by split_words and never by an
// `envconfig` tag: with such a tag the library also reads the name without its prefix, and a stray
// INDEX or PASSWORD of some other program would become ours.
type environment struct {
	Elasticsearch   elasticsearchEnvironment
	Rules           setting
	Index           setting
	SetAside        setting `split_words:"true"`
	SignalsIndex    setting `split_words:"true"`
	StateIndex      setting `split_words:"true"`
	DeadLetterIndex setting `split_words:"true"`
	Schedule        setting
	Start           setting
	Late            setting
	PageSize        setting `split_words:"true"`
	MetricsAddress  setting `split_words:"true"`
	LogLevel        setting `split_words:"true"`
	LogFormat       setting `split_words:"true"`
}

type elasticsearchEnvironment struct {
	URL             setting
	CloudID         setting `split_words:"true"`
	APIKey          string  `split_words:"true"`
	APIKeyFile      setting `split_words:"true"`
	Username        setting
	Password        string
	PasswordFile    setting `split_words:"true"`
	CAFile          setting `split_words:"true"`
	CertFingerprint setting `split_words:"true"`
}

// defaultEnvironment is the configuration where no variable is set. config.example.env repeats it,
// and a test holds the two together.
func defaultEnvironment() environment {
	return environment{
		SignalsIndex:    "esrule-signals",
		StateIndex:      "esrule-state",
		DeadLetterIndex: "esrule-dead-letter",
		Schedule:        "@every 5m",
		Late:            "24h",
		PageSize:        "5000",
		LogLevel:        "info",
		LogFormat:       "text",
	}
}

// setting is the text of a variable. A blank one counts as not set, since files for containers
// often hand through a variable that nobody gave a value.
type setting string

// Decode implements envconfig.Decoder.
func (s *setting) Decode(text string) error {
	if text = strings.TrimSpace(text); text != "" {
		*s = setting(text)
	}
	return nil
}

// config is the configuration, valid as a whole.
type config struct {
	Cluster elastic.Config

	Rules []string // files and folders of rules; none means the built-in rule
	Index []string // patterns that replace those of the rules; none means the rules' own
	// SetAside are patterns of indices that no run waits for while they are closed.
	SetAside []string

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
	LogFormat logFormat
}

// loadConfig reads the configuration from the environment of the process and judges all of it, so
// that a user who made three mistakes hears of three. environ (os.Environ) is searched for names
// that nobody reads; now is the time from which a schedule must come due.
func loadConfig(environ []string, now time.Time) (config, error) {
	env := defaultEnvironment()
	if err := envconfig.Process(envPrefix, &env); err != nil {
		return config{}, fmt.Errorf("read the environment: %w", err)
	}
	p := &problems{}
	p.checkNames(environ)
	p.checkProxies(environ)
	cfg := config{
		Cluster:         env.Elasticsearch.parse(p),
		Rules:           splitList(env.Rules),
		Index:           p.patterns("INDEX", env.Index),
		SetAside:        p.patterns("SET_ASIDE", env.SetAside),
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
		if why := cfg.ownIndex(pattern); why != "" {
			p.bad("INDEX", pattern, why)
		}
	}
	if err := p.err(); err != nil {
		return config{}, withExit(exitUsage, err)
	}
	return cfg, nil
}

// hasCluster says whether the configuration names a cluster at all; check and explain do part of
// their work without one.
func (c config) hasCluster() bool { return len(c.Cluster.Addresses) > 0 }

// LogValue shows the configuration in the log, without its secrets.
func (c config) LogValue() slog.Value {
	return slog.GroupValue(
		slog.Any("elasticsearch", c.Cluster),
		slog.Any("rules", c.Rules),
		slog.Any("index", c.Index),
		slog.Any("set_aside", c.SetAside),
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

// variable is one name that the program reads, and the text it takes where that is not set.
type variable struct{ Name, Default string }

// variables lists what the program reads, as envconfig derives it from the struct: there is no
// second list to forget.
func variables() []variable {
	env := defaultEnvironment()
	var list bytes.Buffer
	if err := envconfig.Usagef(envPrefix, &env, &list,
		"{{range .}}{{.Key}}={{.Field}}\n{{end}}"); err != nil {
		panic(err) // the template and the struct are constants of the program
	}
	var all []variable
	for line := range strings.Lines(list.String()) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		all = append(all, variable{name, value})
	}
	return all
}
