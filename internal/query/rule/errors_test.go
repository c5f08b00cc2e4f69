package rule_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"esrule/internal/query/cond"
	"esrule/internal/query/rule"
)

func replaceOnce(t *testing.T, text, old, by string) string {
	t.Helper()
	if strings.Count(text, old) == 0 {
		t.Fatalf("%q is not in the rule", old)
	}
	return strings.Replace(text, old, by, 1)
}

// wrong loads a text and compares the error with what is wanted.
func wrong(t *testing.T, text, want string) {
	t.Helper()
	set, err := loadText(text)
	if err == nil && len(set.Rules) == 1 && len(set.Rules[0].PatternFaults) > 0 {
		err = set.Rules[0].PatternFaults
	}
	if err == nil {
		t.Errorf("%s\ngot no error, want\n%s", text, want)
		return
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("%s\n(-want +got):\n%s", text, diff)
	}
}

func TestWrongFiles(t *testing.T) {
	f := func(text, want string) { t.Helper(); wrong(t, text, want) }
	f("", `r.toml: there is no [rule] table
  This is not a detection rule in Elastic's TOML format; give the path of one, or take the file out of the folder.`)
	f("rule = 1", `r.toml:1:8: rule must be a table, found a whole number
    rule = 1
           ^
  Write it under a line [rule].`)
	f("[rules]\nname = \"x\"", `r.toml:1:2: a rule file has no key "rules"
    [rules]
     ^^^^^
  The nearest known one is "rule".`)
	f("[project]", `r.toml:1:2: a rule file has no key "project"
    [project]
     ^^^^^^^
  Remove it, or correct its spelling; a key that is not known may be one that was meant to change the rule.`)
	f("name = \"x\"\n"+good, `r.toml:1:1: "name" stands outside the [rule] table
    name = "x"
    ^^^^
  Move it below the line [rule].`)
	f("\xff\xfe[\x00", `r.toml: the file is UTF-16 text
  TOML is UTF-8: save the file in that encoding.`)
	f("[rule]\nname = \"\xff\"", "r.toml:2:9: invalid UTF-8 character in basic string\n"+
		"    name = \"\uFFFD\"\n            ^\n"+
		`  The file must be TOML (https://toml.io) throughout; nothing of it was loaded.`)
	f(good+"name = \"again\"", `r.toml:12:1: key name is already defined
    name = "again"
    ^
  The file must be TOML (https://toml.io) throughout; nothing of it was loaded.`)
	f("[rule]\nquery = \"file where file.path : \\\"C:\\w\\\"\"",
		`r.toml:2:37: invalid escape character U+0077 'w'
    query = "file where file.path : \"C:\w\""
                                        ^
  Write text that holds backslashes, such as a query, between ''' and '''.`)
	// What a file holds must not steer the terminal.
	f("[rule]\n\x1b[31mx = 1", "r.toml:2:1: invalid character at start of key: U+001B\n    "+
		"\uFFFD[31mx = 1\n    ^\n"+
		`  The file must be TOML (https://toml.io) throughout; nothing of it was loaded.`)
}

func TestMissingKeys(t *testing.T) {
	f := func(line, key, advice string) {
		t.Helper()
		wrong(t, with(t, line, ""), "r.toml:1:2: [rule] has no "+key+"\n    [rule]\n     ^^^^\n  "+
			advice)
	}
	const add = "Add it below the line [rule]: "
	f("rule_id = \"one\"\n", "rule_id",
		add+`rule_id = "…", a text of its own for each rule, such as a UUID.`)
	f("name = \"One\"\n", "name", add+`name = "…"`)
	f("type = \"eql\"\n", "type", add+`type = "eql"`)
	f("language = \"eql\"\n", "language", add+`language = "eql"`)
	f("severity = \"low\"\n", "severity", add+`severity = "low"`)
	f("risk_score = 21\n", "risk_score", add+`risk_score = 47`)
	f("index = [\"logs-*\"]\n", "index",
		`Add the patterns to search below the line [rule]: index = ["winlogbeat-*"]`)
	f("query = '''\nfile where file.name : \"x\"\n'''\n", "query",
		add+`query = '''process where process.name : "…"'''`)
}

func TestWrongValues(t *testing.T) {
	// f replaces a text and wants one error, whose first line is given from the line number on.
	f := func(old, by, want string) { t.Helper(); wrong(t, with(t, old, by), "r.toml:"+want) }
	f(`risk_score = 21`, `risk_score = "21"`, `7:14: risk_score must be a number, found text
    risk_score = "21"
                 ^^^^
  Write risk_score = 47, without quotes.`)
	f(`21`, `101`, `7:14: risk_score 101 is not between 0 and 100
    risk_score = 101
                 ^^^
  Write a number from 0 to 100.`)
	f(`21`, `nan`, `7:14: risk_score NaN is not between 0 and 100
    risk_score = nan
                 ^^^
  Write a number from 0 to 100.`)
	f(`"low"`, `"hihg"`, `6:12: severity "hihg" is not known
    severity = "hihg"
               ^^^^^^
  It is one of low, medium, high, critical; the nearest is "high".`)
	f(`"low"`, `""`, `6:12: severity is empty
    severity = ""
               ^^
  Write severity = "low"`)
	f(`"low"`, `2`, `6:12: severity must be text, found a whole number
    severity = 2
               ^
  Write severity = "…", in quotes.`)
	f(`type = "eql"`, `type = "eqll"`, `4:8: type "eqll" is not known
    type = "eqll"
           ^^^^^^
  It is one of eql, esql, machine_learning, new_terms, query, saved_query, threat_match, threshold; the nearest is "eql".`)
	f(`"One"`, `"  "`, `3:8: name is empty
    name = "  "
           ^^^^
  Write name = "…"`)
	f(`"one"`, `" one"`, `2:11: rule_id begins or ends with a space
    rule_id = " one"
              ^^^^^^
  Write one line of plain text, such as a UUID.`)
	f(`"One"`, `"One\u001b[31m"`, `3:8: name holds a control character
    name = "One\u001b[31m"
           ^^^^^^^^^^^^^^^
  Write one line of plain text.`)
	f(`"one"`, `"one\ntwo"`, `2:11: rule_id holds a character that cannot be printed
    rule_id = "one\ntwo"
              ^^^^^^^^^^
  Write one line of plain text, such as a UUID.`)
	f(`["logs-*"]`, `"logs-*"`, `8:9: index must be a list of texts, found text
    index = "logs-*"
            ^^^^^^^^
  Write index = ["…"], in brackets.`)
	f(`["logs-*"]`, `[]`, `8:9: index is empty
    index = []
            ^^
  Write the patterns to search: index = ["winlogbeat-*"]`)
	f(`["logs-*"]`, "[\n  \"logs-*\",\n  3,\n]",
		`10:3: entry 2 of index must be text, found a whole number
    3,
    ^
  Write it in quotes: "…".`)
	f(`["logs-*"]`, `["logs-*", "Win-*"]`, `8:20: index pattern "Win-*" holds the capital letter 'W'
    index = ["logs-*", "Win-*"]
                       ^^^^^^^
  No index can have such a name; a pattern is an index name in lower case, with * for any characters.`)

	add := func(line, want string) { t.Helper(); f("severity", line+"\nseverity", want) }
	add(`from = "9m"`, `6:8: from "9m" is not a time before now
    from = "9m"
           ^^^^
  Write how far back a run looks, for example from = "now-9m" (units: s, m, h, d, w).`)
	add(`interval = "5 min"`, `6:12: interval "5 min" is not a length of time
    interval = "5 min"
               ^^^^^^^
  Write how often the rule is due, for example interval = "5m" (units: s, m, h, d, w).`)
	add(`interval = 5`, `6:12: interval must be text, found a whole number
    interval = 5
               ^
  Write interval = "…", in quotes.`)
	add(`version = 0`, `6:11: version is 0
    version = 0
              ^
  Write a whole number from 1 on.`)
	add(`version = 1.5`, `6:11: version must be a whole number, found a number
    version = 1.5
              ^^^
  Write version = 1, without quotes.`)
	add(`enabled = "no"`, `6:11: enabled must be true or false, found text
    enabled = "no"
              ^^^^
  Write enabled = true, without quotes.`)
	add(`tags = [["x"]]`, `6:8: entry 1 of tags must be text, found a list
    tags = [["x"]]
           ^^^^^^^
  Write it in quotes: "…".`)
	add(`note = 2026-01-01`, `6:8: note must be text, found a date or time
    note = 2026-01-01
           ^^^^^^^^^^
  Write note = "…", in quotes.`)
	add(`timestamp_override = "event ingested"`,
		`6:22: timestamp_override "event ingested" is not the name of a field
    timestamp_override = "event ingested"
                         ^^^^^^^^^^^^^^^^
  Write one field's path, for example timestamp_override = "event.ingested".`)
	add(`timestamp_overide = "event.ingested"`, `6:1: [rule] has no key "timestamp_overide"
    timestamp_overide = "event.ingested"
    ^^^^^^^^^^^^^^^^^
  The nearest known one is "timestamp_override".`)
	add(`exceptions = []`, `6:1: [rule] has no key "exceptions"
    exceptions = []
    ^^^^^^^^^^
  The nearest known one is "exceptions_list".`)
	add(`threshold = {field = "x"}`, `6:1: threshold belongs to rules of type threshold
    threshold = {field = "x"}
    ^^^^^^^^^
  Remove it, or correct the rule's type.`)
}

func TestWrongThreat(t *testing.T) {
	f := func(text, want string) { t.Helper(); wrong(t, good+text, "r.toml:"+want) }
	f("[[rule.threat]]\ntactics = 1", `13:1: [[rule.threat]] has no key "tactics"
    tactics = 1
    ^^^^^^^
  The nearest known one is "tactic".`)
	f("[[rule.threat]]\n[rule.threat.tactic]\nid = "+
		"\"x\"\n[[rule.threat]]\n[rule.threat.tactic]\nid = 5",
		`17:6: id must be text, found a whole number
    id = 5
         ^
  Write id = "…", in quotes.`)
	f("[[rule.threat]]\nfrom = \"now-9m\"", `13:1: "from" stands in [[rule.threat]], not in [rule]
    from = "now-9m"
    ^^^^
  In TOML a key belongs to the last header above it: move it up, before the first [[rule.threat]].`)
	f("[rule.threat]\n", `12:7: threat must be a list of tables, found a table
    [rule.threat]
          ^^^^^^
  Write each under a line [[rule.threat]].`)
	f("[[rule.threat]]\ntechnique = [1]",
		`13:14: entry 1 of technique must be a table, found a whole number
    technique = [1]
                 ^
  Write each under a line [[rule.threat.technique]].`)
}

// An error in a query stands at its place in the file, however the query is quoted.
func TestQueryPositions(t *testing.T) {
	f := func(query string, line, column int, source, caret string) {
		t.Helper()
		_, err := loadText(with(t, "'''\nfile where file.name : \"x\"\n'''", query))
		var all rule.Errors
		if !errors.As(err, &all) {
			t.Errorf("%s: got %v, want an error of the query", query, err)
			return
		}
		want := rule.Error{File: "r.toml", Line: line, Column: column, Source: source, Caret: caret}
		if diff := cmp.Diff(want, *all[0], cmpopts.IgnoreFields(rule.Error{}, "Message",
			"Advice")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	f("'''\nany where x : y\n'''", 10, 15, "any where x : y", "              ^")
	f("'''\r\nany where\r\n\tx : y\r\n'''", 11, 6, "x : y", "    ^")
	f("'''any where x : y'''", 9, 26, "query = '''any where x : y'''", "                         ^")
	f("'any where x : y'", 9, 24, "query = 'any where x : y'", "                       ^")
	f("'''\n\n  any where\n\n  z == \"é\" and x : y'''", 13, 20, `z == "é" and x : y'''`,
		"                 ^")
	f(`"any where x : y"`, 9, 24, `query = "any where x : y"`, "                       ^")
	f(`"any where z == \"\\\\\" and x : y"`, 9, 42, `query = "any where z == \"\\\\\" and x : y"`,
		strings.Repeat(" ", 41)+"^")
	f(`"any where \u0078 : y"`, 9, 29, `query = "any where \u0078 : y"`, strings.Repeat(" ", 28)+
		"^")
	f("\"\"\"\nany where \\\n      x : y\\n \"\"\"", 11, 11, `x : y\n """`, "    ^")
	f("\"\"\"\\\n\n  any where z == \"a\" and\n  x : y\"\"\"", 12, 7, `x : y"""`, "    ^")
	f("'''\nsequence by a\n  [any where b == 1]\n  [any where x : y]\n'''", 12, 18,
		"[any where x : y]", "               ^")
}

// Whoever reads the tree later can still name the place in the file.
func TestLocate(t *testing.T) {
	set, err := loadText(good)
	if err != nil {
		t.Fatal(err)
	}
	f := func(r *rule.Rule, err error, want string) {
		t.Helper()
		if diff := cmp.Diff(want, r.Locate(err).Error()); diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
	r := set.Rules[0]
	field := cond.Fields(r.Body.Queries()[0].Where)[0]
	fault := cond.NewError(r.Body.Text(), field.Span, cond.CodeType, "wrong", "Mend it.")
	want := `r.toml:10:12: wrong
    file where file.name : "x"
               ^^^^^^^^^
  Mend it.`
	f(r, fault, want)
	f(r, cond.Errors{fault, fault}, want+"\n"+want)
	f(r, errors.New("other"), "r.toml: other")
	f(&rule.Rule{Head: rule.Head{File: "made.toml"}}, fault, "made.toml: query: wrong\n  Mend it.")
}

func TestLongLine(t *testing.T) {
	long := strings.Repeat("z == 1 and ", 50)
	_, err := loadText(with(t, "file where file.name : \"x\"", "any where "+long+"xx : yy and "+
		long+"true"))
	var all rule.Errors
	if !errors.As(err, &all) {
		t.Fatalf("got %v, want an error of the query", err)
	}
	const (
		source = "…z == 1 and z == 1 and z == 1 and z == 1 and z == 1 and xx : yy and z == 1 " +
			"and z == 1 and z == 1 and…"
		caret = "                                                             ^^"
	)
	if got := all[0]; got.Column != 566 || got.Source != source || got.Caret != caret {
		t.Errorf("got column %d\n%s\n%s\nwant column 566\n%s\n%s", got.Column, got.Source,
			got.Caret, source, caret)
	}
}
