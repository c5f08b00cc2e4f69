package rule

import (
	"fmt"
	"time"
)

// NewTermsQuery asks for events with values that no event had before: a rule of type new_terms.
type NewTermsQuery struct {
	EventQuery
	// Fields are those whose values together must be new, in the rule's order: one or more.
	Fields []string
	// History is how far before an event its values are looked for (history_window_start =
	// "now-7d" is 7 days). It is longer than what a run looks back.
	History time.Duration
}

// mostTermFields is how many fields Kibana takes.
const mostTermFields = 3

// newTermsKeys are those of rules of type new_terms: in one table, as in Elastic's files, or each
// by itself, as in Kibana's.
func newTermsKeys() []key {
	kinds := []string{"new_terms"}
	start := textWhere(lengthOf(lookback, "is not a time before now",
		`Write where the history begins, for example history_window_start = "now-7d"`))
	return []key{
		{name: "history_window_start", form: start, kinds: kinds},
		{name: "new_terms_fields", form: termFields, kinds: kinds},
		{name: "new_terms", kinds: kinds, form: tableOf("[rule.new_terms]",
			key{name: "field", form: oneOf("new_terms_fields"), example: `"new_terms_fields"`},
			key{name: "value", form: termFields, example: `["host.id"]`},
			key{name: "history_window_start",
				form: tablesOf("[[rule.new_terms.history_window_start]]",
					key{name: "field", form: oneOf("history_window_start"),
						example: `"history_window_start"`},
					key{name: "value", form: start, example: `"now-7d"`}),
				example: `[{ field = "history_window_start", value = "now-7d" }]`})},
	}
}

// termFields is a list of the fields whose values must be new.
func termFields(t *table, key string) {
	texts(t, key)
	fields := t.texts(key)
	if n := len(t.list(key)); n == 0 || n > mostTermFields {
		t.fault(key, fmt.Sprintf("%s has %d fields", key, n),
			fmt.Sprintf("Write 1 to %d.", mostTermFields))
	}
	for i, field := range fields {
		if message, advice := fieldName(key, field); message != "" || field == "" {
			t.doc.report(t.element(key, i), fmt.Sprintf("entry %d of %s is not the name of a field",
				i+1, key), advice)
		}
	}
}

// newTerms reads the body of a rule of type new_terms, of which the query was read.
func (r *reader) newTerms(query EventQuery) Body {
	q := &NewTermsQuery{EventQuery: query, Fields: r.rule.texts("new_terms_fields")}
	start := r.rule.text("history_window_start")
	if t := r.rule.table("new_terms", "[rule.new_terms]"); t != nil {
		q.Fields = t.texts("value")
		for _, entry := range t.tables("history_window_start", "") {
			start = entry.text("value")
		}
	}
	q.History, _ = lookback(start)
	switch looksBack, _ := lookback(r.rule.text("from")); {
	case len(r.errs) > 0:
	case len(q.Fields) == 0:
		r.rule.missing("new_terms_fields", `["host.id"]`)
	case start == "":
		r.rule.missing("history_window_start", `"now-7d"`)
	case q.History <= looksBack:
		r.report(r.places[r.rule.path].key, fmt.Sprintf("the history of %s begins with %q, and a "+
			"run looks back as far", r.rule.name, start),
			"Begin it earlier than from, for example at now-7d.")
	}
	return q
}
