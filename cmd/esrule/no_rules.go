package main

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"esrule/internal/query/rule"
)

// readFormat says what a rule file is.
const readFormat = "Rule files are *.toml (Elastic's detection-rules), *.ndjson (an export of " +
	"Kibana, or Sigma's siem_rule_ndjson) and *.json (Elastic's rule package); see docs/rules.md."

// noRules says why nothing is left to run: what was found in its place, and what is read.
func noRules(set *rule.Set, skipped []rule.Skipped) error {
	if len(skipped) > 0 {
		counts := map[string]int{}
		for _, s := range skipped {
			counts[s.Kind]++
		}
		every := "every rule is of a kind"
		if counts["disabled"] > 0 {
			every = "every rule is disabled, or of a kind"
		}
		return withExit(exitUsage, fmt.Errorf("no rule is left to run: %s "+
			"that this version does not support%s", every, kinds(counts)))
	}
	lines := []string{"no rule is left to run: no rule file was found"}
	if n := len(set.Unread); n > 0 {
		files := "files"
		if n == 1 {
			files = "file"
		}
		lines[0] += fmt.Sprintf(", but %d other %s: %s", n, files, namesOf(set.Unread))
	}
	lines = append(lines, readFormat)
	lines = append(lines, formatAdvice(set.Unread)...)
	return withExit(exitUsage, errors.New(strings.Join(lines, "\n  ")))
}

// formatAdvice is what makes rules of files in other formats, each advice once.
func formatAdvice(files []string) []string {
	var advice []string
	for _, file := range files {
		if one := rule.FormatAdvice(file); one != "" && !slices.Contains(advice, one) {
			advice = append(advice, one)
		}
	}
	return advice
}

// ruleLike are the files beside the rules that probably hold rules too.
func ruleLike(files []string) []string {
	return slices.DeleteFunc(slices.Clone(files),
		func(file string) bool { return rule.FormatAdvice(file) == "" })
}

// warnUnread names the files of the rules' folders that look like rules and are not read.
func warnUnread(set *rule.Set, log *slog.Logger) {
	if files := ruleLike(set.Unread); len(files) > 0 {
		log.Warn("files in the rules' folders are not read: they have no name of a rule file",
			"count", len(files),
			"files", files[:min(len(files), shownNames)], "advice", formatAdvice(files))
	}
}
