package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"esrule/internal/config"
	"esrule/internal/query/rule"
	"esrule/internal/schedule/backfill"
	"esrule/rules"
)

// loadRules reads the rules that the user named: by --rules, else by ESRULE_RULES, else the
// built-in one. A malformed file ends the command, since a rule that is left out would alert on
// nothing and say nothing; the error tells of all files.
func (a *app) loadRules(cfg config.Config) (*rule.Set, error) {
	paths := a.rulePaths
	if len(paths) == 0 {
		paths = cfg.Rules
	}
	exceptions := a.exceptionPaths
	if len(exceptions) == 0 {
		exceptions = cfg.Exceptions
	}
	set, err := readRules(paths, exceptions)
	if err != nil {
		return nil, withExit(exitUsage, fmt.Errorf("the rules cannot be read:\n%w", err))
	}
	set, err = set.Choose(a.chosen(cfg))
	if err != nil {
		return nil, withExit(exitUsage, fmt.Errorf("choose rules: %w", err))
	}
	return set, nil
}

// registerChoice adds the flags that choose rules.
func registerChoice(root *cobra.Command, c *rule.Choice) {
	flags := root.PersistentFlags()
	flags.StringArrayVar(&c.Tags, "tag", nil,
		"only rules with this `TAG`; repeatable: any of them (default: ESRULE_TAG, then all)")
	flags.StringArrayVar(&c.Severities, "severity", nil,
		"only rules of this severity; repeatable (default: ESRULE_SEVERITY, then all)")
	flags.StringArrayVar(&c.IDs, "rule-id", nil,
		"only the rule with this `ID`; repeatable (default: ESRULE_RULE_ID, then all)")
	flags.StringArrayVar(&c.Excluded, "exclude-rule", nil,
		"not the rule with this `ID` or name; repeatable (default: ESRULE_EXCLUDE_RULE)")
}

// chosen is the choice of the flags, each in place of its variable.
func (a *app) chosen(cfg config.Config) rule.Choice {
	or := func(flag, variable []string) []string {
		if len(flag) > 0 {
			return flag
		}
		return variable
	}
	return rule.Choice{Tags: or(a.choice.Tags, cfg.Tags),
		Severities: or(a.choice.Severities, cfg.Severities),
		IDs:        or(a.choice.IDs, cfg.RuleIDs),
		Excluded:   or(a.choice.Excluded, cfg.ExcludeRules)}
}

// choiceFlags are the flags that choose the same rules again, quoted for a shell.
func (a *app) choiceFlags() (words string) {
	add := func(flag string, values []string) {
		for _, v := range values {
			words += " --" + flag + " " + backfill.Quote(v)
		}
	}
	add("tag", a.choice.Tags)
	add("severity", a.choice.Severities)
	add("rule-id", a.choice.IDs)
	add("exclude-rule", a.choice.Excluded)
	add("alerts-index", a.alertsIndex)
	return words
}

func readRules(paths, exceptions []string) (*rule.Set, error) {
	if len(paths) == 0 {
		return rule.LoadFS(rules.FS(), "built-in", exceptions...)
	}
	return rule.Load(slices.Concat(paths, exceptions)...)
}
