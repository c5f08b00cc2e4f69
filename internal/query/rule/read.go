package rule

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"esrule/internal/elastic/indexpattern"
	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
)

const (
	defaultLookback = 6 * time.Minute
	defaultInterval = 5 * time.Minute
	// The two fields that Elasticsearch's EQL reads an event's time and category from.
	defaultTimestamp = "@timestamp"
	defaultCategory  = "event.category"

	// maxID keeps a rule's ledger, whose document id holds the rule's, below Elasticsearch's 512
	// bytes.
	maxID = 256
)

// reader makes a rule of one document.
type reader struct {
	*document
	meta  *table
	table *table
	rule  *Rule
	// unsupported gathers why the rule is to be skipped.
	unsupported []reason
}

type reason struct{ kind, text string }

// readRule gives the document's rule, or says why it is skipped; both are nil where the document
// has errors.
func readRule(d *document) (*Rule, *Skipped) {
	r := &reader{document: d, rule: &Rule{File: d.file}}
	if r.tables(); r.table == nil {
		return nil, nil
	}
	r.kind()
	if len(r.unsupported) == 0 {
		r.keys()
		r.identity()
		r.prose()
		r.severity()
		r.threats()
		r.patterns()
		r.time()
		r.query()
	}
	switch {
	case len(d.errs) > 0:
		d.errs = append(d.errs, r.rule.PatternFaults...)
		return nil, nil
	case len(r.unsupported) > 0:
		return nil, r.skipped()
	}
	r.rule.text = d.source
	return r.rule, nil
}

// tables finds the file's tables. What else a file may hold (transform) is for Kibana's pages.
func (r *reader) tables() {
	top := &table{doc: r.document, values: r.values}
	known := []string{"rule", "metadata", "transform"}
	for _, name := range top.keys() {
		_, inside := ruleKeys[name]
		switch {
		case slices.Contains(known, name):
		case inside:
			r.report(top.place(name).key, fmt.Sprintf("%q stands outside the [rule] table", name),
				"Move it below the line [rule].")
		default:
			r.unknown(top, name, known)
		}
	}
	r.meta = top.table("metadata", "[metadata]")
	r.table = top.table("rule", "[rule]")
	if !top.has("rule") && len(r.errs) == 0 {
		r.report(span{}, "there is no [rule] table",
			"This is not a detection rule in Elastic's TOML format; give the path of one, or "+
				"take the file out of the folder.")
	}
}

func (r *reader) unknown(t *table, name string, known []string) {
	where := t.name
	if where == "" {
		where = "a rule file"
	}
	advice := "Remove it, or correct its spelling; a key that is not known may be one that was " +
		"meant to change the rule."
	if near := nearest(name, known); near != "" {
		advice = fmt.Sprintf("The nearest known one is %q.", near)
	}
	r.report(t.place(name).key, fmt.Sprintf("%s has no key %q", where, name), advice)
}

// kind looks at the type and the language: of a rule of another kind, nothing else is read.
func (r *reader) kind() {
	r.rule.ID, r.rule.Name = ID(r.loose("rule_id")), r.loose("name")
	types := []string{"eql", "esql", "machine_learning", "new_terms", "query", "saved_query",
		"threat_match", "threshold"}
	languages := []string{"eql", "esql", "kuery", "lucene"}

	r.rule.Type = r.oneOf("type", types)
	if r.rule.Type != "" && r.rule.Type != "eql" {
		r.skip("type "+r.rule.Type, "only rules of type eql are run")
		return
	}
	r.rule.Language = r.oneOf("language", languages)
	if r.rule.Language != "" && r.rule.Language != "eql" {
		r.skip("language "+r.rule.Language, "only queries in eql are run")
	}
}

// loose reads a text without complaint, to name a rule that is skipped.
func (r *reader) loose(key string) string {
	value, _ := r.table.values[key].(string)
	return value
}

func (r *reader) skip(kind, text string) {
	r.unsupported = append(r.unsupported, reason{kind, text})
}

func (r *reader) skipped() *Skipped {
	texts := make([]string, len(r.unsupported))
	for i, u := range r.unsupported {
		texts[i] = u.text
	}
	return &Skipped{
		File: r.file, ID: r.rule.ID, Name: r.rule.Name,
		Kind: r.unsupported[0].kind, Reason: strings.Join(texts, "; "),
	}
}

// keys looks at each key that is there: known or not, supported or not.
func (r *reader) keys() {
	for _, name := range r.table.keys() {
		known, ok := ruleKeys[name]
		switch {
		case !ok:
			r.unknown(r.table, name, slices.Collect(maps.Keys(ruleKeys)))
		case known.use == foreign:
			r.report(r.table.place(name).key, fmt.Sprintf("%s belongs to rules of type %s", name,
				known.why),
				"Remove it, or correct the rule's type.")
		case known.use == acts:
			r.rule.NotApplied = append(r.rule.NotApplied, name)
		case known.use == refused && !unset(name, r.table.values[name]):
			kind := name
			if name == "enabled" {
				kind = "disabled"
			}
			r.skip(kind, known.why)
		}
	}
}

// required reads a text that must be there and hold something.
func (r *reader) required(key, example string) string {
	text := r.table.text(key)
	switch {
	case !r.table.has(key):
		r.report(r.header(), "[rule] has no "+key, "Add it below the line [rule]: "+example)
	case strings.TrimSpace(text) == "" && r.isText(key):
		r.table.fault(key, key+" is empty", "Write "+example)
	}
	return text
}

func (r *reader) isText(key string) bool {
	_, ok := r.table.values[key].(string)
	return ok
}

// header is the place of the [rule] line.
func (r *reader) header() span { return r.places[r.table.path].key }

// oneOf reads a required text out of a closed list, and gives nothing for any other.
func (r *reader) oneOf(key string, words []string) string {
	text := r.required(key, fmt.Sprintf("%s = %q", key, words[0]))
	if text == "" || slices.Contains(words, text) {
		return text
	}
	advice := fmt.Sprintf("It is one of %s.", strings.Join(words, ", "))
	if near := nearest(text, words); near != "" {
		advice = fmt.Sprintf("It is one of %s; the nearest is %q.", strings.Join(words, ", "), near)
	}
	if strings.TrimSpace(text) != "" {
		r.table.fault(key, fmt.Sprintf("%s %q is not known", key, text), advice)
	}
	return ""
}

func (r *reader) identity() {
	id := r.required("rule_id", `rule_id = "…", a text of its own for each rule, such as a UUID.`)
	const advice = "Write one line of plain text, such as a UUID."
	switch {
	case len(id) > maxID:
		r.table.fault("rule_id", fmt.Sprintf("rule_id is longer than %d bytes", maxID), advice)
	case strings.ContainsFunc(id, func(c rune) bool { return !unicode.IsPrint(c) }):
		r.table.fault("rule_id", "rule_id holds a character that cannot be printed", advice)
	case id != "" && strings.TrimSpace(id) != id:
		r.table.fault("rule_id", "rule_id begins or ends with a space", advice)
	}
	r.rule.Name = strings.TrimSpace(r.required("name", `name = "…"`))
	if strings.ContainsFunc(r.rule.Name, unicode.IsControl) {
		r.table.fault("name", "name holds a control character", "Write one line of plain text.")
	}
	r.rule.Version = cmp.Or(r.version(r.table), r.version(r.meta), 1)
}

func (r *reader) version(t *table) int {
	if t == nil {
		return 0
	}
	return t.count("version")
}

// prose reads what is shown to people, without the white space that TOML's multi-line strings bring
// along.
func (r *reader) prose() {
	t := r.table
	r.rule.Description = strings.TrimSpace(t.text("description"))
	r.rule.Note = strings.TrimSpace(t.text("note"))
	r.rule.Setup = strings.TrimSpace(t.text("setup"))
	r.rule.License = strings.TrimSpace(t.text("license"))
	r.rule.Author = t.texts("author")
	r.rule.Tags = t.texts("tags")
	r.rule.References = t.texts("references")
	for _, text := range t.texts("false_positives") {
		r.rule.FalsePositives = append(r.rule.FalsePositives, strings.TrimSpace(text))
	}
	r.rule.BuildingBlockType = t.text("building_block_type")
	r.rule.MaxSignals = t.count("max_signals")
	if r.meta != nil {
		r.rule.Maturity = r.meta.text("maturity")
	}
}

func (r *reader) severity() {
	r.rule.Severity = r.oneOf("severity", []string{"low", "medium", "high", "critical"})

	const key = "risk_score"
	switch score := r.table.values[key].(type) {
	case nil:
		r.report(r.header(), "[rule] has no "+key, "Add it below the line [rule]: risk_score = 47")
		return
	case int64:
		r.rule.RiskScore = float64(score)
	case float64:
		r.rule.RiskScore = score
	default:
		r.table.wrongType(key, "a number", key+" = 47, without quotes")
		return
	}
	if score := r.rule.RiskScore; !(score >= 0 && score <= 100) { // not a number is neither
		r.table.fault(key, fmt.Sprintf("risk_score %v is not between 0 and 100", score),
			"Write a number from 0 to 100.")
	}
}

// patterns reads the index patterns. What is wrong with them keeps this rule from running over
// them, and no other rule from anything.
func (r *reader) patterns() {
	before := len(r.errs)
	defer func() {
		r.rule.PatternFaults = slices.Clone(r.errs[before:])
		r.errs = r.errs[:before]
	}()
	const key, example = "index", `index = ["winlogbeat-*"]`
	patterns := r.table.texts(key)
	switch {
	case !r.table.has(key):
		if unset("data_view_id", r.table.values["data_view_id"]) || !r.table.has("data_view_id") {
			r.report(r.header(), "[rule] has no index",
				"Add the patterns to search below the line [rule]: "+example)
		}
	case len(patterns) == 0 && r.isEmptyList(key):
		r.table.fault(key, "index is empty", "Write the patterns to search: "+example)
	}
	for i, element := range r.list(key) {
		pattern, ok := element.(string)
		if !ok {
			continue
		}
		if fault, advice := indexpattern.Fault(pattern); fault != "" {
			r.report(r.table.element(key, i), fmt.Sprintf("index pattern %q %s", pattern, fault),
				advice)
		}
	}
	if len(patterns) > 0 && len(indexpattern.Adding(patterns)) == 0 {
		r.table.fault(key, "index only excludes", "Write the patterns to search: "+example)
	}
	r.rule.Index = patterns
}

func (r *reader) list(key string) []any {
	list, _ := r.table.values[key].([]any)
	return list
}

func (r *reader) isEmptyList(key string) bool {
	list, ok := r.table.values[key].([]any)
	return ok && len(list) == 0
}

// time reads the schedule and the fields that time and category are taken from.
func (r *reader) time() {
	t := r.table
	const units = "(units: s, m, h, d, w)"
	r.rule.From, r.rule.Interval = defaultLookback, defaultInterval
	if text := t.text("from"); r.isText("from") {
		var ok bool
		if r.rule.From, ok = lookback(text); !ok {
			t.fault("from", fmt.Sprintf("from %q is not a time before now", text),
				`Write how far back a run looks, for example from = "now-9m" `+units+".")
		}
	}
	if text := t.text("interval"); r.isText("interval") {
		var ok bool
		if r.rule.Interval, ok = duration(text); !ok {
			t.fault("interval", fmt.Sprintf("interval %q is not a length of time", text),
				`Write how often the rule is due, for example interval = "5m" `+units+".")
		}
	}
	t.text("to") // looked at by keys; here for their type alone
	t.boolean("enabled")
	r.rule.TimestampOverrideFallbackDisabled = t.boolean("timestamp_override_fallback_disabled")
	r.rule.EventCategoryField = cmp.Or(r.field("event_category_override"), defaultCategory)
	r.rule.TimestampField = r.field("timestamp_field")
	r.rule.TiebreakerField = r.field("tiebreaker_field")
	// Overriding @timestamp with itself is not overriding it.
	if field := r.field("timestamp_override"); field != defaultTimestamp {
		r.rule.TimestampOverride = field
	}
}

// field reads the name of an event's field; an empty text is none.
func (r *reader) field(key string) string {
	name := r.table.text(key)
	bad := func(c rune) bool { return unicode.IsSpace(c) || !unicode.IsPrint(c) || c == '*' }
	if strings.ContainsFunc(name, bad) {
		r.table.fault(key, fmt.Sprintf("%s %q is not the name of a field", key, name),
			fmt.Sprintf(`Write one field's path, for example %s = "event.ingested".`, key))
	}
	return name
}

func (r *reader) query() {
	const key = "query"
	text := r.required(key, `query = '''process where process.name : "…"'''`)
	if strings.TrimSpace(text) == "" {
		return
	}
	r.rule.Query = text
	r.placeQuery(text, r.table.place(key).value)
	statement, err := eql.ParseStatement(text)
	var faults cond.Errors
	switch {
	case errors.As(err, &faults) && faults.Unsupported():
		r.skip(faults[0].What, faults[0].Message)
		return
	case err != nil:
		r.errs = append(r.errs, r.locate(err)...)
		return
	}
	switch s := statement.(type) {
	case *eql.Event:
		r.rule.Parsed = s.Query
		if len(s.Pipes) > 0 {
			r.skip("pipe", fmt.Sprintf("the pipe `%s` is not supported", s.Pipes[0].Kind))
		}
	case *eql.Sequence:
		r.skip("sequence", "sequence queries are not supported")
	case *eql.Sample:
		r.skip("sample", "sample queries are not supported")
	}
}
