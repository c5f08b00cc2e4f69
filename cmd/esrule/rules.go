package main

import (
	"fmt"

	"esrule/internal/config"
	"esrule/internal/query/rule"
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
	set, err := readRules(paths)
	if err != nil {
		return nil, withExit(exitUsage, fmt.Errorf("the rules cannot be read:\n%w", err))
	}
	return set, nil
}

func readRules(paths []string) (*rule.Set, error) {
	if len(paths) == 0 {
		return rule.LoadFS(rules.FS(), "built-in")
	}
	return rule.Load(paths...)
}
