package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// exportedItems is a Kibana export: a rule, its list of exceptions, and their items. One of them is
// a value list, which no export holds.
const exportedItems = `{"rule_id":"kibana","name":"Of Kibana","type":"query","language":"kuery",` +
	`"severity":"low","risk_score":21,"index":["events-*"],"query":"user.name: eve",` +
	`"exceptions_list":[{"list_id":"mine","namespace_type":"single","type":"detection"},` +
	`{"list_id":"endpoint_list","namespace_type":"agnostic","type":"endpoint"}]}
{"list_id":"mine","namespace_type":"single","name":"Mine","type":"detection"}
{"item_id":"1","list_id":"mine","namespace_type":"single","name":"Host x","type":"simple",` +
	`"entries":[{"field":"host.name","type":"match","operator":"included","value":"x"}]}
{"item_id":"2","list_id":"mine","namespace_type":"single","name":"Shell","type":"simple",` +
	`"entries":[{"field":"process.name.caseless","type":"match_any","operator":"included",` +
	`"value":["CMD.exe","sh"]}]}
{"item_id":"3","list_id":"mine","namespace_type":"single","name":"Grant","type":"simple",` +
	`"entries":[{"field":"grant","type":"nested","entries":[{"field":"who","type":"match",` +
	`"operator":"included","value":"bob"},{"field":"what","type":"match","operator":"included",` +
	`"value":"root"}]},{"field":"file.path","type":"exists","operator":"excluded"}]}
{"item_id":"4","list_id":"mine","namespace_type":"single","name":"Hosts","type":"simple",` +
	`"entries":[{"field":"host.name","type":"list","operator":"included","list":{"id":"hosts"}}]}
{"item_id":"6","list_id":"mine","namespace_type":"single","name":"Old list","type":"simple",` +
	`"expire_time":"2026-01-01T00:00:00.000Z",` +
	`"entries":[{"field":"host.name","type":"list","operator":"included","list":{"id":"hosts"}}]}
{"item_id":"5","list_id":"mine","namespace_type":"single","name":"Old","type":"simple",` +
	`"expire_time":"2026-01-01T00:00:00.000Z",` +
	`"entries":[{"field":"host.name","type":"match","operator":"included","value":"old"}]}
`

const ownExceptions = `
[[exception]]
rules = ["*"]
language = "eql"
condition = '''any where process.name : "deploy*"'''
reason = "Deployment"
expires = 2199-12-31

[[exception]]
rules = ["Of Kibana"]
language = "kuery"
condition = "process.pid: abc"
reason = "Never"

[[exception]]
rules = ["No such rule"]
language = "kuery"
condition = "*"
reason = "Of nobody"

[[exception]]
rules = ["kibana"]
language = "kuery"
condition = 'host.name: gone'
reason = "Gone"
expires = 2026-01-01
`

const exceptionsMapping = `{"settings":{"analysis":{"normalizer":{"lower":{"type":"custom",
	"filter":["lowercase"]}}}},"mappings":{"dynamic":false,"properties":{
	"@timestamp":{"type":"date"},"user":{"properties":{"name":{"type":"keyword"}}},
	"host":{"properties":{"name":{"type":"keyword"}}},"file":{"properties":{"path":{"type":"keyword"}}},
	"process":{"properties":{"pid":{"type":"long"},"name":{"type":"keyword","fields":{
		"caseless":{"type":"keyword","normalizer":"lower"}}}}},
	"grant":{"type":"nested","properties":{"who":{"type":"keyword"},"what":{"type":"keyword"}}}}}}`

// TestExceptions runs a rule with Kibana's exceptions and our own on a real server and over a file.
func TestExceptions(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), json.RawMessage(exceptionsMapping))
	export := writeFile(t, "export.ndjson", exportedItems)
	own := writeFile(t, "exceptions.toml", ownExceptions)
	s.more["RULES"], s.more["EXCEPTIONS"] = export, own

	var docs []any
	var lines []string
	want := map[string]bool{} // whether there is a signal, by the event
	add := func(fields string, matches bool) {
		line := fmt.Sprintf(`{"@timestamp":%q,"n":%d,"user":{"name":"eve"},%s}`,
			time.Now().Add(-time.Minute).UTC().Format(time.RFC3339Nano), len(docs), fields)
		docs, lines = append(docs, json.RawMessage(line)), append(lines, line)
		want[fields] = matches
	}
	add(`"host":{"name":"x"}`, false)
	add(`"host":{"name":"X"}`, true) // letter case counts
	add(`"host":{"name":["y","x"]}`, false)
	add(`"host":{"name":"old"}`, true)
	add(`"host":{"name":"gone"}`, true)
	add(`"process":{"name":"DEPLOY.exe"}`, false)
	add(`"grant":[{"who":"bob","what":"root"}]`, false)
	add(`"grant":[{"who":"bob","what":"root"}],"file.path":"/x"`, true)
	add(`"grant":[{"who":"bob"},{"what":"root"}]`, true)
	add(`"process":{"name":"cmd.EXE"}`, false) // the normalizer of the index decides
	s.Bulk(s.name("events-1"), docs...)

	ran := s.runOnce()
	found := map[string]bool{}
	for _, hit := range s.signals() {
		for fields := range want {
			n := fmt.Sprintf(`"n":%d,`, indexOf(lines, fields))
			found[fields] = found[fields] || strings.Contains(string(hit.Source), n)
		}
	}
	for fields, matches := range want {
		if found[fields] != matches {
			t.Errorf("%s: got a signal %t, want %t", fields, found[fields], matches)
		}
	}
	ran.says(t, "excepted=5", `\"Deployment\": 1, \"Grant\": 1, \"Host x\": 2, \"Shell\": 1`,
		"A RULE'S EXCEPTION IS NOT APPLIED", "the value list hosts of host.name is not in the export",
		`exception \"Old\" (list Mine, list_id mine) does not apply since 2026-01-01`,
		`is for no rule that was read`)
	s.run("status").says(t, `5 excepted ("Deployment": 1, "Grant": 1, "Host x": 2, "Shell": 1)`)
	s.run("check").want(t, 3).says(t, `problem: exception "Never" (`, "never applies",
		`problem: exception "Of nobody" (`, `note: exception "Gone" (`, `note: exception "Old" (`,
		`its exception "Hosts" (list Mine, list_id mine) is not applied`)

	if strings.Contains(ran.stderr, `"Old list\" (list Mine, list_id mine)" reason`) {
		t.Errorf("an exception that has expired is said not to be applied: %s", ran.stderr)
	}

	hit := fmt.Sprintf(`{"_index":%q,"_source":%s}`, s.name("events-1"), lines[len(lines)-1])
	s.run("explain", "--event", writeFile(t, "event.json", hit)).want(t, 0).says(t,
		"The event is excepted, and no match of rule", `The exception "Shell" (list Mine`,
		`true  process.name.caseless: "CMD.exe"   <- decides`)

	file := writeFile(t, "events.ndjson", strings.Join(lines, "\n"))
	scanned := run(t, nil, "scan", "--rules", export, "--exceptions", own, file)
	for fields, matches := range want {
		n := fmt.Sprintf(`"n":%d,`, indexOf(lines, fields))
		if got := strings.Contains(scanned.stdout, n); got != matches {
			t.Errorf("%s: scan: got a signal %t, want %t\n%s", fields, got, matches, scanned.stderr)
		}
	}
	scanned.says(t, `5 events excepted: "Deployment": 1, "Grant": 1, "Host x": 2`)

	// Where an exception is taken away, a backfill searches the same time again.
	history := []string{"backfill", "--from", time.Now().Add(-time.Hour).UTC().Format(time.RFC3339),
		"--to", time.Now().UTC().Format(time.RFC3339)}
	s.run(history...).want(t, 0).says(t, "0 signals created",
		"5 excepted (")
	s.more["EXCEPTIONS"] = ""
	s.run(history...).want(t, 0)
	s.Refresh(s.signalsIndex())
	if got := s.Count(s.signalsIndex()); got != 6 {
		t.Errorf("after a backfill without our exceptions: %d signals, want 6", got)
	}
}

// indexOf is the line that ends with some fields.
func indexOf(lines []string, fields string) int {
	for i, line := range lines {
		if strings.HasSuffix(line, ","+fields+"}") {
			return i
		}
	}
	return -1
}
