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

// tellAlerts names the rules over alerts that do not see our own signals, those that see signals
// where they want no alerts, and the patterns of --alerts-index that no rule has.
func tellAlerts(cfg config.Config, detections []*detect.Detection, log *slog.Logger) {
	var missing, unasked []ruleLine
	alerts := alertsOf(cfg)
	for _, d := range detections {
		line := func(more ...any) ruleLine {
			return ruleLine{d.Rule.ID, append([]any{"name", d.Rule.Name, "file", d.Rule.File},
				more...)}
		}
		if missed := d.MissedAlerts(); len(missed) > 0 {
			missing = append(missing, line("advice", detect.AlertsAdvice(missed)))
		}
		if others := alerts.Unasked(d.Rule); len(others) > 0 {
			unasked = append(unasked, line("patterns", others))
		}
	}
	tellRules(log, slog.LevelWarn, "a rule reads alerts, and does not see esrule's own signals",
		"rules read alerts, and do not see esrule's own signals", missing)
	tellRules(log, slog.LevelWarn, "--alerts-index has a rule read esrule's signals in place of "+
		"patterns that name no alerts: it does not see what is there",
		"--alerts-index has rules read esrule's signals in place of patterns that name no "+
			"alerts: they do not see what is there", unasked, "alerts_index", cfg.AlertsIndex)
	for _, pattern := range cfg.AlertsIndex {
		one := detect.Alerts{Index: cfg.SignalsIndex, Patterns: []string{pattern}}
		if !slices.ContainsFunc(detections, func(d *detect.Detection) bool {
			return one.Where(d.Rule, nil).ReadsSignals()
		}) {
			log.Warn("--alerts-index stands in for nothing: no rule has such a pattern", "pattern",
				pattern)
		}
	}
}
