package search

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"

	"esrule/internal/event"
)

// mappingSettings are the settings of an index that say how it keeps `_source`, and its analyzers.
type mappingSettings struct {
	Settings settings `json:"settings"`
	Defaults settings `json:"defaults"`
}

// settings are flat: by their whole names.
type settings map[string]json.RawMessage

const sourceModeSetting = "index.mapping.source.mode"

func (c *Cluster) mappingSettings(ctx context.Context,
	patterns []string) (map[string]mappingSettings, error) {
	params := openIndices()
	params.Set("flat_settings", "true")
	params.Set("include_defaults", "true")
	answer := byIndex[mappingSettings]{}
	_, err := c.askIndices(ctx, patterns, func(patterns []string) call {
		return call{method: http.MethodGet, path: "/" + joined(patterns) +
			"/_settings/index.mode," + sourceModeSetting + "," + analyzers + "*", params: params}
	}, &answer)
	return answer, err
}

// sourceMode tells how an index keeps `_source`. The mapping wins over the settings; the modes
// logsdb and time_series mean synthetic unless the settings say otherwise, as they do where the
// licence forbids it.
func sourceMode(m mappedField, s mappingSettings) event.SourceMode {
	if m.Enabled != nil && !*m.Enabled {
		return event.SourceOff
	}
	byIndexMode := ""
	if mode := text(s.Settings["index.mode"]); mode == "logsdb" || mode == "time_series" {
		byIndexMode = "synthetic"
	}
	for _, mode := range []string{m.Mode, text(s.Settings[sourceModeSetting]),
		text(s.Defaults[sourceModeSetting]), byIndexMode} {
		switch strings.ToLower(mode) {
		case "":
			continue
		case "synthetic":
			return event.SourceSynthetic
		case "disabled":
			return event.SourceOff
		}
		break
	}
	return event.SourceStored
}

// sourceFilter is what `_source` keeps of an event, by the mapping's includes and excludes.
type sourceFilter struct {
	includes, excludes *regexp.Regexp // nil: none
}

func newSourceFilter(m mappedField) sourceFilter {
	return sourceFilter{includes: anyPattern(m.Includes), excludes: anyPattern(m.Excludes)}
}

// anyPattern compiles patterns in which * stands for any text, dots included.
func anyPattern(patterns []string) *regexp.Regexp {
	if len(patterns) == 0 {
		return nil
	}
	alternatives := make([]string, len(patterns))
	for i, p := range patterns {
		alternatives[i] = strings.ReplaceAll(regexp.QuoteMeta(p), `\*`, `(?s:.*)`)
	}
	return regexp.MustCompile(`\A(?:` + strings.Join(alternatives, "|") + `)\z`)
}

// leavesOut tells whether the values under a path are missing from `_source`. A pattern that names
// a parent goes for all below it.
func (f sourceFilter) leavesOut(path string) bool {
	return f.includes != nil && !named(f.includes, path) || f.excludes != nil &&
		named(f.excludes, path)
}

func named(patterns *regexp.Regexp, path string) bool {
	if patterns.MatchString(path) {
		return true
	}
	for parent := range parents(path) {
		if patterns.MatchString(parent) {
			return true
		}
	}
	return false
}
