package schedule

import (
	"context"
	"fmt"
	"log/slog"
)

// notes are what is to be said of rules, one line for all of which the same is said.
type notes []*note

type note struct {
	text       string // of the message and the attributes
	level      slog.Level
	message    string
	attributes []any
	rules      []RuleName
}

// add notes something of a rule.
func (n *notes) add(name RuleName, level slog.Level, message string, attributes ...any) {
	text := fmt.Sprint(message, attributes)
	for _, one := range *n {
		if one.text == text {
			one.rules = append(one.rules, name)
			return
		}
	}
	*n = append(*n, &note{text, level, message, attributes, []RuleName{name}})
}

// tell logs what was noted, once.
func (n *notes) tell(log *slog.Logger) {
	for _, one := range *n {
		log.Log(context.Background(), one.level, one.message,
			append(ruleAttributes(one.rules), one.attributes...)...)
	}
	*n = nil
}

// ruleAttributes name rules in a line of the log.
func ruleAttributes(rules []RuleName) []any {
	if len(rules) == 1 {
		return []any{"rule", rules[0].ID, "name", rules[0].Name}
	}
	return countedRules(rules)
}

// say notes something of the rule, which is logged once its run has begun.
func (s *ruleRun) say(level slog.Level, message string, attributes ...any) {
	s.findings.notes.add(RuleName{s.detection.Rule.ID, s.detection.Rule.Name}, level, message,
		attributes...)
}

func (s *ruleRun) warn(message string, attributes ...any) {
	s.say(slog.LevelWarn, message, attributes...)
}
