package main

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"esrule/internal/config"
	"esrule/internal/detect"
	"esrule/internal/query/cond"
	"esrule/internal/query/lint"
	"esrule/internal/query/rule"
	"esrule/internal/schedule"
)

// prepare is what a command that runs rules does first: the configuration, a logger, the rules.
func (a *app) prepare() (config.Config, *slog.Logger, []*detect.Detection, error) {
	cfg, err := a.config()
	if err != nil {
		return config.Config{}, nil, nil, err
	}
	log := a.logger(cfg)
	detections, err := a.detections(cfg, log)
	return cfg, log, detections, err
}

func (a *app) detections(cfg config.Config, log *slog.Logger) ([]*detect.Detection, error) {
	set, err := a.ruleSet(cfg, log)
	return set.detections, err
}

// ruleSet is the rules that run, and those that were read and do not: of a kind that is not
// supported, or with wrong index patterns.
type ruleSet struct {
	detections []*detect.Detection
	skipped    []rule.Skipped
	refused    []schedule.Refused
	exceptions exceptions
}

// ruleSet reads the rules and compiles them. A rule that this version does not support is skipped,
// named and counted; so is one with wrong index patterns. A malformed one ends the command.
func (a *app) ruleSet(cfg config.Config, log *slog.Logger) (ruleSet, error) {
	set, err := a.loadRules(cfg)
	if err != nil {
		return ruleSet{}, err
	}
	compiled, err := compile(set, cfg)
	if err != nil {
		return ruleSet{}, err
	}
	compiled.exceptions = newExceptions(set.Exceptions)
	var refused []ruleLine
	for _, one := range compiled.refused {
		refused = append(refused, ruleLine{one.ID, []any{"name", one.Name, "reason", one.Reason}})
	}
	tellRules(log, slog.LevelError, "a rule does not run: its index patterns are wrong; the other "+
		"rules run", "rules do not run: their index patterns are wrong; the other rules run",
		refused)
	if err := a.tellSkipped(set, compiled.skipped, len(compiled.detections), log); err != nil {
		return ruleSet{}, err
	}
	compiled.exceptions.tell(a.now(), log)
	tellAlerts(cfg, compiled.detections, log)
	return compiled, nil
}

// tellSkipped names and counts the rules that do not run, and names the doubtful ones; with none
// left to run, the command ends.
func (a *app) tellSkipped(set *rule.Set, skipped []rule.Skipped, running int,
	log *slog.Logger) error {
	warnSkipped(skipped, log)
	if set.NotChosen > 0 {
		log.Info("rules are left out by choice", "left_out", set.NotChosen, "running", running)
	}
	if len(skipped) > 0 {
		log.Warn("rules are skipped", "skipped", len(skipped), "running", running)
	}
	if running == 0 {
		return noRules(set, skipped)
	}
	warnUnread(set, log)
	warnFiles(set, a.now(), log)
	warnDoubts(set, skipped, log)
	return nil
}

// warnFiles says what is doubtful in the rules' files, and names each exception that is not
// applied.
func warnFiles(set *rule.Set, now time.Time, log *slog.Logger) {
	for _, warning := range set.Warnings {
		log.Warn("a rule file is doubtful", "reason", warning)
	}
	var lines []ruleLine
	for _, r := range set.Rules {
		for _, x := range r.Unapplied(now) {
			lines = append(lines, ruleLine{r.ID, []any{"name", r.Name, "file", r.File,
				"exception", x.String(), "reason", x.Fault, "advice", rule.ExceptionsAdvice}})
		}
	}
	var suppressing []ruleLine
	for _, r := range set.Rules {
		if r.Suppresses() {
			suppressing = append(suppressing, ruleLine{r.ID, []any{"name", r.Name, "file", r.File}})
		}
	}
	tellRules(log, slog.LevelWarn, "a rule's alert_suppression is not applied: each event that "+
		"matches is a signal", "the alert_suppression of rules is not applied: each event that "+
		"matches is a signal", suppressing)
	tellRules(log, slog.LevelWarn, "A RULE'S EXCEPTION IS NOT APPLIED",
		"EXCEPTIONS OF RULES ARE NOT APPLIED", lines, "advice", rule.ExceptionsAdvice)
}

// warnDoubts names each rule whose query is probably not what was meant, with the first reason.
func warnDoubts(set *rule.Set, skipped []rule.Skipped, log *slog.Logger) {
	found := make([]lint.Doubts, len(set.Rules))
	set.Each(func(place int, r *rule.Rule) {
		for _, q := range r.Body.Queries() {
			found[place] = append(found[place], lint.Query(q)...)
		}
	})
	var lines []ruleLine
	for i, r := range set.Rules {
		doubts := found[i]
		isSkipped := slices.ContainsFunc(skipped, func(s rule.Skipped) bool { return s.ID == r.ID })
		if len(doubts) > 0 && !isSkipped {
			advice := strings.TrimSpace(doubts[0].At.Advice + " esrule check shows all of them.")
			lines = append(lines, ruleLine{r.ID, []any{"name", r.Name, "doubts", len(doubts),
				"first", doubts[0].At.Message, "advice", advice}})
		}
	}
	tellRules(log, slog.LevelWarn, "a rule's query is doubtful", "queries of rules are doubtful",
		lines)
}

// compile makes the rules ready to run over their patterns, or over those that are configured in
// their place. A rule with wrong patterns of its own is refused alone; where no other is left, that
// is the error.
func compile(set *rule.Set, cfg config.Config) (compiled ruleSet, err error) {
	made, errs := make([]*detect.Detection, len(set.Rules)), make([]error, len(set.Rules))
	compiler := detect.Compiler{Alerts: alertsOf(cfg)}
	set.Each(func(place int, r *rule.Rule) {
		made[place], errs[place] = compiler.New(r, cfg.Index)
	})
	var faults rule.Errors
	compiled.skipped, err = compileEach(set, func(place int, r *rule.Rule) error {
		if wrong := patternFaults(r, cfg); len(wrong) > 0 {
			faults = append(faults, wrong...)
			compiled.refused = append(compiled.refused,
				schedule.Refused{RuleName: schedule.RuleName{ID: r.ID, Name: r.Name},
					Reason: wrong.Error()})
			return nil
		}
		if errs[place] == nil {
			compiled.detections = append(compiled.detections, made[place])
		}
		return errs[place]
	})
	if err == nil && len(compiled.detections) == 0 && len(faults) > 0 {
		err = withExit(exitUsage, fmt.Errorf("the rules cannot be run:\n%w", faults))
	}
	return compiled, err
}

// patternFaults are what keeps a rule from being run over its own patterns; those of its events
// count where no others are configured.
func patternFaults(r *rule.Rule, cfg config.Config) (faults rule.Errors) {
	own := func(key string, patterns []string) {
		for _, pattern := range patterns {
			if why := cfg.OwnIndex(pattern); why != "" && !alertsOf(cfg).StandsIn(pattern) {
				faults = append(faults, r.Locate(fmt.Errorf("%s %q %s", key, pattern, why))...)
			}
		}
	}
	if len(cfg.Index) == 0 {
		faults = slices.Clone(r.PatternFaults)
		own("index pattern", r.Index)
	}
	own("threat_index pattern", r.ThreatIndex())
	return faults
}

// compileEach hands each rule to compileOne, with its place. Those that need what is not evaluated
// yet join the skipped; one whose condition cannot mean anything ends the command, with the report
// of all of them.
func compileEach(set *rule.Set,
	compileOne func(place int, r *rule.Rule) error) (skipped []rule.Skipped, err error) {
	skipped = append(skipped, set.Skipped...)
	var wrong rule.Errors
	for place, r := range set.Rules {
		err := compileOne(place, r)
		unsupported, isEQL := errors.AsType[cond.Errors](err)
		switch {
		case err == nil:
		case isEQL && unsupported.Unsupported():
			skipped = append(skipped, rule.Skipped{File: r.File, ID: r.ID, Name: r.Name,
				Kind: "expression", Reason: firstOf(unsupported)})
		default:
			wrong = append(wrong, r.Locate(err)...)
		}
	}
	if len(wrong) > 0 {
		return nil, withExit(exitUsage, fmt.Errorf("the rules cannot be run:\n%w", wrong))
	}
	return skipped, nil
}

// firstOf is the first reason, with the number of the others.
func firstOf(all cond.Errors) string {
	if more := len(all) - 1; more > 0 {
		return fmt.Sprintf("%s (and %d more)", all[0].Message, more)
	}
	return all[0].Message
}
