package rule_test

import (
	"strings"
	"testing"
)

// inKQL is the good rule as one of type query.
func inKQL(t *testing.T, query string) string {
	t.Helper()
	text := strings.ReplaceAll(good, `"eql"`, `"query"`)
	text = replaceOnce(t, text, `language = "query"`, `language = "kuery"`)
	return replaceOnce(t, text, "file where file.name : \"x\"\n", query)
}

// TestReadKuery reads rules of type query: the query, an empty one too, and the filters.
func TestReadKuery(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		set, err := loadText(text)
		if err != nil || len(set.Rules) != 1 {
			t.Errorf("%s\ngot %+v, error %v", text, set, err)
			return
		}
		q := set.Rules[0].Body.Queries()[0]
		if got := q.Print(q.Condition()); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
	f(inKQL(t, "a: (b or c)\n"), "a: (b or c)")
	f(inKQL(t, ""), "*: *")
	f(replaceOnce(t, inKQL(t, "@"), "query = '''\n@'''\n", ""), "*: *")
	f(replaceOnce(t, inKQL(t, "a: b"), "index", `filters = [{meta = {negate = true}, query = {`+
		`wildcard = {c = {value = "d*", case_insensitive = true}}}}, {meta = {disabled = true}, `+
		`query = {script = {}}}, {exists = {field = "e"}}]`+"\nindex"),
		`a: b and not wildcard~(c, "d*") and e: *`)
}

// The filters, and the language, are a part of what a rule means.
func TestKueryFingerprint(t *testing.T) {
	fingerprint := func(text string) string {
		t.Helper()
		set, err := loadText(text)
		if err != nil {
			t.Fatal(err)
		}
		return set.Rules[0].Fingerprint()
	}
	plain := inKQL(t, "file where file.name : \"x\"\n") // a field's name may hold blanks
	filtered := replaceOnce(t, plain, "index", `filters = [{exists = {field = "e"}}]`+"\nindex")
	all := map[string]bool{fingerprint(plain): true, fingerprint(filtered): true,
		fingerprint(good): true}
	if len(all) != 3 {
		t.Errorf("got %d fingerprints, want 3", len(all))
	}
	if again := fingerprint(filtered); !all[again] {
		t.Errorf("the fingerprint of a rule with filters changes: %s", again)
	}
}

// What is wrong with a query in KQL has a place in the rule's file.
func TestKueryErrors(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		set, err := loadText(text)
		if err == nil || err.Error() != want {
			t.Errorf("%s\n got %v, %+v\nwant %s", text, err, set, want)
		}
	}
	f(inKQL(t, "file.name: x\n  and file.path == \"y\"\n"), "r.toml:11:20: expected `and`, `or` or "+
		"the end of the query, found string \"y\"\n    and file.path == \"y\"\n"+
		"                     ^^^\n  KQL's operator is a colon: file.path: \"y\".")
	f(replaceOnce(t, inKQL(t, "a: b"), "index", "tiebreaker_field = \"x\"\nindex"),
		"r.toml:8:1: tiebreaker_field belongs to rules of type eql\n"+
			"    tiebreaker_field = \"x\"\n    ^^^^^^^^^^^^^^^^\n"+
			"  Remove it, or correct the rule's type.")
	f(replaceOnce(t, inKQL(t, "a: b"), "language = \"kuery\"\n", ""),
		"r.toml:1:2: [rule] has no language\n    [rule]\n     ^^^^\n"+
			"  Add it below the line [rule]: language = \"kuery\"")
}

// A rule whose query asks for more than is evaluated is skipped, and says why.
func TestKuerySkipped(t *testing.T) {
	f := func(text, kind, reason string) {
		t.Helper()
		set, err := loadText(text)
		if err != nil || len(set.Skipped) != 1 || set.Skipped[0].Kind != kind ||
			set.Skipped[0].Reason != reason {
			t.Errorf("%s\n got %+v, error %v\nwant %s: %s", text, set, err, kind, reason)
		}
	}
	f(replaceOnce(t, inKQL(t, "a: b"), "index", `filters = [{query = {exists = {field = "c"}}}, `+
		`{query = {geo_bounding_box = {d = {}}}}]`+"\nindex"), "filters",
		"filter 2: the clause geo_bounding_box is not supported")
	f(inKQL(t, "a: b and c"), "value without a field",
		"the value `c` has no field, and a search in every field is not supported")
	f(strings.Replace(inKQL(t, "a: b"), "kuery", "lucene", 1), "language lucene",
		"of rules of type query only those in kuery are run")
	f(strings.Replace(inKQL(t, "a: b"), "kuery", "eql", 1), "language eql",
		"of rules of type query only those in kuery are run")
}

// A rule with alert_suppression runs without it, and says so.
func TestSuppressionIsNotApplied(t *testing.T) {
	f := func(line string, want bool) {
		t.Helper()
		set, err := loadText(with(t, "severity =", line+"\nseverity ="))
		if err != nil || len(set.Rules) != 1 || set.Rules[0].Suppresses() != want {
			t.Errorf("%s: got %+v, error %v, want a rule of which this is so: %v", line, set, err,
				want)
		}
	}
	f(`alert_suppression = {group_by = ["host.id"], missing_fields_strategy = "suppress"}`, true)
	f(`alert_suppression = {}`, false)
	f("", false)
}
