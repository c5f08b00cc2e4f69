package config

import (
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/robfig/cron/v3"

	"esrule/internal/elastic/indexpattern"
)

// splitList splits a comma-separated list; blanks around and between commas count for nothing.
func splitList(text setting) []string {
	var items []string
	for item := range strings.SplitSeq(string(text), ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

func (p *problems) wholeNumber(name string, text setting, least, most int) int {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < least || n > most {
		p.bad(name, text, fmt.Sprintf("want a whole number from %d to %d", least, most))
	}
	return n
}

// duration reads Prometheus's form, which has days and weeks; time.ParseDuration stops at hours.
func (p *problems) duration(name string, text setting) time.Duration {
	if text == "" {
		return 0
	}
	d, err := model.ParseDuration(string(text))
	if err != nil || d == 0 {
		p.bad(name, text, "want a length of time above zero such as 90m, 24h, 7d or 1d12h")
	}
	return time.Duration(d)
}

// address checks an address to listen on. Whether it is free shows when it is listened on.
func (p *problems) address(name string, text setting) string {
	if text == "" {
		return ""
	}
	_, port, err := net.SplitHostPort(string(text))
	if n, errPort := strconv.ParseUint(port, 10, 16); err != nil || errPort != nil || n == 0 {
		p.bad(name, text, "want host:port, or :port for every address of the machine, such as "+
			"127.0.0.1:9786")
	}
	return string(text)
}

// durationOrOff reads a length of time that 0 switches off.
func (p *problems) durationOrOff(name string, text setting) time.Duration {
	if text == "0" {
		return 0
	}
	d, err := model.ParseDuration(string(text))
	if err != nil || d == 0 {
		p.bad(name, text, "want a length of time such as 90m, 24h or 7d, or 0 for none")
	}
	return time.Duration(d)
}

func (p *problems) schedule(name string, text setting, now time.Time) cron.Schedule {
	const want = `want five cron fields such as "*/5 * * * *", or "@every 5m", "@hourly", "@daily"`
	spec := string(text)
	if zone, rest, _ := strings.Cut(spec, " "); strings.Contains(zone, "TZ=") &&
		strings.TrimSpace(rest) == "" {
		// cron.ParseStandard panics on it
		p.bad(name, text, "names a time zone and no times; "+want)
		return nil
	}
	schedule, err := cron.ParseStandard(spec)
	if err != nil {
		p.bad(name, text, fmt.Sprintf("%v; %s", err, want))
		return nil
	}
	// cron rounds anything shorter up to a second, a negative length too.
	if _, every, ok := strings.Cut(spec, "@every "); ok {
		if d, err := time.ParseDuration(every); err != nil || d < time.Second {
			p.bad(name, text, "the shortest is @every 1s")
		}
	}
	if schedule.Next(now).IsZero() {
		p.bad(name, text, "there is no such day, so it would never come due")
	}
	return schedule
}

func (p *problems) logLevel(name string, text setting) slog.Level {
	switch strings.ToLower(string(text)) {
	case "debug":
		return slog.LevelDebug
	case "info":
		return slog.LevelInfo
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	}
	p.bad(name, text, "want debug, info, warn or error")
	return slog.LevelInfo
}

func (p *problems) logFormat(name string, text setting) LogFormat {
	format := LogFormat(strings.ToLower(string(text)))
	if format != LogText && format != LogJSON {
		p.bad(name, text, "want text or json")
	}
	return format
}

// index checks the name of one index that the program writes: Elasticsearch's rules for a new
// index, and no alias to several, so no wildcard and no date math.
func (p *problems) index(name string, text setting) string {
	s := string(text)
	switch {
	case strings.ContainsAny(s, "*?"):
		p.bad(name, s, "want one index, without wildcards")
	case strings.HasPrefix(s, "<"):
		p.bad(name, s, "want one index, without date math; a name that changes with the day "+
			"would alert twice")
	case strings.Contains(s, ","):
		p.bad(name, s, "want one index, not a list")
	case strings.Contains(s, ":"):
		p.bad(name, s, "want an index of this cluster; a remote cluster cannot be written to")
	case s != strings.ToLower(s):
		p.bad(name, s, "index names are lower case")
	case strings.IndexAny(s, "-_+") == 0:
		p.bad(name, s, "index names do not start with -, _ or +")
	case strings.ContainsAny(s, forbiddenInIndex):
		p.bad(name, s, "index names hold no spaces and none of "+forbiddenInIndex[1:])
	case s == "." || s == "..":
		p.bad(name, s, "want the name of an index")
	case len(s) > 255:
		p.bad(name, s, fmt.Sprintf("index names have at most 255 bytes, this one has %d", len(s)))
	}
	return s
}

// forbiddenInIndex is what no index name holds; the space comes first.
const forbiddenInIndex = " \\/\"<>|#"

// alerts checks the patterns of alerts for which the signals index stands in.
func (p *problems) alerts(name string, text setting) []string {
	patterns := splitList(text)
	for _, s := range patterns {
		if why := AlertsPattern(s); why != "" {
			p.bad(name, s, why)
		}
	}
	return patterns
}

// AlertsPattern says why the signals index cannot stand in for a pattern; it is empty where it can.
func AlertsPattern(pattern string) (why string) {
	switch {
	case indexpattern.Excludes(pattern):
		return "want a pattern of alerts, such as .alerts-security.*, and no exclusion"
	case indexpattern.IsRemote(pattern):
		return "want a pattern of this cluster; the signals of another are in its own indices"
	case strings.Trim(pattern, "*-_.") == "":
		return "stands for the patterns of all rules, or of most; want one of alerts, such as " +
			".alerts-security.*"
	}
	return indexpattern.Check(pattern)
}

// patterns checks index patterns, which follow the same rules as those in a rule file: exclusions
// have a pattern with * before them. A pattern of another cluster is good, and stays open by name.
func (p *problems) patterns(name string, text setting) []string {
	patterns := splitList(text)
	for _, s := range patterns {
		if why := indexpattern.Check(s); why != "" {
			p.bad(name, s, why)
		}
	}
	if why := indexpattern.CheckList(patterns); why != "" {
		p.bad(name, string(text), why)
	}
	return patterns
}
