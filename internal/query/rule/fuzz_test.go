package rule

import (
	"testing"
	"testing/fstest"
)

// Any bytes give a rule, a skipped one or errors that can be printed; and where the query's text
// could be lined up with the file, every part of it has a place there.
func FuzzLoad(f *testing.F) {
	const head = "[rule]\nrule_id = 'a'\nname = 'b'\ntype = 'eql'\nlanguage = 'eql'\nseverity = " +
		"'low'\nrisk_score = 1\nindex = ['c']\n"
	f.Add([]byte(head + "query = 'any where true'\n[[rule.threat]]\nframework = " +
		"'x'\n[rule.threat.tactic]\nid = 1"))
	f.Add([]byte(head + "query = \"\"\"\r\nany where \\\r\n \\u0041 : b\"\"\""))
	f.Add([]byte(head + "query = ''''x'' ''''"))
	f.Add([]byte("rule = {threat = [{tactic = {id = [[1]]}}], index = [[], {a.b = 1}]}"))
	f.Add([]byte("[[rule]]\n[rule.threat]\n"))
	f.Add([]byte("\ufeff[metadata]\r\n\x1b"))
	f.Fuzz(func(t *testing.T, text []byte) {
		set, err := LoadFS(fstest.MapFS{"a.toml": {Data: text}}, "")
		if err != nil && err.Error() == "" {
			t.Error("an error without a word")
		}
		if found := len(set.Rules) + len(set.Skipped); !looksJSON(text) &&
			(err == nil) != (found == 1) {
			t.Errorf("found %d with error %v", found, err)
		}
		checkPlaces(t, set)
	})
}

// Any bytes in a JSON file give rules, skipped ones or errors that can be printed, and no object is
// passed over.
func FuzzLoadJSON(f *testing.F) {
	const head = `{"rule_id": "a", "name": "b", "type": "eql", "language": "eql", "severity": "low", ` +
		`"risk_score": 1, "index": ["c"], "query": `
	f.Add([]byte(head + `"any where true"}`))
	f.Add([]byte(head + `"any where a : \"\u00e9\ud83d\ude00\ud83d\""}` + "\n" + head + `"b"`))
	f.Add([]byte(`{"attributes": ` + head + `"any where true", "threat": [null, {"x": [1e999]}]}}`))
	f.Add([]byte("[\n" + head + `null}, 1, [], {"exported_rules_count": 3}]`))
	f.Add([]byte(`{"list_id": "x", "entries": 1}` + "\r\n" + `{"a": 1, "a": 2}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		set, err := LoadFS(fstest.MapFS{"a.json": {Data: text}}, "")
		if err != nil && err.Error() == "" {
			t.Error("an error without a word")
		}
		checkPlaces(t, set)
	})
}

// checkPlaces checks that each rule's query is lined up with the file.
func checkPlaces(t *testing.T, set *Set) {
	t.Helper()
	for _, r := range set.Rules {
		at := r.text.queryAt
		places := at.bytes(r.text.text)
		if places == nil {
			t.Errorf("the query %q has no place", r.Body.Text())
			continue
		}
		if len(places) != len(r.Body.Text())+1 || places[0] < at.value.start ||
			places[len(r.Body.Text())] > at.value.end {
			t.Errorf("the query %q is placed wrongly: %v", r.Body.Text(), at)
		}
	}
}
