package rule_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/query/rule"
)

// line is a rule as Kibana exports it, on one line.
const line = `{"id":"6a7b","updated_at":"2026-01-01T00:00:00.000Z","created_by":"elastic",` +
	`"name":"One","tags":["Custom"],"interval":"5m","enabled":true,"revision":0,` +
	`"description":"One.","risk_score":21,"severity":"low","license":"","output_index":"",` +
	`"meta":{"from":"1m"},"author":[],"false_positives":[],"from":"now-360s","rule_id":"one",` +
	`"max_signals":100,"risk_score_mapping":[],"severity_mapping":[],"threat":[],"to":"now",` +
	`"references":[],"version":2,"exceptions_list":[],"immutable":false,"rule_source":` +
	`{"type":"internal"},"related_integrations":[],"required_fields":[],"setup":"","type":"eql",` +
	`"language":"eql","index":["logs-*"],"query":"file where file.path : \"C:\\\\x\\\\*\"",` +
	`"filters":[],"actions":[],"timestamp_override":null}`

// but returns a text with one part replaced.
func but(t *testing.T, text, old, by string) string {
	t.Helper()
	if !strings.Contains(text, old) {
		t.Fatalf("%s has no %s", text, old)
	}
	return strings.Replace(text, old, by, 1)
}

func loadFiles(files map[string]string) (*rule.Set, error) {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return rule.LoadFS(fsys, "")
}

// A folder may hold rules in every format, and a rule is the same whichever it comes in.
func TestFormats(t *testing.T) {
	id := func(id string) string { return but(t, line, `"one"`, `"`+id+`"`) }
	packaged := func(id, version string) string {
		return `{"attributes":` + but(t, but(t, line, `"one"`, `"`+id+`"`), `"version":2`,
			`"version":`+version) + `,"id":"` + id + "_" + version + `","type":"security-rule"}`
	}
	f := func(name, want string, files map[string]string) {
		t.Helper()
		set, err := loadFiles(files)
		if got := strings.Join(ids(set), " "); err != nil || got != want {
			t.Errorf("%s: got %q, error %v; want %q", name, got, err, want)
			return
		}
		for _, r := range set.Rules {
			if r.Body.Text() != `file where file.path : "C:\\x\\*"` && r.ID != "toml" {
				t.Errorf("%s: got the query %s", name, r.Body.Text())
			}
		}
	}
	f("mixed", "a b c d toml", map[string]string{"1.ndjson": id("a") + "\n" + id("b") + "\n",
		"2.json": id("c"), "3.JSON": packaged("d", "3"), "4.toml": named("toml")})
	f("list", "a b", map[string]string{"x.json": "[\n" + id("a") + ",\n" + id("b") + "\n]"})
	f("one value over lines", "a", map[string]string{
		"x.json": strings.ReplaceAll(id("a"), `,"`, ",\n  \"")})
	f("mark and line ends of Windows", "a b", map[string]string{
		"x.ndjson": "\ufeff" + id("a") + "\r\n\r\n" + id("b") + "\r\n"})
	f("older versions", "a b", map[string]string{"a_1.json": packaged("a", "1"),
		"a_10.json": packaged("a", "10"), "a_9.json": packaged("a", "9"),
		"b_1.json": packaged("b", "1")})
	f("an empty list", "", map[string]string{"x.json": "[]"})
}

// A file that is named is read as what its content is.
func TestFormatByContent(t *testing.T) {
	f := func(file, text, want string) {
		t.Helper()
		path := filepath.Join(t.TempDir(), file)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		set, err := rule.Load(path)
		if got := strings.Join(ids(set), " "); err != nil || got != want {
			t.Errorf("%s: got %q, error %v; want %q", file, got, err, want)
		}
	}
	f("export", line, "one")
	f("rules.txt", "\n  [ "+line+"]", "one")
	f("rules.txt", good, "one")
	f("rule.toml", line, "one")
}

func TestExport(t *testing.T) {
	const list = `{"_version":"x","created_by":"e","description":"d","id":"i","list_id":"mine",` +
		`"name":"Mine","namespace_type":"single","os_types":[],"type":"detection","version":1}`
	const item = `{"comments":[],"description":"d","entries":[{"field":"host.name","operator":` +
		`"included","type":"match","value":"x"}],"item_id":"2","list_id":"mine","name":"Host x",` +
		`"namespace_type":"single","type":"simple"}`
	const connector = `{"attributes":{"actionTypeId":".email","name":"Mail"},"id":"c","type":"action"}`
	summary := `{"exported_count":3,"exported_rules_count":1,"missing_rules":[{"rule_id":"gone"}],` +
		`"missing_rules_count":1}`
	with := but(t, line, `"exceptions_list":[]`, `"exceptions_list":[{"id":"i","list_id":"mine",`+
		`"namespace_type":"single","type":"detection"},{"list_id":"far","namespace_type":"single"},`+
		`{"list_id":"endpoint_list","namespace_type":"agnostic"}]`)
	f := func(name string, files map[string]string, warnings []string) {
		t.Helper()
		set, err := loadFiles(files)
		if err != nil || len(set.Rules) != 1 {
			t.Fatalf("%s: got %+v, error %v", name, set, err)
		}
		var got []string
		for _, x := range set.Rules[0].Exceptions {
			got = append(got, fmt.Sprint(x, " ", x.Fault))
		}
		want := []string{`"Host x" (list Mine, list_id mine) `,
			`"far" (list_id far) no file that was read holds the list`}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(warnings, set.Warnings); diff != "" {
			t.Errorf("%s: warnings (-want +got):\n%s", name, diff)
		}
	}
	missing := "x.ndjson:5: Kibana did not export rules that it was asked for: gone"
	f("whole", map[string]string{"x.ndjson": strings.Join(
		[]string{with, list, item, connector, summary}, "\n")}, []string{missing})
	f("cut", map[string]string{"x.ndjson": strings.Join(
		[]string{with, list, item, connector,
			but(t, summary, "rules_count\":1", "rules_count\":7")},
		"\n")}, []string{"x.ndjson:5: Kibana exported 7 rules, and the file holds 1: is it whole?",
		missing})
	f("lists in a file of their own", map[string]string{"a.ndjson": list + "\n" + item,
		"x.ndjson": with}, nil)
}

// What is skipped names its line, and a rule that is switched off is.
func TestSkippedLine(t *testing.T) {
	set, err := loadFiles(map[string]string{"x.ndjson": line + "\n" +
		but(t, but(t, line, `"one"`, `"two"`), `"enabled":true`, `"enabled":false`) + "\n" +
		but(t, but(t, line, `"one"`, `"three"`), `"filters":[]`, `"filters":[{"query":{}}]`)})
	if err != nil || len(set.Rules) != 1 || len(set.Skipped) != 2 {
		t.Fatalf("got %+v, error %v", set, err)
	}
	if got, want := set.Rules[0].File, "x.ndjson:1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for i, want := range []string{"x.ndjson:2 disabled", "x.ndjson:3 filters"} {
		if got := set.Skipped[i].File + " " + set.Skipped[i].Kind; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// Each error has its line and column, and advice in the file's own format.
func TestJSONErrors(t *testing.T) {
	f := func(name string, files map[string]string, want string) {
		t.Helper()
		_, err := loadFiles(files)
		if err == nil {
			t.Errorf("%s: no error; want %s", name, want)
			return
		}
		var short []string // without the lines of the file, which are long
		for text := range strings.Lines(err.Error()) {
			if !strings.HasPrefix(text, "    ") {
				short = append(short, text)
			}
		}
		if diff := cmp.Diff(want, strings.Join(short, "")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	one := func(text string) map[string]string { return map[string]string{"x.ndjson": text} }
	f("type", one(line+"\n"+but(t, but(t, line, `"one"`, `"two"`), `:21`, `:"21"`)),
		`x.ndjson:2:186: risk_score must be a number, found text
  Write "risk_score": 47, without quotes.`)
	f("missing", one(but(t, line, `"severity":"low",`, "")), `x.ndjson:1:1: the rule has no severity
  Add it: "severity": "low"`)
	f("no query", one(but(t, line, `"query":`, `"meta2":`)),
		`x.ndjson:1:1: the rule has no query
  Add it: "query": "process where process.name : \"…\""
x.ndjson:1:620: the rule has no key "meta2"
  The nearest known one is "meta".`)
	f("look back", one(but(t, line, `now-360s`, `360s`)),
		`x.ndjson:1:298: from "360s" is not a time before now
  Write how far back a run looks, for example "from": "now-9m" (units: s, m, h, d, w).`)
	f("twice", one(line+"\n"+line), `x.ndjson:2:319: rule_id "one" is that of x.ndjson:1 already
  Two rules with one id would hide each other's signals: give one of them an id of its own, or leave one file out.`)
	f("between files", map[string]string{"a.toml": good, "x.json": line},
		`x.json:1:319: rule_id "one" is that of a.toml already
  Two rules with one id would hide each other's signals: give one of them an id of its own, or leave one file out.`)
	f("key twice", one(but(t, line, `"version":2`, `"version":2,"version":3`)),
		"x.ndjson:1:440: the key \"version\" is there twice\n  Remove one of them.")
	f("cut", one(line[:100]+"\n"+line), `x.ndjson:1:100: invalid character '\n' in string literal
  The file must be JSON, with one object a line or one value in all.`)
	f("no rule", one(`{"a": 1}`), `x.ndjson:1:1: this object is no detection rule
  A rule has keys such as rule_id, type, language and query. Take it out of the file, or the file out of the folder.`)
	f("no object", one("1"), "x.ndjson:1:1: a rule must be an object, found a whole number\n  "+
		"Write it in braces: {…}.")
	f("saved object", one(`{"attributes":{},"type":"alert"}`),
		`x.ndjson:1:1: this is a saved object of type "alert", and no detection rule
  Export the rules from Kibana's page of rules, not from that of saved objects.`)
	f("Sigma's siem_rule", one(
		`{"id":"1","params":{"ruleId":"1"},"rule_type_id":"siem.queryRule"}`),
		`x.ndjson:1:1: this is a rule as Kibana's alerting keeps it
  Export the rules from Kibana's page of rules; of Sigma's formats it is siem_rule_ndjson (sigma convert -t eql -f siem_rule_ndjson).`)
	f("not UTF-8", one("{\"a\": \"\xff\"}"), "x.ndjson:1:8: this is no UTF-8 text\n  JSON is "+
		"UTF-8: save the file in that encoding.")
	f("empty", one(" \n"), "x.ndjson: the file is empty\n  Name a file that holds rules, or take "+
		"this one out of the folder.")
}

// An error in a query points to its place, through the escapes of JSON.
func TestQueryPlaceInJSON(t *testing.T) {
	_, err := loadFiles(map[string]string{"x.json": `{"name": "A", "rule_id": "a", "type": "eql",
  "language": "eql", "severity": "low", "risk_score": 1, "index": ["x"],
  "query": "any where a : \"\u00e9\\\\\ud83d\ude00\" and b : c"}`})
	want := `x.json:3:62: expected a string after ":", found field ` + "`c`" + `
    "query": "any where a : \"\u00e9\\\\\ud83d\ude00\" and b : c"}
                                                               ^
  EQL compares a field with constants only. If a text is meant, its quotes are missing: "c".`
	if err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Every Sigma rule loads, in the format that pySigma writes.
func TestSigmaRules(t *testing.T) {
	set, err := rule.Load(filepath.Join(corpus(t, "sigma"), "eql-rules.ndjson"))
	if err != nil {
		t.Fatalf("Sigma rules with errors:\n%v", err)
	}
	if len(set.Rules) != 1826 || len(set.Skipped) != 0 || len(set.Warnings) != 0 {
		t.Errorf("got %d rules, skipped %d (%+v), warnings %q; want 1826 rules", len(set.Rules),
			len(set.Skipped), set.Skipped, set.Warnings)
	}
}

// All rules of the corpus load together, of whatever format and type.
func TestWholeCorpus(t *testing.T) {
	set, err := rule.Load(corpus(t, "rules"), corpus(t, "rules-other"), corpus(t, "sigma"))
	if err != nil {
		t.Fatalf("rules with errors:\n%v", err)
	}
	kinds := map[string]int{"run": len(set.Rules)}
	for _, s := range set.Skipped {
		kinds[s.Kind]++
	}
	t.Logf("%v", kinds)
	// of the corpus's README: 728 + 778 in TOML, 1,826 of Sigma
	if got, want := len(set.Rules)+len(set.Skipped), 728+778+1826; got != want {
		t.Errorf("got %d rules and skipped ones, want %d", got, want)
	}
}
