package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// kueryRule is a rule of type query, with more keys before the query.
func kueryRule(id, more, query string) string {
	return fmt.Sprintf(`[rule]
author = ["esrule"]
description = "A rule of this test."
from = "now-9m"
index = ["events-*"]
language = "kuery"
license = "Apache-2.0"
name = "A rule of this test"
risk_score = 21
rule_id = "%s"
severity = "low"
type = "query"
%s
query = '''
%s
'''
`, id, more, query)
}

const kueryMapping = `{"settings":{"analysis":{"normalizer":{"lower":{"type":"custom",
	"filter":["lowercase"]}}}},"mappings":{"dynamic":false,"properties":{
	"@timestamp":{"type":"date"},"event":{"properties":{"id":{"type":"keyword"},
		"ingested":{"type":"date"},"kind":{"type":"keyword"}}},
	"process":{"properties":{"pid":{"type":"long"},"name":{"type":"keyword","fields":{
		"caseless":{"type":"keyword","normalizer":"lower"}}}}},
	"file":{"properties":{"path":{"type":"keyword","ignore_above":64}}},
	"message":{"type":"text"},"source":{"properties":{"ip":{"type":"ip"}}},
	"on":{"type":"boolean"},"when":{"type":"date"},"flat":{"type":"flattened"},
	"only":{"properties":{"here":{"type":"keyword"},"low":{"type":"keyword",
		"normalizer":"lower"}}},
	"grant":{"type":"nested","properties":{"who":{"type":"keyword"},"what":{"type":"keyword"}}}}}}`

// TestKueryRules runs rules of type query on a real server and over a file of the same events. A
// case that only a mapping decides is left out over the file.
func TestKueryRules(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), json.RawMessage(kueryMapping))
	folder := t.TempDir()
	var docs []any
	var lines []string
	type expected struct {
		what          string
		matches, file bool
	}
	want := map[string]expected{}
	add := func(more, query, fields string, matches, file bool) {
		t.Helper()
		id := fmt.Sprintf("00000000-0000-4000-8000-%012d", len(want))
		if query != "" {
			query = "(" + query + ") and "
		}
		text := kueryRule(id, more, query+`event.id: "`+id+`"`)
		if err := os.WriteFile(filepath.Join(folder, id+".toml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		document := fmt.Sprintf(`{"@timestamp":%q,"event.id":%q,%s}`,
			time.Now().Add(-time.Minute).UTC().Format(time.RFC3339Nano), id, fields)
		docs, lines = append(docs, json.RawMessage(document)), append(lines, document)
		want[id] = expected{fmt.Sprintf("%s%s over %s", more, query, fields), matches, file}
	}
	f := func(query, fields string, matches bool) {
		t.Helper()
		add("", query, fields, matches, true)
	}
	typed := func(query, fields string, matches bool) {
		t.Helper()
		add("", query, fields, matches, false)
	}
	filtered := func(filter, fields string, matches bool) {
		t.Helper()
		add("filters = ["+filter+"]", "", fields, matches, true)
	}

	f(`process.name: cmd.exe`, `"process.name":"cmd.exe"`, true)
	f(`process.name: cmd.exe`, `"process.name":"CMD.EXE"`, false)
	f(`process.name: (a or b*) and not process.name: b1`, `"process":{"name":["a","b2"]}`, true)
	f(`process.name: (a or b*) and not process.name: b1`, `"process":{"name":["a","b1"]}`, false)
	f(`file.path: C\:\\*\\a b*.exe`, `"file.path":"C:\\x\\a bc.exe"`, true)
	f(`file.path: C\:\\*\\a b*.exe`, `"file.path":"c:\\x\\a bc.exe"`, false)
	f(`file.path: "C:\\*"`, `"file.path":"C:\\x"`, false)
	f(`file.path: *end`, `"file.path":"`+strings.Repeat("x", 100)+`end"`, true)
	f(`not file.path: *`, `"process.name":"x"`, true)
	f(`file.path: *`, `"file.path":[]`, false)
	f(`process.*: x`, `"process":{"name":"x"}`, true)
	f(`only.*: x`, `"only":{"here":"x"}`, true) // no other rule names the field
	f(`*: *`, `"a":1`, true)
	f(`*`, `"a":1`, true)
	f(`process: *`, `"process":{"name":"x"}`, false) // an object: see docs/kql.md
	f(`source.ip: 10.0.0.0/8`, `"source.ip":"10.1.2.3"`, true)
	f(`source.ip: (10.0.0.0/8 or "::1")`, `"source.ip":"172.16.0.1"`, false)
	f(`process.pid >= 100 and process.pid < 1000`, `"process.pid":500`, true)
	f(`process.pid: 22.0`, `"process.pid":22`, true)
	f(`on: true`, `"on":true`, true)
	f(`when >= "2024-01-01" and when: 2024-01-02`, `"when":"2024-01-02T10:00:00Z"`, true)
	f(`flat.key: a b`, `"flat":{"key":"a b"}`, true)
	f(`grant: { who: eve and what: root }`,
		`"grant":[{"who":"eve","what":"read"},{"who":"bob","what":"root"}]`, false)
	f(`grant: { who: eve and what: root }`,
		`"grant":[{"who":"eve","what":"root"},{"who":"bob","what":"read"}]`, true)
	typed(`only.l*: CMD.exe`, `"only":{"low":"cmd.EXE"}`, true)
	typed(`process.name.caseless: CMD.exe`, `"process.name":"cmd.EXE"`, true)
	typed(`message: op-node`, `"message":"the Node started"`, true)
	typed(`message: "op node"`, `"message":"the op, NODE"`, true)
	typed(`message: "op node"`, `"message":"node op"`, false)
	typed(`message: inv*ke`, `"message":"Invoke-Thing"`, true)
	typed(`source.ip: 10.*`, `"source.ip":"10.1.2.3"`, false)
	typed(`process.pid: abc`, `"process.pid":1`, false)

	const powershell = `{meta = {negate = true}, query = {wildcard = {"file.path" = ` +
		`{value = '?:\\Program Files\\*.ps?1', case_insensitive = true}}}}`
	filtered(powershell, `"file.path":"c:\\program files\\x.psd1"`, false)
	filtered(powershell, `"file.path":"c:\\program data\\x.psd1"`, true)
	filtered(`{exists = {field = "process.name"}, meta = {negate = true}}`, `"a":1`, true)
	filtered(`{query = {match_phrase = {"process.name" = "x"}}}`, `"process.name":"y"`, false)
	// The signal says what its event says.
	rated := fmt.Sprintf("00000000-0000-4000-8000-%012d", len(want))
	add(`rule_name_override = "message"
severity_mapping = [{field = "level", operator = "equals", value = "9", severity = "critical"}]
risk_score_mapping = [{field = "score", operator = "equals", value = ""}]`, "",
		`"message":"Malware","level":9,"score":99.5`, true, true)
	s.Bulk(s.name("events-1"), docs...)

	s.more["RULES"] = folder
	s.runOnce()
	found := map[string]bool{}
	for _, hit := range s.signals() {
		var signal map[string]any
		if err := json.Unmarshal(hit.Source, &signal); err != nil {
			t.Fatal(err)
		}
		found[fmt.Sprint(signal["kibana.alert.rule.rule_id"])] = true
		if got := signal["kibana.alert.rule.rule_type_id"]; got != "siem.queryRule" {
			t.Errorf("got a signal of a rule of type %v", got)
		}
		got := fmt.Sprint(signal["kibana.alert.rule.name"], " ", signal["kibana.alert.severity"],
			" ", signal["kibana.alert.risk_score"], " ", signal["kibana.alert.esrule.reduced"])
		if fmt.Sprint(signal["kibana.alert.rule.rule_id"]) == rated &&
			got != "Malware critical 99.5 <nil>" {
			t.Errorf("the signal of a rule that is rated by its event: got %s", got)
		}
	}
	for id, e := range want {
		if found[id] != e.matches {
			t.Errorf("%s: got a signal %t, want %t", e.what, found[id], e.matches)
		}
	}

	file := writeFile(t, "events.ndjson", strings.Join(lines, "\n"))
	scanned := run(t, nil, "scan", "--rules", folder, file)
	for id, e := range want {
		got := strings.Contains(scanned.stdout, `"kibana.alert.rule.rule_id":"`+id+`"`)
		if e.file && got != e.matches {
			t.Errorf("%s: scan: got a signal %t, want %t\n%s", e.what, got, e.matches,
				scanned.stderr)
		}
	}
}
