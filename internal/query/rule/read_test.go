package rule_test

import (
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"esrule/internal/query/cond"
	"esrule/internal/query/rule"
)

// loadText loads one file, r.toml.
func loadText(text string) (*rule.Set, error) {
	return rule.LoadFS(fstest.MapFS{"r.toml": {Data: []byte(text)}}, "")
}

func TestRead(t *testing.T) {
	f := func(text string, want rule.Rule) {
		t.Helper()
		set, err := loadText(text)
		if err != nil || len(set.Rules) != 1 {
			t.Errorf("%s\ngot %+v, error %v", text, set, err)
			return
		}
		want.File, want.Type, want.Language = "r.toml", "eql", "eql"
		ignored := []cmp.Option{cmpopts.IgnoreUnexported(rule.Head{}),
			cmpopts.IgnoreFields(cond.Query{}, "Category", "Where", "Print"), cmpopts.EquateEmpty()}
		if diff := cmp.Diff(want, *set.Rules[0], ignored...); diff != "" {
			t.Errorf("%s\n(-want +got):\n%s", text, diff)
		}
	}
	f(good, rule.Rule{Head: rule.Head{
		ID: "one", Name: "One", Severity: "low", RiskScore: 21, Version: 1,
		Index: []string{"logs-*"}, From: 6 * time.Minute, Interval: 5 * time.Minute,
	}, Body: &rule.EventQuery{Query: &cond.Query{Text: "file where file.name : \"x\"\n"}}})
	// A file of an editor on Windows, with everything in it.
	f("\ufeff"+`[metadata]
creation_date = 2026-01-01
maturity = "deprecated"
version = 7

[transform]
[[transform.osquery]]
label = "x"

[rule]
author = ["A", "B"]
actions = []
building_block_type = "default"
data_view_id = ""
description = """
Two
lines.
"""
enabled = true
event_category_override = "event.type"
exceptions_list = [{id = "endpoint_list", list_id = "endpoint_list", namespace_type = "agnostic", type = "endpoint"}]
false_positives = ["""
  None.
"""]
filters = []
from = "now-2h"
index = ["logs-*", ".alerts-security.*"]
interval = "90s"
investigation_fields = {field_names = ["a"]}
language = "eql"
license = "Apache-2.0"
max_signals = 33
name = "  Two  "
note = "Note."
query = "any where true"
references = ["https://example.org"]
risk_score = 47.5
rule_id = "two"
setup = "Setup."
severity = "critical"
tags = ["T"]
tiebreaker_field = "event.sequence"
timestamp_field = "@timestamp"
timestamp_override = "event.ingested"
timestamp_override_fallback_disabled = true
to = "now"
type = "eql"

[[rule.threat]]
framework = "MITRE ATT&CK"
[[rule.threat.technique]]
id = "T1"
name = "Technique"
reference = "https://example.org/T1"
[[rule.threat.technique.subtechnique]]
id = "T1.1"
[rule.threat.tactic]
id = "TA1"
[[rule.threat]]
framework = "Other"
tactic = {id = "TA2", name = "N", reference = "R"}
`, rule.Rule{Head: rule.Head{
		ID: "two", Name: "Two", Severity: "critical", RiskScore: 47.5, Version: 7,
		Maturity:    "deprecated",
		Description: "Two\nlines.", License: "Apache-2.0", Note: "Note.", Setup: "Setup.",
		Author: []string{"A", "B"}, Tags: []string{"T"},
		References:     []string{"https://example.org"},
		FalsePositives: []string{"None."}, Index: []string{"logs-*", ".alerts-security.*"},
		From: 2 * time.Hour, Interval: 90 * time.Second,
		TimestampOverride: "event.ingested", TimestampOverrideFallbackDisabled: true,
		BuildingBlockType: "default", MaxSignals: 33,
		NotApplied: []string{"max_signals"},
		Threat: []rule.Threat{{
			Framework: "MITRE ATT&CK", Tactic: rule.ThreatEntry{ID: "TA1"},
			Technique: []rule.Technique{{
				ThreatEntry: rule.ThreatEntry{ID: "T1", Name: "Technique",
					Reference: "https://example.org/T1"},
				Subtechnique: []rule.ThreatEntry{{ID: "T1.1"}},
			}},
		}, {
			Framework: "Other", Tactic: rule.ThreatEntry{ID: "TA2", Name: "N", Reference: "R"},
		}},
	}, Body: &rule.EventQuery{
		Query:           &cond.Query{Text: "any where true", CategoryField: "event.type"},
		TimestampField:  "@timestamp",
		TiebreakerField: "event.sequence"}})
}

func TestTimestampOverrideOfItself(t *testing.T) {
	set, err := loadText(with(t, "severity", "timestamp_override = \"@timestamp\"\nseverity"))
	if err != nil || set.Rules[0].TimestampOverride != "" {
		t.Errorf("got %+v, error %v; want no override", set, err)
	}
}

func TestVersion(t *testing.T) {
	f := func(text string, want int) {
		t.Helper()
		set, err := loadText(text)
		if err != nil || set.Rules[0].Version != want {
			t.Errorf("%s\ngot %+v, error %v; want version %d", text, set, err, want)
		}
	}
	f(good, 1)
	f(with(t, "severity", "version = 3\nseverity"), 3)
	f("[metadata]\nversion = 4\n"+good, 4)
	f("[metadata]\nversion = 4\n"+with(t, "severity", "version = 3\nseverity"), 3)
}

func TestSkipped(t *testing.T) {
	f := func(old, by, kind, reason string) {
		t.Helper()
		set, err := loadText(with(t, old, by))
		want := []rule.Skipped{{File: "r.toml", ID: "one", Name: "One", Kind: kind, Reason: reason}}
		var byText cmp.Option
		if reason == "" { // said by package eql in words of its own
			byText = cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Reason" },
				cmp.Comparer(func(a, b string) bool { return a != b }))
		}
		if diff := cmp.Diff(want, set.Skipped, byText,
			cmpopts.IgnoreUnexported(rule.Skipped{})); err != nil || diff != "" ||
			len(set.Rules) != 0 {
			t.Errorf("%s instead of %s: error %v (-want +got):\n%s", by, old, err, diff)
		}
	}
	key := func(line, kind, reason string) {
		t.Helper()
		f(`severity =`, line+"\nseverity =", kind, reason)
	}
	const run = "only rules of type eql, new_terms, query, threat_match, threshold are run"
	f(`type = "eql"`, `type = "saved_query"`, "type saved_query", run)
	f(`type = "eql"`, `type = "esql"`, "type esql",
		"ES|QL is evaluated by Elasticsearch alone (not by its open-source build), and esrule does "+
			"not ask it")
	f(`type = "eql"`, `type = "threat_match"`, "language eql",
		"of rules of type threat_match only those in kuery are run")
	f(`type = "eql"`, `type = "threshold"`, "language eql",
		"of rules of type threshold only those in kuery are run")
	f(`language = "eql"`, `language = "kuery"`, "language kuery",
		"of rules of type eql only those in eql are run")
	f(`file where file.name : "x"`, `sequence by host.id [a where true] [b where true] | tail 1`,
		"pipe", "")
	f(`file where file.name : "x"`, `join [a where true] [b where true]`, "join", "")
	f(`"x"`, `"x" | head 5`, "pipe", "")
	f(`file.name : "x"`, `child of [process where true]`, "process relationship", "")
	f(`index = ["logs-*"]`, `data_view_id = "x"`, "data_view_id",
		"data_view_id names patterns that are kept in Kibana; write them as index")
	key(`filters = [{query = {match_phrase = {"host.name" = "x"}}}]`, "filters",
		"filters of rules of type eql are not evaluated; write them into the query")
	key(`enabled = false`, "disabled", "the file says enabled = false")
	key(`timestamp_field = "event.created"`, "timestamp_field",
		"timestamp_field is not @timestamp, which is not supported")
	key(`to = "now-1m"`, "to", "to is not now; every run looks up to the present")
	key("enabled = false\nto = \"now-1m\"", "disabled",
		"the file says enabled = false; to is not now; every run looks up to the present")
}

// Of a rule of another type, only what it is called is read.
func TestSkippedTypeNeedsNoQuery(t *testing.T) {
	set, err := loadText("[rule]\ntype = \"machine_learning\"\nmachine_learning_job_id = " +
		"\"x\"\nrule_id = \"ml\"\n")
	want := []rule.Skipped{{File: "r.toml", ID: "ml", Kind: "type machine_learning",
		Reason: "it needs the results of machine learning (a Platinum licence), of the job x: " +
			"they cannot be computed from events"}}
	if diff := cmp.Diff(want, set.Skipped, cmpopts.IgnoreUnexported(rule.Skipped{})); err != nil ||
		diff != "" {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}

// What a signal takes from its event is read, and is no part of what the rule alerts on.
func TestOverrides(t *testing.T) {
	set, err := loadText(with(t, `severity = "low"`, `severity = "low"
rule_name_override = "message"
severity_mapping = [{field = "event.severity", operator = "equals", value = "73", severity = "high"}]
risk_score_mapping = [{field = "event.risk_score", operator = "equals", value = ""}]`))
	if err != nil {
		t.Fatal(err)
	}
	r := set.Rules[0]
	got := rule.Head{NameOverride: r.NameOverride, SeverityMapping: r.SeverityMapping,
		RiskScoreMapping: r.RiskScoreMapping}
	want := rule.Head{NameOverride: "message",
		SeverityMapping: []rule.SeverityMapping{{Field: "event.severity", Operator: "equals",
			Value: "73", Severity: "high"}},
		RiskScoreMapping: []rule.RiskScoreMapping{{Field: "event.risk_score",
			Operator: "equals"}}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(rule.Head{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFingerprint(t *testing.T) {
	fingerprint := func(text string) string {
		t.Helper()
		set, err := loadText(text)
		if err != nil {
			t.Fatal(err)
		}
		return set.Rules[0].Fingerprint()
	}
	base := with(t, `["logs-*"]`, `["a-*", "b-*"]`)
	original := fingerprint(base)
	f := func(old, by string, same bool) {
		t.Helper()
		text := with(t, `["logs-*"]`, `["a-*", "b-*"]`)
		changed := replaceOnce(t, text, old, by)
		if got := fingerprint(changed) == original; got != same {
			t.Errorf("%s instead of %s: same fingerprint %v, want %v", by, old, got, same)
		}
	}
	f(`"One"`, `"Two"`, true)
	f(`"low"`, `"high"`, true)
	f(`severity`, "rule_name_override = \"message\"\nseverity", true)
	f(`severity`, "description = \"x\"\nfrom = \"now-9m\"\nseverity", true)
	f(`["a-*", "b-*"]`, `["b-*", "a-*", "b-*"]`, true)
	f("'''\nfile", "'''\n\r\n  file", true)
	f(`severity`, "timestamp_override = \"@timestamp\"\nseverity", true)
	f(`severity`, "event_category_override = \"event.category\"\nseverity", true)

	f(`"one"`, `"two"`, false)
	f(`: "x"`, `: "y"`, false)
	f(`["a-*", "b-*"]`, `["a-*"]`, false)
	f(`severity`, "timestamp_override = \"event.ingested\"\nseverity", false)
	f(`severity`, "timestamp_override_fallback_disabled = true\nseverity", false)
	f(`severity`, "event_category_override = \"event.type\"\nseverity", false)
}
