package signal

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"esrule/internal/query/rule"
)

// rating is what a signal says of its event in its rule's place: the rule's own, or what the event
// says where the rule takes it from there.
type rating struct {
	name      string
	severity  string
	riskScore float64
}

func ratingOf(r *rule.Rule) rating { return rating{r.Name, r.Severity, r.RiskScore} }

// override takes from the event what the rule takes from there, as Elastic's alerts do; but a field
// is found in every spelling of its path, where theirs find none in arrays of objects.
func (r rating) override(by *rule.Rule, event *node) rating {
	if by.NameOverride != "" {
		if found := event.at(by.NameOverride); len(found) == 1 && found[0].kind == text &&
			strings.TrimSpace(found[0].text) != "" {
			r.name = found[0].text
		}
	}
	rank := -1 // the highest severity wins
	for _, m := range by.SeverityMapping {
		if at := slices.Index(rule.Severities(), m.Severity); at > rank && equalsOne(m, event) {
			rank, r.severity = at, m.Severity
		}
	}
	if len(by.RiskScoreMapping) > 0 { // the first alone counts
		highest := -1.0
		for _, value := range valuesAt(event, by.RiskScoreMapping[0].Field) {
			if score, ok := decimal(value); ok && score >= 0 && score <= 100 {
				highest = max(highest, score)
			}
		}
		if highest >= 0 {
			r.riskScore = highest
		}
	}
	return r
}

// equalsOne reports whether a value of the event is the one of the mapping. event.severity is a
// number, anything else a text.
func equalsOne(m rule.SeverityMapping, event *node) bool {
	return slices.ContainsFunc(valuesAt(event, m.Field), func(value *node) bool {
		whole, isWhole := wholeNumber(value)
		if m.Field == "event.severity" {
			want, ok := decimal(&node{kind: text, text: m.Value})
			return ok && isWhole && float64(whole) == math.Floor(want)
		}
		if isWhole {
			return strconv.FormatInt(whole, 10) == m.Value
		}
		return value.kind == text && value.text == m.Value
	})
}

func valuesAt(event *node, path string) (values []*node) {
	for _, n := range event.at(path) {
		values = append(values, n.scalars()...)
	}
	return values
}

// wholeNumber returns a number that is whole and exact in JavaScript.
func wholeNumber(n *node) (int64, bool) {
	const largest = 1<<53 - 1
	f, ok := decimal(n)
	if n.kind != number || !ok || f != math.Trunc(f) || math.Abs(f) > largest {
		return 0, false
	}
	return int64(f), true
}

// decimal returns a number, or a text that is one in decimal digits.
func decimal(n *node) (float64, bool) {
	digits := strings.TrimSpace(n.text)
	if n.kind != number && n.kind != text || strings.Trim(digits, "+-.0123456789eE") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(digits, 64)
	return f, err == nil
}
