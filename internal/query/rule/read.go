package rule

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"esrule/internal/elastic/indexpattern"
)

const (
	defaultLookback = 6 * time.Minute
	defaultInterval = 5 * time.Minute
	// The field that Elasticsearch's EQL reads an event's time from.
	defaultTimestamp = "@timestamp"

	// maxID keeps a rule's ledger, whose document id holds the rule's, below Elasticsearch's 512
	// bytes.
	maxID = 256
)

// reader makes a rule of one document.
type reader struct {
	*document
	kind     string // the type of the rule
	keys     []key
	exported *exported
	// unsupported gathers why the rule is to be skipped.
	unsupported []reason
}

type reason struct{ kind, text string }

// readRule returns the document's rule, or why it is skipped; both are nil where the document has
// errors.
func readRule(d *document, x *exported) (*Rule, *Skipped) {
	if d.rule == nil {
		return nil, nil
	}
	r := &reader{document: d, exported: x}
	rule := &Rule{}
	if r.chooseType(); len(r.unsupported) == 0 {
		r.check()
		rule.Head = r.head()
		rule.Index, rule.PatternFaults = r.patterns()
		rule.Body = r.body()
	}
	switch {
	case len(d.errs) > 0:
		d.errs = append(d.errs, rule.PatternFaults...)
		return nil, nil
	case len(r.unsupported) > 0:
		return nil, r.skipped(rule.Name)
	}
	rule.text = d.ofQuery()
	return rule, nil
}

// chooseType looks at the type and the language: of a rule that is not run, nothing else is read.
func (r *reader) chooseType() {
	r.kind = r.rule.text("type")
	if !slices.Contains(types(), r.kind) {
		r.kind = "eql" // check reports it
	}
	r.keys = ruleKeys()
	language := r.rule.text("language")
	run := languageOf(r.kind)
	if run == "kuery" {
		find(r.keys, "language").example = `"kuery"`
		find(r.keys, "query").example = "" // an empty query, as a missing one, is of every event
	}
	switch {
	case run == "":
		r.skip("type "+r.kind, r.notRun())
	case language != run && slices.Contains(languages(), language):
		find(r.keys, "type").check(r.rule)
		r.skip("language "+language, fmt.Sprintf("of rules of type %s only those in %s are run",
			r.kind, run))
	}
}

// notRun says why the rule's type is not run.
func (r *reader) notRun() string {
	switch r.kind {
	case "esql":
		return "ES|QL is evaluated by Elasticsearch alone (not by its open-source build), and " +
			"esrule does not ask it"
	case "machine_learning":
		jobs := r.rule.texts("machine_learning_job_id")
		if one := r.rule.text("machine_learning_job_id"); one != "" {
			jobs = []string{one}
		}
		return fmt.Sprintf("it needs the results of machine learning (a Platinum licence), of the "+
			"job %s: they cannot be computed from events", strings.Join(jobs, ", "))
	}
	return "only rules of type " + strings.Join(runTypes(), ", ") + " are run"
}

func (r *reader) skip(kind, text string) {
	r.unsupported = append(r.unsupported, reason{kind, text})
}

func (r *reader) skipped(name string) *Skipped {
	texts := make([]string, len(r.unsupported))
	for i, u := range r.unsupported {
		texts[i] = u.text
	}
	return &Skipped{
		File: r.shownName(), ID: ID(r.rule.text("rule_id")),
		Name: cmp.Or(name, r.rule.text("name")),
		Kind: r.unsupported[0].kind, Reason: strings.Join(texts, "; "),
		ruleType: r.kind, severity: r.rule.text("severity"), tags: r.rule.texts("tags"),
	}
}

// check holds the rule's table against the table of keys.
func (r *reader) check() {
	for _, name := range r.rule.keys() {
		k := find(r.keys, name)
		switch {
		case k == nil:
			r.rule.unknown(name, names(r.keys))
		case !k.has(r.kind):
			r.report(r.rule.place(name).key, fmt.Sprintf("%s belongs to rules of type %s", name,
				strings.Join(k.kinds, ", ")), "Remove it, or correct the rule's type.")
		case k.use == refused && !k.unset(r.rule.values[name]):
			kind := name
			if name == "enabled" {
				kind = "disabled"
			}
			r.skip(kind, k.why)
		}
	}
	for i := range r.keys {
		if k := &r.keys[i]; k.has(r.kind) {
			k.check(r.rule)
		}
	}
	if r.metadata != nil {
		for _, k := range []key{{name: "maturity", form: text}, {name: "version", form: count}} {
			k.check(r.metadata)
		}
	}
}

// head reads what all kinds of rules share. Prose loses the white space that TOML's multi-line
// strings bring along.
func (r *reader) head() Head {
	t := r.rule
	prose := func(key string) string { return strings.TrimSpace(t.text(key)) }
	score, _ := t.number("risk_score")
	from, _ := lookback(t.text("from"))
	interval, _ := duration(t.text("interval"))
	h := Head{
		ID: ID(t.text("rule_id")), Name: prose("name"), Description: prose("description"),
		Severity: t.text("severity"), RiskScore: score, Version: cmp.Or(t.count("version"), 1),
		Type: t.text("type"), Language: t.text("language"), License: prose("license"),
		Author: t.texts("author"), Tags: t.texts("tags"), References: t.texts("references"),
		FalsePositives: t.texts("false_positives"), Note: prose("note"), Setup: prose("setup"),
		Threat: threats(t), Exceptions: r.exported.exceptions(t),
		From: cmp.Or(from, defaultLookback), Interval: cmp.Or(interval, defaultInterval),
		TimestampOverride:                 t.text("timestamp_override"),
		TimestampOverrideFallbackDisabled: get[bool](t, "timestamp_override_fallback_disabled"),
		SeverityMapping:                   severityMapping(t),
		RiskScoreMapping:                  riskScoreMapping(t),
		NameOverride:                      t.text("rule_name_override"),
		BuildingBlockType:                 t.text("building_block_type"),
		MaxSignals:                        t.count("max_signals"),
		File:                              r.shownName(),
	}
	for i, text := range h.FalsePositives {
		h.FalsePositives[i] = strings.TrimSpace(text)
	}
	// Overriding @timestamp with itself is not overriding it.
	if h.TimestampOverride == defaultTimestamp {
		h.TimestampOverride = ""
	}
	if r.metadata != nil {
		h.Maturity = r.metadata.text("maturity")
		h.Version = cmp.Or(t.count("version"), r.metadata.count("version"), 1)
	}
	for _, name := range t.keys() {
		if k := find(r.keys, name); k != nil && k.use == acts && !isEmpty(t.values[name]) {
			h.NotApplied = append(h.NotApplied, name)
		}
	}
	return h
}

// patterns reads the index patterns. What is wrong with them keeps this rule from running over
// them, and no other rule from anything.
func (r *reader) patterns() ([]string, Errors) {
	const key = "index"
	example := r.example(key, `["winlogbeat-*"]`)
	before := len(r.errs)
	t := r.rule
	switch {
	case !t.has(key):
		if !t.has("data_view_id") || isEmpty(t.values["data_view_id"]) {
			r.report(r.places[t.path].key, t.name+" has no index",
				"Add the patterns to search"+t.belowItsLine()+": "+example)
		}
	case t.list(key) != nil && isEmpty(t.list(key)):
		t.fault(key, "index is empty", "Write the patterns to search: "+example)
	default:
		texts(t, key)
	}
	for i, element := range t.list(key) {
		pattern, ok := element.(string)
		if !ok {
			continue
		}
		if fault, advice := indexpattern.Fault(pattern); fault != "" {
			r.report(t.element(key, i), fmt.Sprintf("index pattern %q %s", pattern, fault), advice)
		}
	}
	patterns := t.texts(key)
	if len(patterns) > 0 && len(indexpattern.Adding(patterns)) == 0 {
		t.fault(key, "index only excludes", "Write the patterns to search: "+example)
	}
	faults := slices.Clone(r.errs[before:])
	r.errs = r.errs[:before]
	return patterns, faults
}
