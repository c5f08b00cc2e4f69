package rule

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ThresholdQuery asks for many events with the same values: a rule of type threshold. Among the
// events that the query accepts, those with the same values of Fields are counted together, over
// the rule's look-back.
type ThresholdQuery struct {
	EventQuery
	// Fields are those whose values an event is counted by; with none, all events are counted
	// together.
	Fields []string
	// Value is how many events there must be.
	Value int
	// Cardinality is how many different values of fields they must have.
	Cardinality []Cardinality
}

// Cardinality is how many different values of a field are asked for. Its JSON is as Elastic writes
// it.
type Cardinality struct {
	Field string `json:"field"`
	Value int    `json:"value"`
}

// mostThresholdFields is how many fields Kibana takes at most.
const mostThresholdFields = 5

// thresholdKey is the row of the key threshold.
func thresholdKey() key {
	const header = "[rule.threshold]"
	return key{name: "threshold", kinds: []string{"threshold"}, form: tableOf(header,
		key{name: "field", form: fieldOrFields},
		key{name: "value", form: count, example: "10"},
		key{name: "cardinality", form: tablesOf("[[rule.threshold.cardinality]]",
			key{name: "field", form: textWhere(fieldName), example: `"process.name"`},
			key{name: "value", form: count, example: "3"})})}
}

// fieldOrFields is the name of a field, or a list of at most five.
func fieldOrFields(t *table, key string) {
	if _, ok := t.values[key].(string); ok {
		textWhere(fieldName)(t, key)
		return
	}
	if _, ok := t.values[key].([]any); !ok {
		t.wrongType(key, "a text or a list of texts", t.doc.example(key, `["…"], in brackets`))
		return
	}
	texts(t, key)
	seen := map[string]bool{}
	for i, element := range t.list(key) {
		name, ok := element.(string)
		if !ok {
			continue
		}
		message, advice := fieldName(fmt.Sprintf("entry %d of %s", i+1, key), name)
		switch {
		case strings.TrimSpace(name) == "":
			message, advice = fmt.Sprintf("entry %d of %s is empty", i+1, key),
				"Write one field's path, or remove the entry."
		case message != "":
			advice = `Write one field's path, for example "host.id".`
		case seen[name]:
			message, advice = fmt.Sprintf("%s has %q twice", key, name), "Remove one of them."
		}
		if message != "" {
			t.doc.report(t.element(key, i), message, advice)
		}
		seen[name] = true
	}
	if n := len(t.list(key)); n > mostThresholdFields {
		t.fault(key, fmt.Sprintf("%s has %d fields", key, n),
			fmt.Sprintf("Write at most %d.", mostThresholdFields))
	}
}

// threshold reads the body of a rule of type threshold, of its query.
func (r *reader) threshold(query *EventQuery) Body {
	t := r.rule.table("threshold", "")
	if t == nil {
		if !r.rule.has("threshold") {
			r.report(r.places[r.rule.path].key, r.rule.name+" has no threshold",
				"Add threshold, with field and value, "+r.below("[rule.threshold]")+".")
		}
		return nil
	}
	body := &ThresholdQuery{EventQuery: *query, Fields: t.texts("field"), Value: t.count("value")}
	if one := t.text("field"); one != "" {
		body.Fields = []string{one}
	}
	for _, c := range t.tables("cardinality", "") {
		body.Cardinality = append(body.Cardinality, Cardinality{c.text("field"), c.count("value")})
	}
	return body
}

// parts are those of a fingerprint, with the time in which the events must be.
func (q *ThresholdQuery) parts(within time.Duration) []string {
	parts := []string{"threshold", within.String(), strconv.Itoa(q.Value),
		strconv.Itoa(len(q.Fields))}
	parts = append(parts, q.Fields...)
	for _, c := range q.Cardinality {
		parts = append(parts, c.Field, strconv.Itoa(c.Value))
	}
	return parts
}
