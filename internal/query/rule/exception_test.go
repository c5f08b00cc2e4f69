package rule_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/query/rule"
)

// ours is an exception with nothing but what is needed.
const ours = `[[exception]]
rules = ["one"]
language = "eql"
condition = '''any where host.name == "x"'''
reason = "Build host"
`

// exceptionsOf loads a rule and exceptions, and names those that the rule has.
func exceptionsOf(t *testing.T, text string) (has []string, set *rule.Set) {
	t.Helper()
	set, err := loadFiles(map[string]string{"r.toml": good, "x.toml": text})
	if err != nil || len(set.Rules) != 1 {
		t.Fatalf("%s: got %+v, error %v", text, set, err)
	}
	for _, x := range set.Rules[0].Exceptions {
		has = append(has, x.String())
	}
	return has, set
}

// An exception belongs to the rules that it names by id or name, or to all.
func TestExceptionsOfRules(t *testing.T) {
	const name = `"Build host" (x.toml:1)`
	f := func(rules string, has, inUse bool, warnings ...string) {
		t.Helper()
		got, set := exceptionsOf(t, replaceOnce(t, ours, `["one"]`, rules))
		want := []string(nil)
		if has {
			want = []string{name}
		}
		if diff := cmp.Diff(want, got); diff != "" || set.Exceptions[0].InUse != inUse {
			t.Errorf("rules = %s: in use %v, want %v; (-want +got):\n%s", rules,
				set.Exceptions[0].InUse, inUse, diff)
		}
		if diff := cmp.Diff(warnings, set.Warnings); diff != "" {
			t.Errorf("rules = %s: warnings (-want +got):\n%s", rules, diff)
		}
	}
	f(`["one"]`, true, true)
	f(`["One"]`, true, true)
	f(`["*"]`, true, true)
	f(`["two"]`, false, false)
	f(`["two", "one"]`, true, true,
		`the exception `+name+` is for a rule "two", which no file holds`)

	// A file may hold a rule and exceptions, before it and after.
	set, err := loadText(good + ours + ours)
	if err != nil || len(set.Rules) != 1 || len(set.Rules[0].Exceptions) != 2 {
		t.Errorf("beside a rule: got %+v, error %v", set, err)
	}
}

func TestExpiry(t *testing.T) {
	f := func(expires, at string, want bool) {
		t.Helper()
		_, set := exceptionsOf(t, ours+expires)
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := set.Exceptions[0].Expired(now); got != want {
			t.Errorf("%s at %s: expired %v, want %v", expires, at, got, want)
		}
	}
	f("", "2099-01-01T00:00:00Z", false)
	f("expires = 2027-01-31", "2027-01-31T23:59:59Z", false)
	f("expires = 2027-01-31", "2027-02-01T00:00:00Z", true)
	f("expires = 2027-01-31T10:00:00+02:00", "2027-01-31T07:59:59Z", false)
	f("expires = 2027-01-31T10:00:00+02:00", "2027-01-31T08:00:00Z", true)
}

func TestWrongExceptions(t *testing.T) {
	f := func(old, by, want string) {
		t.Helper()
		wrong(t, replaceOnce(t, ours, old, by), want)
	}
	f(`reason = "Build host"`, ``, `r.toml:1:3: [[exception]] has no reason
    [[exception]]
      ^^^^^^^^^
  Add it below the line [[exception]]: reason = "…"`)
	f(`reason`, `reasons`, `r.toml:1:3: [[exception]] has no reason
    [[exception]]
      ^^^^^^^^^
  Add it below the line [[exception]]: reason = "…"
r.toml:5:1: [[exception]] has no key "reasons"
    reasons = "Build host"
    ^^^^^^^
  The nearest known one is "reason".`)
	f(`["one"]`, `[]`, `r.toml:2:9: rules is empty
    rules = []
            ^^
  Write ids or names of rules, or ["*"] for all.`)
	f(`host.name == "x"`, `host.name == `, `r.toml:4:38: expected a field, a constant or a `+
		`function, found the end of the query
    condition = '''any where host.name == '''
                                         ^
  A condition must be on both sides of and, or; a value on both sides of an operator.`)
	f(`"eql"`, `"lucene"`, `r.toml:3:12: language "lucene" is not known
    language = "lucene"
               ^^^^^^^^
  It is one of eql, kuery.`)
	f(`reason = `, `expires = "2027-01-31"
reason = `, `r.toml:5:11: expires must be a date, found text
    expires = "2027-01-31"
              ^^^^^^^^^^^^
  Write expires = 2027-01-31, without quotes, the last day in UTC; or 2027-01-31T12:00:00Z.`)
	f("[[exception]]", "[exception]", `r.toml:1:2: exception must be a list of tables, found a table
    [exception]
     ^^^^^^^^^
  Write each under a line [[exception]].`)
}

// What exceptions except is a part of what a rule's signals depend on, and what they are called is
// not.
func TestExceptionsFingerprint(t *testing.T) {
	fingerprint := func(text string) string {
		t.Helper()
		_, set := exceptionsOf(t, text)
		return set.Rules[0].ExceptionsFingerprint()
	}
	original := fingerprint(ours)
	f := func(text string, same bool) {
		t.Helper()
		if got := fingerprint(text) == original; got != same {
			t.Errorf("%s: same fingerprint %v, want %v", text, got, same)
		}
	}
	f(replaceOnce(t, ours, "Build host", "Other words"), true)
	f(ours+replaceOnce(t, ours, "Build host", "Again"), true)
	f(replaceOnce(t, ours, `"x"`, `"y"`), false)
	f(ours+"expires = 2027-01-31", false)
	if got := fingerprint(replaceOnce(t, ours, `["one"]`, `["two"]`)); got != "" {
		t.Errorf("a rule without exceptions: got %q, want none", got)
	}
}

// An item that is not evaluated is named, and one that has expired says so.
func TestItems(t *testing.T) {
	f := func(item, want string) {
		t.Helper()
		exported := but(t, line, `"exceptions_list":[]`,
			`"exceptions_list":[{"list_id":"mine","namespace_type":"single"}]`)
		set, err := loadFiles(map[string]string{"x.ndjson": exported + "\n" +
			`{"item_id":"1","list_id":"mine","namespace_type":"single","name":"One",` + item + `}`})
		if err != nil || len(set.Rules[0].Exceptions) != 1 {
			t.Fatalf("%s: got %+v, error %v", item, set, err)
		}
		x := set.Rules[0].Exceptions[0]
		got := fmt.Sprint(x, " ", x.Fault)
		if x.Query != nil {
			got += x.Query.Text
		}
		if !x.Expires.IsZero() {
			got += x.Expires.Format(" until 2006-01-02")
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", item, got, want)
		}
	}
	const entry = `"entries":[{"field":"a","operator":"included","type":"match","value":"b"}]`
	const named = `"One" (list_id mine) `
	f(entry, named+`a: "b"`)
	f(entry+`,"expire_time":"2027-01-31T10:00:00.000Z"`, named+`a: "b" until 2027-01-31`)
	f(entry+`,"expire_time":null`, named+`a: "b"`)
	f(entry+`,"expire_time":"soon"`, named+`expire_time soon is no time`)
	f(`"entries":[{"field":"a","operator":"included","type":"list","list":{"id":"l"}}]`,
		named+`entry 1: the value list l of a is not in the export`)
}
