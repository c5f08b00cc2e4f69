package rule

import (
	"cmp"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// use is what becomes of a key of the [rule] table.
type use uint8

const (
	// The zero use: read into the Rule.
	_ use = iota
	// inert: known to the format, and nothing that is alerted depends on it.
	inert
	// acts: changes what happens with signals that are written, which is left to others.
	acts
	// refused: changes what the rule alerts on or how, and is not supported.
	refused
	// foreign: belongs to rules of other types.
	foreign
)

// key is one key of the [rule] table. Why says why it is refused, or which type of rule it belongs
// to.
type key struct {
	use use
	why string
}

// ruleKeys are the keys of Elastic's format, of files in elastic/detection-rules and of rules
// exported from Kibana alike.
var ruleKeys = map[string]key{
	"author": {}, "building_block_type": {}, "description": {}, "event_category_override": {},
	"false_positives": {}, "from": {}, "index": {}, "interval": {}, "language": {}, "license": {},
	"name": {}, "note": {}, "query": {}, "references": {}, "risk_score": {}, "rule_id": {},
	"setup":    {},
	"severity": {}, "tags": {}, "threat": {}, "tiebreaker_field": {}, "timestamp_override": {},
	"timestamp_override_fallback_disabled": {}, "type": {}, "version": {},

	"alias_purpose": {use: inert}, "alias_target_id": {use: inert},
	"bypass_bbr_timing": {use: inert},
	"created_at":        {use: inert}, "created_by": {use: inert},
	"execution_summary": {use: inert},
	"id":                {use: inert}, "immutable": {use: inert},
	"investigation_fields": {use: inert},
	"meta":                 {use: inert},
	"metadata":             {use: inert}, "outcome": {use: inert},
	"related_integrations": {use: inert},
	"required_fields":      {use: inert}, "revision": {use: inert}, "rule_source": {use: inert},
	"timeline_id": {use: inert}, "timeline_title": {use: inert}, "transform": {use: inert},
	"updated_at": {use: inert}, "updated_by": {use: inert},

	"actions": {use: acts}, "max_signals": {use: acts}, "namespace": {use: acts},
	"output_index":     {use: acts},
	"response_actions": {use: acts}, "throttle": {use: acts},

	"alert_suppression": {refused, "alert_suppression folds several events into one alert, and " +
		"esrule writes one signal for each event"},
	"data_view_id": {refused, "data_view_id names patterns that are kept in Kibana; write " +
		"them as index"},
	"enabled": {refused, "the file says enabled = false"},
	"exceptions_list": {refused, "exceptions_list names exceptions that are kept in Kibana; " +
		"without them the rule would alert on " +
		"what was excepted. Write them into the query as `and not (…)`"},
	"filters": {refused, "filters narrow the events in query DSL, which esrule does " +
		"not evaluate; write them into the query"},
	"risk_score_mapping": {refused, "risk_score_mapping takes the risk score from the event, " +
		"which is not supported"},
	"rule_name_override": {refused, "rule_name_override takes the rule's name from the event, " +
		"which is not supported"},
	"severity_mapping": {refused, "severity_mapping takes the severity from the event, which " +
		"is not supported"},
	"timestamp_field":     {refused, "timestamp_field is not @timestamp, which is not supported"},
	"to":                  {refused, "to is not now; every run looks up to the present"},
	"anomaly_threshold":   {foreign, "machine_learning"},
	"concurrent_searches": {foreign, "threat_match"}, "items_per_search": {foreign, "threat_match"},
	"history_window_start":    {foreign, "new_terms"},
	"machine_learning_job_id": {foreign, "machine_learning"},
	"new_terms":               {foreign, "new_terms"},
	"new_terms_fields":        {foreign, "new_terms"},
	"saved_id":                {foreign, "saved_query"},
	"threat_filters":          {foreign, "threat_match"},
	"threat_index":            {foreign, "threat_match"},
	"threat_indicator_path":   {foreign, "threat_match"},
	"threat_language":         {foreign, "threat_match"},
	"threat_mapping":          {foreign, "threat_match"},
	"threat_query":            {foreign, "threat_match"},
	"threshold":               {foreign, "threshold"},
}

// unset tells whether a refused key says what is so without it.
func unset(name string, value any) bool {
	switch value := value.(type) {
	case string:
		return value == "" || name == "to" && value == "now" || name == "timestamp_field" &&
			value == defaultTimestamp
	case bool:
		return name == "enabled" && value
	case map[string]any:
		return len(value) == 0
	case []any:
		// Elastic's engine leaves the list of Elastic Defend out: it acts in the endpoint, not in
		// rules.
		return !slices.ContainsFunc(value, func(entry any) bool {
			list, ok := entry.(map[string]any)
			return name != "exceptions_list" || !ok || list["list_id"] != "endpoint_list"
		})
	}
	return false
}

// nearest gives the known word that a misspelt one is most likely meant to be, empty where none is
// near.
func nearest(word string, known []string) string {
	known = slices.Sorted(slices.Values(known)) // a tie goes the same way each time
	distance := func(w string) int { return levenshtein.Distance(word, w, nil) }
	if len(known) == 0 || len(word) > 100 {
		return ""
	}
	longer := func(w string) bool { return len(word) >= 4 && strings.HasPrefix(w, word) }
	// "exceptions" is exceptions_list, far as that is
	if i := slices.IndexFunc(known, longer); i >= 0 {
		return known[i]
	}
	best := slices.MinFunc(known, func(a, b string) int {
		return cmp.Compare(distance(a), distance(b))
	})
	if distance(best) > max(1, len(word)/2) {
		return ""
	}
	return best
}
