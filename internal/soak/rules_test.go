package soak

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"esrule/internal/detect"
	"esrule/internal/query/rule"
)

// The first rules of the harness: two for each timestamp, which are searched together. An interval
// of a second keeps the pauses before a sick index is tried again short.
const (
	// byTimestamp goes by @timestamp alone: an event that comes late is seen only within the
	// overlap, or by a sweep.
	byTimestamp rule.ID = "50a4b0c1-0000-4000-8000-000000000001"
	// byIngested goes by event.ingested where an event has it: late events are no others to it.
	byIngested rule.ID = "50a4b0c1-0000-4000-8000-000000000002"
	// besideTimestamp and besideIngested match a part of what those match.
	besideTimestamp rule.ID = "50a4b0c1-0000-4000-8000-000000000003"
	besideIngested  rule.ID = "50a4b0c1-0000-4000-8000-000000000004"
	// bySequence joins the events of pairs.
	bySequence rule.ID = "50a4b0c1-0000-4000-8000-000000000005"
)

const ruleText = `
[rule]
author = ["esrule"]
description = "A rule of the fault harness."
from = "now-10s"
interval = "1s"
index = ["%s"]
language = "eql"
name = "soak: %s"
risk_score = 1
rule_id = "%s"
severity = "low"
type = "eql"
%s
query = '''
file where host.os.type == "windows" and event.type == "creation" and process.name : (%s) and
  file.extension : (%s) and not file.path : "?:\\quiet\\*" %s
'''
`

const sequenceText = `
[rule]
author = ["esrule"]
description = "A sequence of the fault harness."
from = "now-10s"
interval = "1s"
index = ["%s"]
language = "eql"
name = "soak: sequence"
risk_score = 1
rule_id = "%s"
severity = "low"
type = "eql"
query = '''
sequence by file.path with maxspan=%vm
  [file where process.name == "first.exe"] [file where process.name == "second.exe"]
'''
`

// fewestRules is how many rules a round has at least.
const fewestRules = 10

// writeRules gives the folder of so many rules, which look at patterns and an index of indicators.
// Those beyond the first are of one timestamp and the other in turns, and match one in a hundred of
// what the first match.
func writeRules(folder string, patterns []string, indicators string, rules int) (string, error) {
	folder = filepath.Join(folder, "rules")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	pattern := strings.Join(patterns, `", "`)
	const ingested = `timestamp_override = "event.ingested"`
	text := func(name string, id rule.ID, override, processes, extensions string) string {
		return fmt.Sprintf(ruleText, pattern, name, id, override, processes, extensions, "")
	}
	texts := map[string]string{
		"timestamp.toml": text("by @timestamp", byTimestamp, "", `"um*.exe", "tardy.exe"`,
			`"aspx", "js"`),
		"ingested.toml": text("by event.ingested", byIngested, ingested, `"um*.exe", "late.exe"`,
			`"aspx", "js"`),
		"timestamp-beside.toml": text("by @timestamp, beside", besideTimestamp, "", `"um*.exe"`,
			`"aspx"`),
		"ingested-beside.toml": text("by event.ingested, beside", besideIngested, ingested,
			`"um*.exe", "late.exe"`, `"js"`),
		"sequence.toml": fmt.Sprintf(sequenceText, pattern, bySequence, pairSpan.Minutes()),
	}
	maps.Copy(texts, kindRules(pattern, indicators))
	for i := fewestRules; i < rules; i++ {
		override, processes := "", `"um*.exe", "tardy.exe"`
		if i%2 == 1 {
			override, processes = ingested, `"um*.exe", "late.exe"`
		}
		texts[fmt.Sprintf("more-%d.toml", i)] = fmt.Sprintf(ruleText, pattern, fmt.Sprint("more ",
			i), fmt.Sprintf("50a4b0c1-0000-4000-8001-%012d", i), override, processes,
			`"aspx", "js"`, fmt.Sprintf(`and file.path : "*%02d"`, i/2%100))
	}
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	return folder, nil
}

// loadRules reads them as the program does.
func loadRules(folder string, rules int) ([]*detect.Detection, error) {
	set, err := rule.Load(folder)
	if err != nil {
		return nil, err
	}
	var all []*detect.Detection
	for _, r := range set.Rules {
		d, err := detect.New(r, nil)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	if len(all) != rules {
		return nil, fmt.Errorf("rules of the harness: got %d, want %d", len(all), rules)
	}
	return all, nil
}
