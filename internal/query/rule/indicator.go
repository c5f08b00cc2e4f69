package rule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"esrule/internal/elastic/indexpattern"
	"esrule/internal/query/kql"
)

// IndicatorQuery asks for the events that share values with indicators: a rule of type
// threat_match.
type IndicatorQuery struct {
	EventQuery
	// ThreatIndex holds the patterns of the indices of the indicators.
	ThreatIndex []string
	// Threat is which of their documents are indicators: a condition in KQL, and filters.
	Threat EventQuery
	// Mapping says which values are shared: all pairs of one of its groups, with one indicator.
	Mapping [][]Pair
	// IndicatorPath is where a document of ThreatIndex has its indicator.
	IndicatorPath string
}

// Pair is a field of an event and one of an indicator that are to have a value in common.
type Pair struct{ Field, Value string }

// defaultIndicatorPath is where Elastic's documents have their indicators.
const defaultIndicatorPath = "threat.indicator"

// indicatorKeys are the keys that only rules of type threat_match have.
func indicatorKeys() []key {
	keys := []key{
		{name: "threat_index", form: threatIndices, example: `["logs-ti_*"]`},
		{name: "threat_mapping", form: threatMapping,
			example: `[{entries = [{field = "source.ip", type = "mapping", ` +
				`value = "threat.indicator.ip"}]}]`},
		{name: "threat_query", form: text},
		{name: "threat_filters", form: tables("[[rule.threat_filters]]")},
		{name: "threat_indicator_path", form: textWhere(fieldName)},
		{name: "threat_language", form: oneOf(languages()...)},
		// how Kibana divides its searches
		{name: "concurrent_searches", use: inert}, {name: "items_per_search", use: inert},
	}
	for i := range keys {
		keys[i].kinds = []string{"threat_match"}
	}
	return keys
}

// threatIndices is a list of patterns of indices.
func threatIndices(t *table, key string) {
	texts(t, key)
	if t.list(key) != nil && isEmpty(t.list(key)) {
		t.fault(key, key+" is empty", "Write the patterns that hold indicators: "+
			t.doc.example(key, `["logs-ti_*"]`))
	}
	for i, element := range t.list(key) {
		pattern, ok := element.(string)
		if !ok {
			continue
		}
		if fault, advice := indexpattern.Fault(pattern); fault != "" {
			t.doc.report(t.element(key, i), fmt.Sprintf("index pattern %q %s", pattern, fault),
				advice)
		}
	}
	if given := t.texts(key); len(given) > 0 && len(indexpattern.Adding(given)) == 0 {
		t.fault(key, key+" only excludes", "Write the patterns that hold indicators: "+
			t.doc.example(key, `["logs-ti_*"]`))
	}
}

// threatMapping is a list of groups of pairs of fields.
func threatMapping(t *table, key string) {
	const header, inner = "[[rule.threat_mapping]]", "[[rule.threat_mapping.entries]]"
	before := len(t.doc.errs)
	tablesOf(header, keyOfEntries(inner))(t, key)
	if len(t.doc.errs) > before {
		return
	}
	if len(t.list(key)) == 0 {
		t.fault(key, key+" is empty", "Write which fields are compared "+t.doc.below(header)+".")
	}
	for i, group := range t.tables(key, t.doc.title(header)) {
		if len(group.list("entries")) == 0 {
			group.fault("entries", fmt.Sprintf("group %d of %s has no entries", i+1, key),
				"Write which fields are compared "+t.doc.below(inner)+".")
		}
	}
}

func keyOfEntries(header string) key {
	field := func(name, example string) key {
		return key{name: name, form: textWhere(fieldName), example: example}
	}
	return key{name: "entries", example: `[{field = "source.ip", type = "mapping", ` +
		`value = "threat.indicator.ip"}]`, form: tablesOf(header,
		field("field", `"source.ip"`), field("value", `"threat.indicator.ip"`),
		key{name: "type", form: oneOf("mapping"), example: `"mapping"`},
		key{name: "negate", form: flag})}
}

// indicator reads the body of a rule of type threat_match, of its query.
func (r *reader) indicator(query *EventQuery) Body {
	body := &IndicatorQuery{EventQuery: *query, ThreatIndex: r.rule.texts("threat_index"),
		IndicatorPath: defaultIndicatorPath}
	if path := r.rule.text("threat_indicator_path"); path != "" {
		body.IndicatorPath = path
	}
	if language := r.rule.text("threat_language"); language != "" && language != "kuery" {
		r.skip("threat_language "+language, "of threat queries only those in kuery are run")
		return body
	}
	for _, group := range r.rule.tables("threat_mapping", "") {
		var pairs []Pair
		for _, entry := range group.tables("entries", "") {
			if get[bool](entry, "negate") {
				r.skip("negated mapping", "threat_mapping has an entry that must not match "+
					"(negate), which is not supported")
			}
			pairs = append(pairs, Pair{entry.text("field"), entry.text("value")})
		}
		body.Mapping = append(body.Mapping, pairs)
	}
	before := r.queryAt // errors that are found later are about the rule's query
	defer func() { r.queryAt = before }()
	text := r.rule.text("threat_query")
	r.placeQuery(text, r.rule.place("threat_query").value)
	threat, err := kql.Parse(text)
	if err == nil {
		threat.Filters, body.Threat.Filters = r.filters("threat_filters")
		err = compiles(threat)
	}
	if r.refused(err) {
		return nil
	}
	body.Threat.Query = threat
	return body
}

// parts are those of a fingerprint.
func (q *IndicatorQuery) parts() []string {
	patterns := slices.Clone(q.ThreatIndex)
	slices.Sort(patterns)
	patterns = slices.Compact(patterns)
	parts := []string{"threat_match", q.Threat.fingerprint(), q.IndicatorPath,
		strconv.Itoa(len(patterns))}
	parts = append(parts, patterns...)
	for _, group := range q.Mapping {
		parts = append(parts, strconv.Itoa(len(group)))
		for _, pair := range group {
			parts = append(parts, pair.Field, pair.Value)
		}
	}
	return parts
}

// fingerprint is the condition with its filters.
func (q *EventQuery) fingerprint() string {
	text := strings.TrimSpace(strings.ReplaceAll(q.Text(), "\r\n", "\n"))
	if len(q.Filters) > 0 {
		text += "\x00" + string(q.Filters)
	}
	return text
}
