package main

import (
	"errors"
	"fmt"
	"log/slog"

	"esrule/internal/query/eql"
	"esrule/internal/query/rule"
	"esrule/internal/schedule"
)

// errNoRules says that nothing is left to run.
var errNoRules = errors.New("no rule is left to run: every rule is of a kind that this version does not support")

// detections reads the rules and compiles them. A rule that this version does not support is skipped,
// named and counted; a malformed one ends the command.
func (a *app) detections(cfg config, log *slog.Logger) ([]*schedule.Detection, error) {
	set, err := a.loadRules(cfg)
	if err != nil {
		return nil, err
	}
	detections, skipped := compile(set, cfg.Index)
	for _, s := range skipped {
		log.Warn("a rule is skipped", "rule", s.ID, "name", s.Name, "file", s.File, "kind", s.Kind, "reason", s.Reason)
	}
	if len(skipped) > 0 {
		log.Warn("rules are skipped", "skipped", len(skipped), "running", len(detections))
	}
	if len(detections) == 0 {
		return nil, withExit(exitUsage, errNoRules)
	}
	return detections, nil
}

// compile makes the rules ready to run. Those that need what is not evaluated yet join the skipped.
func compile(set *rule.Set, patterns []string) (detections []*schedule.Detection, skipped []rule.Skipped) {
	skipped = append(skipped, set.Skipped...)
	for _, r := range set.Rules {
		d, err := schedule.NewDetection(r, patterns)
		if err == nil {
			detections = append(detections, d)
			continue
		}
		s := rule.Skipped{File: r.File, ID: r.ID, Name: r.Name, Kind: "unsupported expression", Reason: err.Error()}
		if unsupported, ok := errors.AsType[eql.Errors](err); ok && len(unsupported) > 0 {
			s.Reason = unsupported[0].Message
			if more := len(unsupported) - 1; more > 0 {
				s.Reason += fmt.Sprintf(" (and %d more)", more)
			}
		}
		skipped = append(skipped, s)
	}
	return detections, skipped
}
