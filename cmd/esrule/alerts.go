package main

import (
	"fmt"
	"log/slog"
	"slices"

	"esrule/internal/config"
	"esrule/internal/detect"
)

// useAlerts takes --alerts-index in place of its variable.
func (a *app) useAlerts(cfg *config.Config) error {
	for _, pattern := range a.alertsIndex {
		if why := config.AlertsPattern(pattern); why != "" {
			return fmt.Errorf("--alerts-index %q: %s", pattern, why)
		}
	}
	if len(a.alertsIndex) > 0 {
		cfg.AlertsIndex = a.alertsIndex
	}
	return nil
}

// alertsOf says for which patterns of rules the signals index stands in.
func alertsOf(cfg config.Config) detect.Alerts {
	return detect.Alerts{Index: cfg.SignalsIndex, Patterns: cfg.AlertsIndex}
}

// tellAlerts names the rules over alerts that do not see our own signals, and the patterns of
// --alerts-index that no rule has.
func tellAlerts(cfg config.Config, detections []*detect.Detection, log *slog.Logger) {
	var lines []ruleLine
	for _, d := range detections {
		if d.MissesSignals() {
			lines = append(lines,
				ruleLine{d.Rule.ID, []any{"name", d.Rule.Name, "file", d.Rule.File}})
		}
	}
	tellRules(log, slog.LevelWarn, "a rule reads alerts, and does not see esrule's own signals",
		"rules read alerts, and do not see esrule's own signals", lines,
		"advice", detect.AlertsAdvice)
	for _, pattern := range cfg.AlertsIndex {
		one := detect.Alerts{Index: cfg.SignalsIndex, Patterns: []string{pattern}}
		if !slices.ContainsFunc(detections, func(d *detect.Detection) bool {
			return one.Where(d.Rule, nil).Signals != ""
		}) {
			log.Warn("--alerts-index stands in for nothing: no rule has such a pattern", "pattern",
				pattern)
		}
	}
}
