package signal

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"esrule/internal/query/cond"
	"esrule/internal/query/rule"
)

// field is a flat key of a signal and its value: a Go value, or a node taken from the event. One
// without a key has a [block] of fields.
type field struct {
	key   string
	value any
}

const (
	originalEvent = "kibana.alert.original_event."
	uuidField     = "kibana.alert.uuid"
	ruleNameField = "kibana.alert.rule.name"
)

// fields are the fields of a signal that are not the event's, in the order in which they are
// written. They are those of Elastic's alerts, so that what was made for these works on signals,
// with the following differences:
//
//   - kibana.alert.rule.uuid is the rule id. Elastic's is a saved object's id; there is none here.
//   - kibana.alert.rule.parameters has the parameters that this program applies, under Elastic's
//     names.
//   - kibana.alert.esrule.* is added: the program's version, why a signal is reduced, and what the
//     event's time says below a millisecond.
//   - Left out, since there is nothing that they could tell: kibana.version, alert.url,
//     rule.revision, .enabled, .immutable, .created_*, .updated_*, .actions, .throttle,
//     .exceptions_list, .severity_mapping, .risk_score_mapping, .meta, .namespace, .timeline_*,
//     rule.max_signals (no cap). The mappings are among the parameters.
//   - A text that the rule does not have is left out, where Elastic writes an empty one.
//   - ancestors and depth are those of an event where a rule reads alerts of others: only a signal
//     of this program is an alert, and the kibana.* of every other event count for nothing.
func (s *Signal) fields(into []field, of *Reading, texts *Texts) ([]field, error) {
	if err := of.write(); err != nil {
		return nil, err
	}
	x := s.execution
	ofRule, err := texts.of(s.Match.Rule, x)
	if err != nil {
		return nil, err
	}
	rated, err := ofRule.under(s.Match.Rule, s.about.rating, s.buildingBlockType())
	if err != nil {
		return nil, err
	}
	at := texts.at(s.written)
	intended := at
	if !x.Intended.IsZero() {
		intended = iso(x.Intended)
	}
	fields := append(into, []field{
		{timestampField, at},
		{"", &ofRule.kind},
		{uuidField, string(s.ID)},
		{"kibana.alert.start", at},
		{"kibana.alert.last_detected", at},
		{"kibana.alert.intended_timestamp", intended},
	}...)
	if s.about.originalTime != "" {
		fields = append(fields, field{originalTimeField, s.about.originalTime})
	}
	fields = append(fields, []field{
		{"", &ofRule.status},
		{"kibana.alert.depth", s.about.depth},
		{"kibana.alert.ancestors", s.about.ancestors},
		{reasonField, of.reason + rated.reason},
		{"", &rated.rates},
	}...)
	fields = append(fields, s.about.group.fields()...)
	fields = append(fields, s.about.threshold.fields()...)
	if s.about.newTerms != nil {
		fields = append(fields, field{"kibana.alert.new_terms", s.about.newTerms})
	}
	return append(fields, []field{
		{"", &rated.names},
		{"", &ofRule.fields},
		{"kibana.alert.rule.execution.timestamp", at},
		{"", &ofRule.execution},
		{"", &of.originals},
		{finerTimeField, s.finerTime},
	}...), nil
}

type ancestor struct {
	ID    string `json:"id,omitempty"` // none where the event came from a file
	Type  string `json:"type"`
	Index string `json:"index,omitempty"`
	Depth int    `json:"depth"`
	Rule  string `json:"rule,omitempty"` // of an ancestor that is a signal
}

// ruleFields are about the rule. Category, rule_type_id, consumer and producer are the words by
// which Elastic's own views select alerts of a type of rules.
func ruleFields(r *rule.Rule) []field {
	const p = "kibana.alert.rule."
	category, typeID, kind := "Event Correlation Rule", "siem.eqlRule", "eql"
	switch r.Type {
	case "query":
		category, typeID, kind = "Custom Query Rule", "siem.queryRule", r.Type
	case "new_terms":
		category, typeID, kind = "New Terms Rule", "siem.newTermsRule", r.Type
	case "threat_match":
		category, typeID, kind = "Indicator Match Rule", "siem.indicatorRule", r.Type
	case "threshold":
		category, typeID, kind = "Threshold Rule", "siem.thresholdRule", r.Type
	}
	return []field{
		{p + "category", category},
		{p + "rule_type_id", typeID},
		{p + "type", kind},
		{p + "consumer", "siem"},
		{p + "producer", "siem"},
		{p + "version", r.Version},
		{p + "description", r.Description},
		{p + "author", list(r.Author)},
		{p + "license", r.License},
		{p + "tags", list(r.Tags)},
		{p + "interval", dateMath(r.Interval)},
		{p + "from", "now-" + dateMath(r.From)},
		{p + "to", "now"},
		{p + "rule_name_override", r.NameOverride},
		{p + "timestamp_override", r.TimestampOverride},
		{p + "indices", list(r.Index)},
		{p + "severity", r.Severity},
		{p + "risk_score", r.RiskScore},
		{p + "building_block_type", r.BuildingBlockType},
		{p + "references", list(r.References)},
		{p + "false_positives", list(r.FalsePositives)},
		{p + "note", r.Note},
		{p + "threat", threats(r.Threat)},
	}
}

// parameters are the rule as Elastic's rule API writes it.
func parameters(r *rule.Rule) map[string]any {
	p := map[string]any{
		"author":          list(r.Author),
		"description":     r.Description,
		"false_positives": list(r.FalsePositives),
		"from":            "now-" + dateMath(r.From),
		"index":           list(r.Index),
		"language":        r.Language,
		"query":           r.Body.Text(),
		"references":      list(r.References),
		"risk_score":      r.RiskScore,
		"rule_id":         string(r.ID),
		"severity":        r.Severity,
		"threat":          threats(r.Threat),
		"to":              "now",
		"type":            r.Type,
		"version":         r.Version,
	}
	texts := map[string]string{
		"building_block_type": r.BuildingBlockType,
		"license":             r.License,
		"note":                r.Note,
		"rule_name_override":  r.NameOverride,
		"setup":               r.Setup,
		"timestamp_override":  r.TimestampOverride,
	}
	switch body := r.Body.(type) {
	case *rule.SequenceQuery:
		texts["tiebreaker_field"] = body.TiebreakerField
	case *rule.ThresholdQuery:
		p["threshold"] = thresholdOf(body)
	case *rule.NewTermsQuery:
		p["new_terms_fields"] = list(body.Fields)
		texts["history_window_start"] = "now-" + dateMath(body.History)
	case *rule.IndicatorQuery:
		maps.Copy(p, threatParameters(body))
	}
	if body := r.Body.Event(); body != nil {
		texts["tiebreaker_field"] = body.TiebreakerField
		texts["timestamp_field"] = body.TimestampField
		if body.Filters != nil {
			p["filters"] = body.Filters
		}
		if field := body.Query.CategoryField; field != cond.DefaultCategoryField {
			texts["event_category_override"] = field
		}
	}
	for key, text := range texts {
		if text != "" {
			p[key] = text
		}
	}
	if r.SeverityMapping != nil {
		p["severity_mapping"] = r.SeverityMapping
	}
	if r.RiskScoreMapping != nil {
		p["risk_score_mapping"] = r.RiskScoreMapping
	}
	if r.TimestampOverrideFallbackDisabled {
		p["timestamp_override_fallback_disabled"] = true
	}
	return p
}

type threat struct {
	Framework string      `json:"framework"`
	Tactic    threatEntry `json:"tactic"`
	Technique []technique `json:"technique,omitempty"`
}

type technique struct {
	threatEntry
	Subtechnique []threatEntry `json:"subtechnique,omitempty"`
}

type threatEntry struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Reference string `json:"reference,omitempty"`
}

func threats(in []rule.Threat) []threat {
	out := make([]threat, len(in))
	for i, t := range in {
		out[i] = threat{Framework: t.Framework, Tactic: threatEntry(t.Tactic)}
		for _, q := range t.Technique {
			of := technique{threatEntry: threatEntry(q.ThreatEntry)}
			for _, s := range q.Subtechnique {
				of.Subtechnique = append(of.Subtechnique, threatEntry(s))
			}
			out[i].Technique = append(out[i].Technique, of)
		}
	}
	return out
}

// originalTime is the event's own time, in whatever form it was written; empty where it is none.
func originalTime(of *Event, event *node) string {
	if of.Time != nil {
		if of.Time.IsZero() {
			return ""
		}
		return storable(*of.Time)
	}
	var room [2]*node
	for _, n := range event.appendAt(room[:0], timestampField) {
		if at := storableText(n.text); at != "" {
			return at
		}
		for _, e := range n.elems {
			if at := storableText(e.text); at != "" {
				return at
			}
		}
	}
	return ""
}

// storableText writes the time that a text is; empty where it is none.
func storableText(text string) string {
	t, ok := instant(text)
	switch {
	case !ok:
		return ""
	case isISOMillis(text):
		return strings.Clone(text) // of an event that may be long
	}
	return storable(t)
}

// storable writes a time that Elasticsearch reads: of years of four digits only. Another is empty.
func storable(t time.Time) string {
	if t.Year() < 0 || t.Year() > 9999 {
		return ""
	}
	return iso(t)
}

// originalEventFields appends the event's event.* fields, kind among them, with flat keys. A value
// keeps its form; a field that is spelled in several ways (nested and dotted) becomes one array.
func (r *Reading) originalEventFields(into []field, event *node) []field {
	r.ofEvent.read(event, "event.", r.names.of)
	for _, m := range r.ofEvent.found {
		if m.key != originalEvent {
			into = append(into, field{m.key, m.value})
		}
	}
	return into
}

// originalNames remembers the keys that the fields below event have in a signal. The zero value
// remembers nothing.
type originalNames map[string]string

func (names *originalNames) of(path []byte) string {
	if known, ok := (*names)[string(path)]; ok {
		return known
	}
	const most = 1024
	name := originalEvent + string(path)
	if len(*names) < most {
		if *names == nil {
			*names = originalNames{}
		}
		(*names)[string(path)] = name
	}
	return name
}

// present leaves out the empty texts.
func present(fields []field) []field {
	kept := fields[:0]
	for _, f := range fields {
		if f.value != "" {
			kept = append(kept, f)
		}
	}
	return kept
}

// list is never nil, so that an empty list is written as [].
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// dateMath writes a length of time as Elasticsearch's date math does, in its largest whole unit.
func dateMath(d time.Duration) string {
	for _, unit := range []struct {
		length time.Duration
		letter string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}} {
		if d >= unit.length && d%unit.length == 0 {
			return fmt.Sprintf("%d%s", d/unit.length, unit.letter)
		}
	}
	return fmt.Sprintf("%ds", d/time.Second)
}
