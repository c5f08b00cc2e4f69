package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// kindsMapping has types that every supported server has.
const kindsMapping = `{"settings":{"number_of_replicas":0,"analysis":{"normalizer":{"lower":{
	"type":"custom","filter":["lowercase"]}}}},"mappings":{"dynamic":false,"properties":{
	"@timestamp":{"type":"date"},"event":{"properties":{"category":{"type":"keyword"},
		"ingested":{"type":"date"}}},
	"host":{"properties":{"name":{"type":"keyword","normalizer":"lower"}}},
	"user":{"properties":{"name":{"type":"keyword"}}},
	"process":{"properties":{"name":{"type":"keyword"},"pid":{"type":"long"}}},
	"source":{"properties":{"ip":{"type":"ip"}}},
	"threat":{"properties":{"indicator":{"properties":{"ip":{"type":"keyword"},
		"type":{"type":"keyword"}}}}}}}}`

// kindRule is a rule of a type, named after its id, with the other keys as they are.
func kindRule(id, kind, language, query, more string) string {
	return fmt.Sprintf(`[rule]
author = ["esrule"]
description = "A rule of this test."
from = "now-9m"
index = ["events-*"]
language = %q
name = %q
risk_score = 21
rule_id = %q
severity = "low"
type = %q
query = '''
%s
'''
%s
`, language, id, id, kind, query, more)
}

// kindRules is a rule of every kind that runs, with indicators in an index.
func kindRules(indicators string) map[string]string {
	const newTerms = `
[rule.new_terms]
field = "new_terms_fields"
value = ["host.name", "process.pid"]
[[rule.new_terms.history_window_start]]
field = "history_window_start"
value = "now-50m"
`
	const threshold = `
[rule.threshold]
field = ["host.name"]
value = 3
[[rule.threshold.cardinality]]
field = "user.name"
value = 2
`
	threats := fmt.Sprintf(`
threat_index = [%q]
threat_query = "threat.indicator.type: ip"
threat_indicator_path = "threat.indicator"
threat_language = "kuery"
[[rule.threat_mapping]]
[[rule.threat_mapping.entries]]
field = "source.ip"
type = "mapping"
value = "threat.indicator.ip"
`, indicators)
	all := map[string]string{}
	add := func(id, kind, language, query, more string) {
		all[id] = kindRule(id, kind, language, query, more)
	}
	add("event", "eql", "eql", `eql where process.name : "BAD*"`, "")
	add("query", "query", "kuery",
		`event.category: query and source.ip: 10.0.0.0/8 and not process.name: good`, "")
	add("sequence", "eql", "eql", `sequence by host.name with maxspan=2m
  ["sequence" where process.name == "a"] ["sequence" where process.name == "b"]
  until ["sequence" where process.name == "stop"]`, "")
	add("missing", "eql", "eql", `sequence by host.name with maxspan=1m
  ["missing" where process.name == "a"] !["missing" where process.name == "b"]`, "")
	add("sample", "eql", "eql", `sample by host.name
  ["sample" where process.name == "a"] ["sample" where process.name == "b"]`, "")
	add("new-terms", "new_terms", "kuery", `event.category: terms`, newTerms)
	add("threshold", "threshold", "kuery", `event.category: threshold`, threshold)
	add("indicator", "threat_match", "kuery", `event.category: threat`, threats)
	return all
}

// kindEvents writes what the rules find, and what each of them must not find. The ids say which.
func kindEvents(s *stage, index, indicators string) {
	s.t.Helper()
	s.Create(s.name(index), kindsMapping)
	s.Create(indicators, kindsMapping)
	f := func(id string, minutesAgo float64, fields string) {
		s.t.Helper()
		at := time.Now().Add(-time.Duration(minutesAgo * float64(time.Minute)))
		s.Do(http.MethodPut, s.name(index)+"/_doc/"+id, fmt.Sprintf(`{"@timestamp":%q,%s}`,
			at.UTC().Format(time.RFC3339Nano), fields))
	}
	named := func(category, host, process string) string {
		return fmt.Sprintf(`"event":{"category":%q},"host":{"name":%q},"process":{"name":%q,"pid":1}`,
			category, host, process)
	}
	f("eql-yes", 1, named("eql", "h", "bad.exe"))
	f("eql-no", 1, named("eql", "h", "good.exe"))
	f("query-yes", 1, named("query", "h", "x")+`,"source":{"ip":"10.1.2.3"}`)
	f("query-no", 1, named("query", "h", "x")+`,"source":{"ip":"11.1.2.3"}`)

	f("a1", 30, named("sequence", "One", "a")) // keys are compared by the normalizer
	f("b1", 29, named("sequence", "one", "b"))
	f("a2", 30, named("sequence", "two", "a"))
	f("stop2", 29.5, named("sequence", "two", "stop"))
	f("b2", 29, named("sequence", "two", "b"))
	f("a3", 30, named("missing", "three", "a"))
	f("a4", 30, named("missing", "four", "a"))
	f("b4", 29.5, named("missing", "four", "b"))
	f("a5", 3, named("sample", "five", "a"))
	f("b5", 4, named("sample", "five", "b"))
	f("a6", 3, named("sample", "six", "a"))

	f("terms-old", 40, named("terms", "seven", "x"))
	f("terms-known", 2, named("terms", "SEVEN", "x"))
	f("terms-new", 2, named("terms", "eight", "x"))
	for i := range 4 {
		f(fmt.Sprint("nine-", i), 20+float64(i), named("threshold", "nine", "x")+
			fmt.Sprintf(`,"user":{"name":"%d"}`, i%2))
		f(fmt.Sprint("ten-", i), 20+float64(i), named("threshold", "ten", "x")+
			`,"user":{"name":"one"}`)
		f(fmt.Sprint("eleven-", i), 20+10*float64(i), named("threshold", "eleven", "x")+
			fmt.Sprintf(`,"user":{"name":"%d"}`, i))
	}
	f("threat-exact", 1, named("threat", "h", "x")+`,"source":{"ip":"192.0.2.7"}`)
	f("threat-block", 1, named("threat", "h", "x")+`,"source":{"ip":"198.51.100.9"}`)
	f("threat-no", 1, named("threat", "h", "x")+`,"source":{"ip":"203.0.113.1"}`)
	s.Bulk(indicators, `{"threat":{"indicator":{"ip":"192.0.2.7","type":"ip"}}}`,
		`{"threat":{"indicator":{"ip":"198.51.100.0/24","type":"ip"}}}`,
		`{"threat":{"indicator":{"ip":"203.0.113.1","type":"other"}}}`)
	s.Refresh(s.name(index))
}

// kindsFound are the signals of the rules over those events: the rule, and what it is about.
func kindsFound() []string {
	return []string{
		"event: eql-yes",
		"indicator: threat-block 198.51.100.9", "indicator: threat-exact 192.0.2.7",
		"missing: a3", "missing: a3 and its signals",
		"new-terms: terms-new eight 1", "new-terms: terms-old seven 1",
		"query: query-yes",
		"sample: a5", "sample: a5 b5 and its signals", "sample: b5",
		"sequence: a1", "sequence: a1 b1 and its signals", "sequence: b1",
		"threshold: nine 4",
	}
}

// TestKinds runs a rule of every kind, twice.
func TestKinds(t *testing.T) {
	t.Parallel()
	kindsAreFound(t, newStage(t, "events-*"))
}

func kindsAreFound(t *testing.T, s *stage) {
	t.Helper()
	s.writeKinds()
	s.runOnce()
	s.wantKinds()
	s.runOnce().says(t, "created=0")
	s.wantKinds()
	s.run("backfill", "--from", "now-1h", "--to", "now").want(t, 0)
	s.wantKinds()
}

// TestKindsKilled kills a run of rules of every kind while it writes the signals of one of them,
// whichever that is.
func TestKindsKilled(t *testing.T) {
	t.Parallel()
	events := newStage(t, "events-*")
	events.writeKinds()
	f := func(at string, nth int, forward bool, is func(*stage, call) bool) {
		t.Helper()
		prefix := fmt.Sprintf("%s-%d-%t", events.prefix, nth, forward)
		t.Run(fmt.Sprintf("%s %d, sent %t", at, nth, forward), func(t *testing.T) {
			t.Parallel()
			s := stageOn(t, events.Cluster, prefix)
			s.patterns, s.more = events.patterns, events.more
			killAt(t, s, nth, forward, is)
			s.runOnce()
			s.wantKinds()
		})
	}
	for nth := range 6 {
		f("signals", 1+nth, nth%2 == 0, isBulk)
	}
	f("ledgers", 1, false, isCovering)
}

// writeKinds writes the rules and the events.
func (s *stage) writeKinds() {
	s.t.Helper()
	folder, indicators := s.t.TempDir(), s.name("ti")
	for id, text := range kindRules(indicators) {
		file := filepath.Join(folder, id+".toml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	s.more["RULES"] = folder
	kindEvents(s, "events-1", indicators)
}

// wantKinds checks what the signals are about.
func (s *stage) wantKinds() {
	s.t.Helper()
	var got []string
	for _, hit := range s.signals() {
		got = append(got, s.about(hit.Source))
	}
	slices.Sort(got)
	if diff := cmp.Diff(kindsFound(), got); diff != "" {
		s.t.Errorf("signals (-want +got):\n%s", diff)
	}
}

// about says what a signal is about: its rule and its events, or its values.
func (s *stage) about(source []byte) string {
	s.t.Helper()
	var signal struct {
		Rule      string                      `json:"kibana.alert.rule.rule_id"`
		Ancestors []struct{ ID, Type string } `json:"kibana.alert.ancestors"`
		Depth     int                         `json:"kibana.alert.depth"`
		Threshold struct {
			Count int
			Terms []struct{ Value string }
		} `json:"kibana.alert.threshold_result"`
		Terms  []string `json:"kibana.alert.new_terms"`
		Threat struct {
			Enrichments []struct{ Matched struct{ Atomic string } }
		}
	}
	if err := json.Unmarshal(source, &signal); err != nil {
		s.t.Fatal(err)
	}
	var about []string
	for _, a := range signal.Ancestors {
		if a.Type == "event" {
			about = append(about, a.ID)
		}
	}
	for _, term := range signal.Threshold.Terms {
		about = []string{term.Value, fmt.Sprint(signal.Threshold.Count)}
	}
	about = append(about, signal.Terms...)
	for _, e := range signal.Threat.Enrichments {
		about = append(about, e.Matched.Atomic)
	}
	if signal.Depth > 1 {
		about = append(about, "and its signals")
	}
	return signal.Rule + ": " + strings.Join(about, " ")
}
