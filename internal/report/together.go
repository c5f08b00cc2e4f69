package report

import (
	"fmt"
	"slices"
	"strings"
)

// together says what a signal is beside one event that matches a rule: a part of a sequence or the
// whole of one, a burst of events, values that are new, made of other signals. It is empty where
// there is nothing more to say.
func (d document) together() string {
	var said []string
	if group := d.text("kibana.alert.group.id"); group != "" {
		part := "The whole of sequence"
		var index int
		if d.into("kibana.alert.group.index", &index) {
			part = fmt.Sprintf("Event %d of sequence", index+1)
		}
		said = append(said, fmt.Sprintf("%s %.12s.", part, group))
	}
	var values []string
	if d.into("kibana.alert.new_terms", &values) {
		var asked struct {
			Fields []string `json:"new_terms_fields"`
		}
		d.into("kibana.alert.rule.parameters", &asked)
		said = append(said, fmt.Sprintf("New for %s: %s.", strings.Join(asked.Fields, ", "),
			strings.Join(values, ", ")))
	}
	var burst struct {
		Terms       []struct{ Field, Value string }
		Cardinality []struct {
			Field string
			Value int
		}
		Count int
		From  string
	}
	if d.into("kibana.alert.threshold_result", &burst) {
		text := fmt.Sprintf("%d events from %s on", burst.Count, burst.From)
		for _, t := range burst.Terms {
			text += fmt.Sprintf(", %s %s", t.Field, t.Value)
		}
		for _, c := range burst.Cardinality {
			text += fmt.Sprintf(", %d values of %s", c.Value, c.Field)
		}
		said = append(said, text+".")
	}
	if chain := d.chain(); len(chain) > 0 {
		said = append(said, fmt.Sprintf("Made of signals of the rules %s.",
			strings.Join(chain, ", ")))
	}
	return strings.Join(said, " ")
}

// chain lists the other rules of whose signals the signal was made, the first of all first.
func (d document) chain() (rules []string) {
	for _, a := range d.ancestors() {
		if a.Type == "signal" && a.Rule != string(d.ruleID()) && !slices.Contains(rules, a.Rule) {
			rules = append(rules, a.Rule)
		}
	}
	return rules
}
