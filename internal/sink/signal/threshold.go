package signal

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"esrule/internal/query/rule"
)

// Threshold is a match of a rule of type threshold: so many events with the same values.
type Threshold struct {
	Rule *rule.Rule
	// Index are the patterns in which the events were found.
	Index []string
	// Values are those of the rule's fields, in the rule's order.
	Values []string
	// From and Last are the times of the first and the last of the events, to the millisecond.
	From, Last time.Time
	Count      int
	// Distinct is how many values they have of each field of the rule's cardinality.
	Distinct []int
	// Links are those of the events that are signals, in the index Signals.
	Links   []Link
	Signals string
}

const thresholdField = "kibana.alert.threshold_result"

// thresholdResult is what Elastic's alerts say of such a match.
type thresholdResult struct {
	Terms       []thresholdTerm    `json:"terms"`
	Cardinality []rule.Cardinality `json:"cardinality,omitempty"`
	Count       int                `json:"count"`
	From        string             `json:"from"`
}

type thresholdTerm struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

// NewThreshold makes the signal of events that reached a threshold, as Elastic's alerts have it: of
// the events it has the values that they were counted by, and nothing else. Its id is made of the
// rule, these values and the time of the first event, so that the same events that are found again
// have the same one. The same match and clock give the same bytes.
func NewThreshold(m Threshold, x Execution) (Signal, error) {
	q := m.Rule.Body.(*rule.ThresholdQuery)
	d := digest{}
	d.text("threshold")
	d.text(string(m.Rule.ID))
	event := &node{kind: object}
	result := thresholdResult{Terms: []thresholdTerm{}, Count: m.Count, From: iso(m.From)}
	for i, path := range q.Fields {
		d.values(path, values{m.Values[i]})
		event.members = append(event.members, member{path, &node{kind: text, text: m.Values[i]}})
		result.Terms = append(result.Terms, thresholdTerm{path, m.Values[i]})
	}
	d.text(strconv.FormatInt(m.From.UnixMilli(), 10))
	for i, c := range q.Cardinality {
		result.Cardinality = append(result.Cardinality,
			rule.Cardinality{Field: c.Field, Value: m.Distinct[i]})
	}
	texts := x.Texts
	x.Texts = nil // see [Reading]
	s := Signal{ID: d.id(), Match: Match{Rule: m.Rule}, execution: x, written: x.now(),
		// of a rule over alerts, see [Reading]; the values are in the result
		common: event.without("kibana").without("signal")}
	s.widerID = s.ID
	s.about = about{originalTime: storable(m.Last),
		rating: ratingOf(m.Rule).override(m.Rule, event), threshold: &result}
	s.about.ancestors, s.about.depth = m.ancestors(s.ID)
	r, err := s.read()
	if err != nil {
		return Signal{}, err
	}
	return s, s.finish(r, texts)
}

// ancestors are those of its signal, and the depth of that. Of the signals among the events they
// say of which rules they are; the last stands for all events.
func (m *Threshold) ancestors(id ID) (all []ancestor, depth int) {
	for _, l := range m.Links {
		depth = max(depth, l.Depth)
		all = append(all, ancestor{Type: signalType, Index: m.Signals, Depth: l.Depth,
			Rule: string(l.Rule)})
	}
	return append(all, ancestor{ID: string(id), Type: eventType,
		Index: strings.Join(m.Index, ",")}), depth + 1
}

// thresholdOf is the threshold of a rule as Elastic's rule API writes it.
func thresholdOf(q *rule.ThresholdQuery) map[string]any {
	cardinality := q.Cardinality
	if cardinality == nil {
		cardinality = []rule.Cardinality{}
	}
	return map[string]any{"field": list(q.Fields), "value": q.Value, "cardinality": cardinality}
}

// fields are those of a threshold's signal; none for another.
func (t *thresholdResult) fields() []field {
	if t == nil {
		return nil
	}
	return []field{{thresholdField, t}}
}

// FoundThreshold is what a signal says of the match that it was made of.
type FoundThreshold struct {
	ID     ID
	Rule   rule.ID
	Values []string // of the fields of the match's rule
	From   time.Time
}

// ReadThreshold reads the document of a signal that [NewThreshold] made of a rule with the fields;
// ok is false for another document.
func ReadThreshold(document []byte, fieldsOf func(rule.ID) []string) (f FoundThreshold, ok bool) {
	var d struct {
		ID     ID               `json:"kibana.alert.uuid"`
		Rule   rule.ID          `json:"kibana.alert.rule.uuid"`
		Result *thresholdResult `json:"kibana.alert.threshold_result"`
	}
	if json.Unmarshal(document, &d) != nil || d.Result == nil {
		return f, false
	}
	from, ok := instant(d.Result.From)
	if !ok {
		return f, false
	}
	var paths []string
	f = FoundThreshold{ID: d.ID, Rule: d.Rule, From: from}
	for _, t := range d.Result.Terms {
		paths = append(paths, t.Field)
		f.Values = append(f.Values, t.Value)
	}
	return f, slices.Equal(paths, fieldsOf(d.Rule))
}
