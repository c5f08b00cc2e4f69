package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/elastic"
)

// noon is the time at which the tests read the configuration.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// setEnvironment replaces the ESRULE_ variables of the process by pairs such as
// "ESRULE_INDEX=logs-*".
func setEnvironment(t *testing.T, pairs ...string) {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, value, _ := strings.Cut(pair, "="); strings.HasPrefix(name, Prefix+"_") {
			t.Setenv(name, value) // so that it comes back after the test
			os.Unsetenv(name)
		}
	}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv(name, value)
	}
}

func readConfig(t *testing.T, pairs ...string) (Config, error) {
	t.Helper()
	setEnvironment(t, pairs...)
	return Load(os.Environ(), noon)
}

func TestConfigDefaults(t *testing.T) {
	cfg, err := readConfig(t)
	if err != nil {
		t.Fatal(err)
	}
	if next := cfg.Schedule.Next(noon); !next.Equal(noon.Add(5 * time.Minute)) {
		t.Errorf("default schedule comes due at %s, want five minutes after %s", next, noon)
	}
	cfg.Schedule = nil
	want := Config{
		SignalsIndex:    "esrule-signals",
		StateIndex:      "esrule-state",
		DeadLetterIndex: "esrule-dead-letter",
		ScheduleText:    "@every 5m",
		Late:            24 * time.Hour,
		PageSize:        5000,
		LogLevel:        slog.LevelInfo,
		LogFormat:       LogText,
	}
	if diff := cmp.Diff(want, cfg, cmp.AllowUnexported(elastic.Secret{})); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	if cfg.HasCluster() {
		t.Errorf("a cluster is configured by default: %v", cfg.Cluster.Addresses)
	}
}

func TestConfigValues(t *testing.T) {
	f := func(pair string, get func(Config) any, want any) {
		t.Helper()
		t.Run(pair, func(t *testing.T) {
			cfg, err := readConfig(t, pair)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, get(cfg)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", pair, diff)
			}
		})
	}
	rules := func(c Config) any { return c.Rules }
	f("ESRULE_RULES=a.toml", rules, []string{"a.toml"})
	f("ESRULE_RULES= a.toml , folder/b ,", rules, []string{"a.toml", "folder/b"})
	f("ESRULE_RULES= ", rules, []string(nil))

	exceptions := func(c Config) any { return c.Exceptions }
	f("ESRULE_EXCEPTIONS=a.toml,b", exceptions, []string{"a.toml", "b"})

	index := func(c Config) any { return c.Index }
	f("ESRULE_INDEX=logs-*, winlogbeat-*", index, []string{"logs-*", "winlogbeat-*"})
	f("ESRULE_INDEX=.hidden-logs", index, []string{".hidden-logs"})

	signals := func(c Config) any { return c.SignalsIndex }
	f("ESRULE_SIGNALS_INDEX=team-a.signals", signals, "team-a.signals")
	f("ESRULE_SIGNALS_INDEX=", signals, "esrule-signals")

	start := func(c Config) any { return c.Start }
	f("ESRULE_START=90m", start, 90*time.Minute)
	f("ESRULE_START=7d", start, 7*24*time.Hour)
	f("ESRULE_START=1d12h", start, 36*time.Hour)
	f("ESRULE_START=", start, time.Duration(0))

	late := func(c Config) any { return c.Late }
	f("ESRULE_LATE=3d", late, 72*time.Hour)
	f("ESRULE_LATE=0", late, time.Duration(0))
	f("ESRULE_LATE=", late, 24*time.Hour)

	due := func(c Config) any { return c.Schedule.Next(noon).UTC() }
	f("ESRULE_SCHEDULE=@every 90s", due, noon.Add(90*time.Second))
	f("ESRULE_SCHEDULE=CRON_TZ=Asia/Tokyo 30 6 * * *", due,
		time.Date(2026, 3, 1, 21, 30, 0, 0, time.UTC))
	f("ESRULE_SCHEDULE=CRON_TZ=UTC 0 0 29 2 *", due, time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC))
	f("ESRULE_SCHEDULE=CRON_TZ=UTC @hourly", due, noon.Add(time.Hour))

	f("ESRULE_PAGE_SIZE=1", func(c Config) any { return c.PageSize }, 1)
	f("ESRULE_PAGE_SIZE=10000", func(c Config) any { return c.PageSize }, 10_000)
	f("ESRULE_METRICS_ADDRESS=:9786", func(c Config) any { return c.MetricsAddress }, ":9786")
	f("ESRULE_METRICS_ADDRESS=[::1]:9786", func(c Config) any { return c.MetricsAddress },
		"[::1]:9786")
	f("ESRULE_LOG_LEVEL=WARN", func(c Config) any { return c.LogLevel }, slog.LevelWarn)
	f("ESRULE_LOG_FORMAT=json", func(c Config) any { return c.LogFormat }, LogJSON)
	f("esrule_index=logs-*", index, []string(nil)) // names have a case
	// Names without the prefix belong to other programs; see environment.
	f("INDEX=other-*", index, []string(nil))
	f("PAGE_SIZE=7", func(c Config) any { return c.PageSize }, 5000)
	f("PASSWORD=other", func(c Config) any { return c.Cluster.Password.Reveal() }, "")
	f("ELASTICSEARCH_URL=http://other:9200", func(c Config) any { return c.HasCluster() }, false)
}

// The variables that Kubernetes puts into a pod beside a service that is called esrule are nobody's
// mistake.
func TestConfigAllowsServiceLinks(t *testing.T) {
	_, err := readConfig(t,
		"ESRULE_SERVICE_HOST=10.0.0.1", "ESRULE_SERVICE_PORT=9090",
		"ESRULE_SERVICE_PORT_METRICS=9090",
		"ESRULE_PORT=tcp://10.0.0.1:9090", "ESRULE_PORT_9090_TCP=tcp://10.0.0.1:9090",
		"ESRULE_PORT_9090_TCP_PROTO=tcp", "ESRULE_PORT_9090_TCP_PORT=9090",
		"ESRULE_PORT_9090_TCP_ADDR=10.0.0.1",
		"ESRULE_METRICS_SERVICE_HOST=10.0.0.2", "ESRULE_METRICS_PORT=tcp://10.0.0.2:80",
	)
	if err != nil {
		t.Errorf("service links: %v", err)
	}
}

func TestConfigProblems(t *testing.T) {
	f := func(pair, want string) {
		t.Helper()
		t.Run(pair, func(t *testing.T) {
			_, err := readConfig(t, pair)
			checkProblems(t, err, want)
		})
	}
	// Names.
	f("ESRULE_PAGESIZE=100", `ESRULE_PAGESIZE: no such variable; the nearest is ESRULE_PAGE_SIZE`)
	f("ESRULE_ELASTICSEARCH_PASWORD=hunter2",
		`ESRULE_ELASTICSEARCH_PASWORD: no such variable; the nearest is ESRULE_ELASTICSEARCH_PASSWORD`)
	f("ESRULE_URL=http://localhost:9200",
		`ESRULE_URL: no such variable; the nearest is ESRULE_ELASTICSEARCH_URL`)
	f("ESRULE_API_KEYFILE=key",
		`ESRULE_API_KEYFILE: no such variable; the nearest is ESRULE_ELASTICSEARCH_API_KEY_FILE`)
	f("ESRULE_PORT=9200", `ESRULE_PORT: no such variable; the nearest is ESRULE_START`)

	// Proxies, which Go ignores where it cannot read them. Their addresses may hold a password.
	f("HTTP_PROXY=http://user:pw1@[bad", "HTTP_PROXY (value not shown): not an address such as "+
		"http://proxy:3128; "+
		"in a user or password write special characters as %XX")
	f("https_proxy=ftp://proxy",
		"https_proxy (value not shown): want http://, https:// or socks5://")
	f("HTTPS_PROXY=http://:3128", "HTTPS_PROXY (value not shown): has no host; want an address "+
		"such as http://proxy:3128")

	// Indices to write.
	f("ESRULE_SIGNALS_INDEX=Signals", `ESRULE_SIGNALS_INDEX="Signals": index names are lower case`)
	f("ESRULE_SIGNALS_INDEX=signals-*",
		`ESRULE_SIGNALS_INDEX="signals-*": want one index, without wildcards`)
	f("ESRULE_SIGNALS_INDEX=<signals-{now/d}>",
		`ESRULE_SIGNALS_INDEX="<signals-{now/d}>": want one index, without date math; a name that changes with the day would alert twice`)
	f("ESRULE_SIGNALS_INDEX=a,b", `ESRULE_SIGNALS_INDEX="a,b": want one index, not a list`)
	f("ESRULE_STATE_INDEX=other:state",
		`ESRULE_STATE_INDEX="other:state": want an index of this cluster; a remote cluster cannot be written to`)
	f("ESRULE_STATE_INDEX=_state",
		`ESRULE_STATE_INDEX="_state": index names do not start with -, _ or +`)
	f("ESRULE_STATE_INDEX=my state",
		`ESRULE_STATE_INDEX="my state": index names hold no spaces and none of \/"<>|#`)
	f("ESRULE_STATE_INDEX=..", `ESRULE_STATE_INDEX="..": want the name of an index`)
	f("ESRULE_DEAD_LETTER_INDEX="+strings.Repeat("a", 256),
		`ESRULE_DEAD_LETTER_INDEX="`+strings.Repeat("a", 256)+
			`": index names have at most 255 bytes, this one has 256`)
	f("ESRULE_STATE_INDEX=esrule-signals",
		`ESRULE_STATE_INDEX="esrule-signals": is also ESRULE_SIGNALS_INDEX; each needs an index of its own`)

	// Index patterns to read.
	f("ESRULE_INDEX=-logs-noise,logs-*",
		`ESRULE_INDEX="-logs-noise,logs-*": the exclusion "-logs-noise" has no pattern with * before it, so there is nothing that it could take out. Write it after the pattern that it is about: ["logs-*", "-logs-noise"]`)
	f("ESRULE_INDEX=logs-* winlogbeat-*",
		`ESRULE_INDEX="logs-* winlogbeat-*": holds a space. No index can have such a name; a pattern is an index name in lower case, with * for any characters.`)
	f("ESRULE_INDEX=Logs-*",
		`ESRULE_INDEX="Logs-*": holds the capital letter 'L'. No index can have such a name; a pattern is an index name in lower case, with * for any characters.`)
	f("ESRULE_INDEX=<logs-{now/d}>",
		`ESRULE_INDEX="<logs-{now/d}>": is date math. Write * in place of the date, for example "logs-*"; the time window keeps the search small.`)
	f("ESRULE_INDEX=eu:Logs-*",
		`ESRULE_INDEX="eu:Logs-*": holds the capital letter 'L'. No index can have such a name; a pattern is an index name in lower case, with * for any characters.`)
	f("ESRULE_INDEX=_all", `ESRULE_INDEX="_all": stands for every index. Name the patterns that hold the rule's events, or write "*".`)

	// Times and numbers.
	const length = "want a length of time above zero such as 90m, 24h, 7d or 1d12h"
	f("ESRULE_START=soon", `ESRULE_START="soon": `+length)
	f("ESRULE_START=0", `ESRULE_START="0": `+length)
	f("ESRULE_START=-1h", `ESRULE_START="-1h": `+length)
	f("ESRULE_START=300y", `ESRULE_START="300y": `+length)
	f("ESRULE_LATE=off", `ESRULE_LATE="off": want a length of time such as 90m, 24h or 7d, or 0 for none`)
	f("ESRULE_LATE=-1h", `ESRULE_LATE="-1h": want a length of time such as 90m, 24h or 7d, or 0 for none`)
	const cron = `want five cron fields such as "*/5 * * * *", or "@every 5m", "@hourly", "@daily"`
	f("ESRULE_SCHEDULE=5m", `ESRULE_SCHEDULE="5m": expected exactly 5 fields, found 1: [5m]; `+cron)
	f("ESRULE_SCHEDULE=@every 0s", `ESRULE_SCHEDULE="@every 0s": the shortest is @every 1s`)
	f("ESRULE_SCHEDULE=@every -5m", `ESRULE_SCHEDULE="@every -5m": the shortest is @every 1s`)
	f("ESRULE_SCHEDULE=CRON_TZ=UTC @every 5ms",
		`ESRULE_SCHEDULE="CRON_TZ=UTC @every 5ms": the shortest is @every 1s`)
	f("ESRULE_SCHEDULE=0 0 31 2 *",
		`ESRULE_SCHEDULE="0 0 31 2 *": there is no such day, so it would never come due`)
	f("ESRULE_SCHEDULE=CRON_TZ=UTC",
		`ESRULE_SCHEDULE="CRON_TZ=UTC": names a time zone and no times; `+cron)
	f("ESRULE_SCHEDULE=TZ=Mars/Base 0 * * * *",
		`ESRULE_SCHEDULE="TZ=Mars/Base 0 * * * *": provided bad location Mars/Base: unknown time zone Mars/Base; `+cron)
	f("ESRULE_PAGE_SIZE=0", `ESRULE_PAGE_SIZE="0": want a whole number from 1 to 10000`)
	f("ESRULE_PAGE_SIZE=10001", `ESRULE_PAGE_SIZE="10001": want a whole number from 1 to 10000`)
	f("ESRULE_PAGE_SIZE=1e3", `ESRULE_PAGE_SIZE="1e3": want a whole number from 1 to 10000`)

	// Monitoring.
	const listen = `want host:port, or :port for every address of the machine, such as 127.0.0.1:9786`
	f("ESRULE_METRICS_ADDRESS=9786", `ESRULE_METRICS_ADDRESS="9786": `+listen)
	f("ESRULE_METRICS_ADDRESS=http://localhost:9786",
		`ESRULE_METRICS_ADDRESS="http://localhost:9786": `+listen)
	f("ESRULE_METRICS_ADDRESS=localhost:", `ESRULE_METRICS_ADDRESS="localhost:": `+listen)
	f("ESRULE_METRICS_ADDRESS=:0", `ESRULE_METRICS_ADDRESS=":0": `+listen)
	f("ESRULE_METRICS_ADDRESS=:metrics", `ESRULE_METRICS_ADDRESS=":metrics": `+listen)
	f("ESRULE_METRICS_ADDRESS=:65536", `ESRULE_METRICS_ADDRESS=":65536": `+listen)
	f("ESRULE_METRICS_ADDRES=:9786",
		`ESRULE_METRICS_ADDRES: no such variable; the nearest is ESRULE_METRICS_ADDRESS`)

	// The log.
	f("ESRULE_LOG_LEVEL=loud", `ESRULE_LOG_LEVEL="loud": want debug, info, warn or error`)
	f("ESRULE_LOG_FORMAT=xml", `ESRULE_LOG_FORMAT="xml": want text or json`)
}

// checkProblems checks that err reports exactly the problems wanted.
func checkProblems(t *testing.T, err error, want ...string) {
	t.Helper()
	heading := "the configuration has a problem:"
	if len(want) > 1 {
		heading = fmt.Sprintf("the configuration has %d problems:", len(want))
	}
	text := heading + "\n  " + strings.Join(want, "\n  ")
	if err == nil {
		t.Fatalf("no error, want\n%s", text)
	}
	if diff := cmp.Diff(text, err.Error()); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
}

func TestConfigProblemsComeTogether(t *testing.T) {
	_, err := readConfig(t, "ESRULE_ELASTICSEARCH_URL=localhost:9200", "ESRULE_PAGE_SIZE=many",
		"ESRULE_LOGLEVEL=info", "ESRULE_LOG_FORMAT=xml")
	checkProblems(t, err,
		`ESRULE_LOGLEVEL: no such variable; the nearest is ESRULE_LOG_LEVEL`,
		`ESRULE_ELASTICSEARCH_URL="localhost:9200": want http:// or https:// before the host, such as https://localhost:9200`,
		`ESRULE_PAGE_SIZE="many": want a whole number from 1 to 10000`,
		`ESRULE_LOG_FORMAT="xml": want text or json`,
	)
}

// The example file and the code list the same variables, with the same defaults, each explained.
func TestExampleEnvironment(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("..", "..", "config.example.env"))
	if err != nil {
		t.Fatal(err)
	}
	var listed []Variable
	var before string
	for line := range strings.Lines(string(content)) {
		line = strings.TrimRight(line, "\n")
		if name, value, ok := strings.Cut(strings.TrimPrefix(line, "#"), "="); ok &&
			strings.HasPrefix(name, Prefix+"_") {
			listed = append(listed, Variable{name, value})
			if !strings.HasPrefix(line, "#") {
				t.Errorf("%s is set in the example; it shows defaults, commented out", name)
			}
			if !strings.HasPrefix(before, "# ") {
				t.Errorf("%s is not explained on the line above it, which is %q", name, before)
			}
		}
		before = line
	}
	byName := func(a, b Variable) int { return strings.Compare(a.Name, b.Name) }
	if diff := cmp.Diff(slices.SortedFunc(slices.Values(Variables()), byName),
		slices.SortedFunc(slices.Values(listed), byName)); diff != "" {
		t.Errorf("variables and defaults (-code +config.example.env):\n%s", diff)
	}
}

// The names are a promise to users: whoever renames a field of the struct sees it here.
func TestVariableNames(t *testing.T) {
	var got []string
	for _, v := range Variables() {
		got = append(got, v.Name)
	}
	want := []string{
		"ESRULE_ELASTICSEARCH_URL", "ESRULE_ELASTICSEARCH_CLOUD_ID",
		"ESRULE_ELASTICSEARCH_API_KEY", "ESRULE_ELASTICSEARCH_API_KEY_FILE",
		"ESRULE_ELASTICSEARCH_USERNAME", "ESRULE_ELASTICSEARCH_PASSWORD",
		"ESRULE_ELASTICSEARCH_PASSWORD_FILE",
		"ESRULE_ELASTICSEARCH_CA_FILE", "ESRULE_ELASTICSEARCH_CERT_FINGERPRINT",
		"ESRULE_RULES", "ESRULE_EXCEPTIONS", "ESRULE_TAG", "ESRULE_SEVERITY", "ESRULE_RULE_ID",
		"ESRULE_EXCLUDE_RULE", "ESRULE_INDEX", "ESRULE_SET_ASIDE",
		"ESRULE_ALERTS_INDEX", "ESRULE_SIGNALS_INDEX", "ESRULE_STATE_INDEX", "ESRULE_DEAD_LETTER_INDEX",
		"ESRULE_SCHEDULE", "ESRULE_START", "ESRULE_LATE", "ESRULE_PAGE_SIZE",
		"ESRULE_METRICS_ADDRESS",
		"ESRULE_LOG_LEVEL", "ESRULE_LOG_FORMAT",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

// However a configuration is printed, its secrets are not.
func TestConfigHidesSecrets(t *testing.T) {
	const password = "correct-horse"
	cfg, err := readConfig(t, "ESRULE_ELASTICSEARCH_URL=https://elastic:"+password+
		"@localhost:9200")
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.Cluster.Password.Reveal(); got != password {
		t.Fatalf("password: got %q, want %q", got, password)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("configuration", "config", cfg)
	slog.New(slog.NewTextHandler(&log, nil)).Info("configuration", "config", cfg, "cluster",
		cfg.Cluster, "password", cfg.Cluster.Password)
	encoded, err := json.Marshal(cfg.Cluster.Password)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{
		log.String(), string(encoded),
		fmt.Sprint(cfg), fmt.Sprintf("%+v", cfg), fmt.Sprintf("%#v", cfg),
		fmt.Sprintf("%+v", cfg.Cluster.Password), fmt.Sprintf("%#v", cfg.Cluster.Password),
	} {
		if strings.Contains(shown, password) {
			t.Errorf("the password is in %s", shown)
		}
	}
	if !strings.Contains(log.String(), "(secret)") {
		t.Errorf("the log does not say that there is a password: %s", log.String())
	}
}
