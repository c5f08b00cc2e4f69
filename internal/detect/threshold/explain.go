package threshold

import (
	"fmt"
	"strings"

	"github.com/prometheus/common/model"
)

// Explain says what an event is counted for, once the rule's query accepts it. ok is false where it
// does not count.
func (p *Plan) Explain(l Look) (text string, ok bool) {
	const shown = 5
	asked := fmt.Sprintf("%d such events within %s make a signal", p.Value, model.Duration(p.Span))
	for _, c := range p.Cardinality {
		asked += fmt.Sprintf(", with %d different values of %s", c.Value, c.Field)
	}
	switch {
	case l.tooMany:
		return fmt.Sprintf("it is not counted: its fields have more than %d combinations of values",
			mostKeys), false
	case len(l.keys) == 0:
		return "an event counts only where it has a value of each of " +
			strings.Join(p.Fields, ", ") + ", and this one has not", false
	case len(p.Fields) == 0:
		return "the rule counts all events that satisfy its query together: " + asked, true
	}
	var keys []string
	for _, key := range l.keys[:min(len(l.keys), shown)] {
		var pairs []string
		for i, value := range valuesOf(key) {
			pairs = append(pairs, fmt.Sprintf("%s %q", p.Fields[i], value))
		}
		keys = append(keys, strings.Join(pairs, " and "))
	}
	if more := len(l.keys) - shown; more > 0 {
		keys = append(keys, fmt.Sprintf("%d more", more))
	}
	return fmt.Sprintf("the rule counts events that satisfy its query, this one for %s: %s",
		strings.Join(keys, ", "), asked), true
}
