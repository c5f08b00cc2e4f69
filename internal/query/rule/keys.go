package rule

import (
	"reflect"
	"slices"
	"strings"
)

// key is one row of the table of keys: a key of a rule's table in a file.
type key struct {
	name string
	// form reports what is wrong with the key's value; nil where any value is good.
	form form
	// example is what the key could be, in TOML, where it is missing. A key without one may be
	// missing.
	example string
	// kinds are the types of rules that have the key; nil stands for all of them.
	kinds []string
	use   use
	why   string           // why a refused key is refused
	unset func(value) bool // whether a refused key says what is so without it
}

// use is what becomes of a key.
type use uint8

const (
	// applied: read into the Rule.
	applied use = iota
	// inert: known to the format, and nothing that is alerted depends on it.
	inert
	// acts: changes what happens with signals that are written, which is left to others.
	acts
	// refused: changes what the rule alerts on or how, and is not supported.
	refused
)

// The types of rules, as files name them.
func types() []string {
	return []string{"eql", "esql", "machine_learning", "new_terms", "query", "saved_query",
		"threat_match", "threshold"}
}

// queried are the types of rules that have a query.
func queried() []string {
	return slices.DeleteFunc(types(), func(t string) bool { return t == "machine_learning" })
}

// The languages of queries, as files name them.
func languages() []string { return []string{"eql", "esql", "kuery", "lucene"} }

// languageOf returns the language of the queries of a type of rules that is run, empty for a type
// that is not.
func languageOf(kind string) string {
	switch kind {
	case "eql":
		return "eql"
	case "query", "new_terms", "threshold", "threat_match":
		return "kuery"
	}
	return ""
}

// runTypes are the types of rules that are run.
func runTypes() []string {
	return slices.DeleteFunc(types(), func(t string) bool { return languageOf(t) == "" })
}

// suppression folds the alerts of several events into one.
const suppression = "alert_suppression"

// ruleKeys are the keys of a rule: of files in elastic/detection-rules and of rules
// exported from Kibana alike. Missing keys are reported in this order.
func ruleKeys() []key {
	return slices.Concat(headKeys(), bodyKeys(), refusedKeys(),
		named(acts, "actions", suppression, "namespace", "output_index", "response_actions", "throttle"),
		named(inert, "alias_purpose", "alias_target_id", "bypass_bbr_timing", "created_at",
			"created_by", "execution_summary", "id", "immutable", "investigation_fields", "meta",
			"metadata", "outcome", "related_integrations", "required_fields", "revision",
			"rule_source", "timeline_id", "timeline_title", "transform", "updated_at",
			"updated_by"))
}

// headKeys are the keys that all kinds of rules share.
func headKeys() []key {
	return []key{
		{name: "type", form: oneOf(types()...), example: `"eql"`},
		{name: "language", form: oneOf(languages()...), example: `"eql"`,
			kinds: queried()},
		{name: "rule_id", form: textWhere(identifier),
			example: `"…", a text of its own for each rule, such as a UUID.`},
		{name: "name", form: textWhere(oneLine), example: `"…"`},
		{name: "severity", form: oneOf("low", "medium", "high", "critical"),
			example: `"low"`},
		{name: "risk_score", form: score, example: `47`},

		{name: "author", form: texts},
		{name: "building_block_type", form: text},
		{name: "exceptions_list", form: exceptionsForm()},
		{name: "description", form: text},
		{name: "false_positives", form: texts},
		{name: "from", form: textWhere(lengthOf(lookback, "is not a time before now",
			`Write how far back a run looks, for example from = "now-9m"`))},
		{name: "index"}, // see patterns: a fault in it refuses the patterns, and not the rule
		{name: "interval", form: textWhere(lengthOf(duration, "is not a length of time",
			`Write how often the rule is due, for example interval = "5m"`))},
		{name: "license", form: text},
		{name: "note", form: text},
		{name: "references", form: texts},
		{name: "setup", form: text},
		{name: "tags", form: texts},
		{name: "threat", form: threatForm()},
		{name: "filters", form: tables("[[rule.filters]]")},
		{name: "timestamp_override", form: textWhere(fieldName)},
		{name: "timestamp_override_fallback_disabled", form: flag},
		{name: "version", form: count},
		{name: "max_signals", form: count, use: acts},
		{name: "risk_score_mapping", form: riskScoreMappingForm()},
		{name: "rule_name_override", form: textWhere(fieldName)},
		{name: "severity_mapping", form: severityMappingForm()},
	}
}

// exceptionsForm is a list of the lists of exceptions that a rule has.
func exceptionsForm() form {
	return tablesOf("[[rule.exceptions_list]]", key{name: "list_id", form: text, example: `"…"`},
		key{name: "id", form: text}, key{name: "namespace_type", form: text},
		key{name: "type", form: text})
}

// bodyKeys are the keys that only some kinds of rules have. Those of kinds that are not run have no
// form yet: nothing is read of such a rule.
func bodyKeys() []key {
	only := func(kind string, names ...string) []key {
		keys := named(applied, names...)
		for i := range keys {
			keys[i].kinds = []string{kind}
		}
		return keys
	}
	return slices.Concat(
		[]key{
			{name: "query", form: text, example: `'''process where process.name : "…"'''`,
				kinds: queried()},
			{name: "event_category_override", form: textWhere(fieldName), kinds: []string{"eql"}},
			{name: "tiebreaker_field", form: textWhere(fieldName), kinds: []string{"eql"}},
			{name: "timestamp_field", form: textWhere(fieldName), kinds: []string{"eql"},
				use:   refused,
				unset: says("", defaultTimestamp),
				why:   "timestamp_field is not @timestamp, which is not supported"},
		},
		only("machine_learning", "anomaly_threshold", "machine_learning_job_id"),
		newTermsKeys(),
		only("saved_query", "saved_id"),
		indicatorKeys(),
		[]key{thresholdKey()},
	)
}

// refusedKeys are the keys of all kinds that change what a rule alerts on and are not supported.
func refusedKeys() []key {
	refuse := func(name, why string) key {
		return key{name: name, use: refused, why: name + " " + why, unset: isEmpty}
	}
	return []key{
		refuse("data_view_id", "names patterns that are kept in Kibana; write them as index"),
		{name: "enabled", form: flag, use: refused, why: "the file says enabled = false",
			unset: says(true)},
		{name: "to", form: text, use: refused, unset: says("", "now"),
			why: "to is not now; every run looks up to the present"},
	}
}

func named(use use, names ...string) []key {
	keys := make([]key, len(names))
	for i, name := range names {
		keys[i] = key{name: name, use: use}
	}
	return keys
}

// says returns a test for the values given.
func says(same ...value) func(value) bool {
	return func(v value) bool {
		switch v.(type) {
		case string, bool:
			return slices.Contains(same, v)
		}
		return isEmpty(v)
	}
}

// isEmpty reports whether a value is an empty text, list or table.
func isEmpty(v value) bool {
	kind := reflect.ValueOf(v)
	switch kind.Kind() {
	case reflect.String, reflect.Slice, reflect.Map:
		return kind.Len() == 0
	}
	return false
}

// names are the names of keys.
func names(keys []key) []string {
	list := make([]string, len(keys))
	for i, k := range keys {
		list[i] = k.name
	}
	return list
}

// find returns the row of a key, nil where there is none.
func find(keys []key, name string) *key {
	i := slices.IndexFunc(keys, func(k key) bool { return k.name == name })
	if i < 0 {
		return nil
	}
	return &keys[i]
}

// has reports whether rules of a type have the key.
func (k *key) has(kind string) bool { return k.kinds == nil || slices.Contains(k.kinds, kind) }

// check reports what is wrong with the key in a table: that it is missing, or its value.
func (k *key) check(t *table) {
	if !t.has(k.name) {
		if k.example != "" {
			t.missing(k.name, k.example)
		}
		return
	}
	before := len(t.doc.errs)
	if k.form != nil {
		k.form(t, k.name)
	}
	given, isText := t.values[k.name].(string)
	if isText && k.example != "" && strings.TrimSpace(given) == "" && len(t.doc.errs) == before {
		t.fault(k.name, k.name+" is empty", "Write "+t.doc.example(k.name, k.example))
	}
}
