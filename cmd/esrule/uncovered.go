package main

import (
	"errors"
	"fmt"
	"strings"

	"esrule/internal/schedule"
)

// shownNames is how many rules or indices a line of the summary lists.
const shownNames = 5

// notCovered is the summary of what a run left uncovered, each cause once; nil where it covered
// everything.
func notCovered(report schedule.Report) error {
	if report.Covered() {
		return nil
	}
	lines := []string{"not everything was covered:"}
	troubles := report.Troubles()
	for _, t := range troubles {
		lines = append(lines, describeTrouble(t))
	}
	if len(troubles) > 0 {
		lines = append(lines, "The next run searches again what is open; `esrule status` shows it.")
	}
	lines = append(lines, refusedRules(report.Refused)...)
	lines = append(lines, deadLetters(report)...)
	return withExit(exitNotCovered, errors.New(strings.Join(lines, "\n  ")))
}

// refusedRules names the rules that do not run, each with its reason; of many, the first.
func refusedRules(all []schedule.Refused) []string {
	var lines []string
	for _, one := range all[:min(len(all), fewRules)] {
		lines = append(lines, refusedRule(one))
	}
	if more := len(all) - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("%d more rules do not run: esrule check names each", more))
	}
	return lines
}

func refusedRule(r schedule.Refused) string {
	return fmt.Sprintf("rule %s does not run: %s", r.RuleName,
		strings.ReplaceAll(r.Reason, "\n", "\n    "))
}

func describeTrouble(t schedule.Trouble) string {
	rules := make([]string, len(t.Rules))
	for i, r := range t.Rules {
		rules[i] = r.String()
	}
	concerned := "rule " + namesOf(rules)
	if len(rules) > 1 {
		concerned = fmt.Sprintf("%d rules: %s", len(rules), namesOf(rules))
	}
	if len(t.Indices) == 0 && t.Open.What() != "" {
		return fmt.Sprintf("%s could not be searched: %s\n    for %s", t.Open.What(), t.Reason,
			concerned)
	}
	if len(t.Indices) == 0 {
		return fmt.Sprintf("%s\n    the run ended early for %s", t.Reason, concerned)
	}
	indices := make([]string, len(t.Indices))
	for i, index := range t.Indices {
		indices[i] = nameOf(index)
	}
	are := "is"
	if len(indices) > 1 {
		are = fmt.Sprintf("(%d indices) are", len(indices))
	}
	return fmt.Sprintf("%s %s open for %s: %s\n    for %s", namesOf(indices), are, t.Open.What(),
		t.Reason, concerned)
}

// namesOf lists names, and how many more there are.
func namesOf(names []string) string {
	if more := len(names) - shownNames; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:shownNames], ", "), more)
	}
	return strings.Join(names, ", ")
}

// deadLetters says what became of the signals that could not be written, which no run tries again.
func deadLetters(report schedule.Report) []string {
	total := 0
	var rules []string
	for _, r := range report.Rules {
		if n := r.Run.DeadLettered; n > 0 {
			total += n
			rules = append(rules, fmt.Sprintf("%s (%s): %d", r.Name, r.RuleID, n))
		}
	}
	if total == 0 {
		return nil
	}
	return []string{
		fmt.Sprintf("%d signals were refused by the signals index and lie in the dead-letter "+
			"index\n    for rule %s", total, namesOf(rules)),
		"No run writes dead letters again. Each holds its reason (ESRULE_DEAD_LETTER_INDEX): " +
			"remove it, then `esrule backfill` over their time.",
	}
}
