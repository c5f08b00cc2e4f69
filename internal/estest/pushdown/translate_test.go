package pushdown_test

import (
	"encoding/json"
	"strings"
	"testing"

	"esrule/internal/estest/pushdown"
	"esrule/internal/event"
	"esrule/internal/query/eql"
)

// mapping gives the fields of these tests the types that their names say.
func mapping() *event.Mapping {
	return &event.Mapping{Fields: map[string]event.FieldMapping{
		"event.category": {Type: event.Keyword, Name: "keyword", Exact: "event.category"},
		"name":           {Type: event.Keyword, Name: "keyword", Exact: "name", IgnoreAbove: 1024},
		"path":           {Type: event.Keyword, Name: "keyword", Exact: "path"},
		"message":        {Type: event.Text, Name: "text", Exact: "message.keyword"},
		"analysed":       {Type: event.Text, Name: "text"},
		"folded": {Type: event.Keyword, Name: "keyword", Exact: "folded",
			Normalizer: &event.Normalizer{Name: "lowercase"}},
		"items.name": {Type: event.Keyword, Name: "keyword", Exact: "items.name",
			Nested: "items"},
		"pid":     {Type: event.Integer, Name: "long", Exact: "pid"},
		"on":      {Type: event.Boolean, Name: "boolean", Exact: "on"},
		"ip":      {Type: event.IP, Name: "ip", Exact: "ip"},
		"created": {Type: event.Date, Name: "date", Exact: "created"},
	}}
}

func translate(t *testing.T, query string) (pushdown.Query, error) {
	t.Helper()
	q, err := eql.Parse(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return pushdown.Translate(q.Condition(), mapping())
}

func TestTranslate(t *testing.T) {
	f := func(condition, want string) {
		t.Helper()
		query, err := translate(t, "any where "+condition)
		if err != nil {
			t.Errorf("%s: %v", condition, err)
			return
		}
		got, err := json.Marshal(query)
		if err != nil {
			t.Errorf("%s: %v", condition, err)
			return
		}
		if string(got) != want {
			t.Errorf("%s\n got %s\nwant %s", condition, got, want)
		}
	}
	// Equality, on the keyword of a text.
	f(`folded == "X"`, `{"term":{"folded":{"value":"X"}}}`)
	f(`name == "x*"`, `{"term":{"name":{"value":"x*"}}}`)
	f(`"x" == name`, `{"term":{"name":{"value":"x"}}}`)
	f(`message == "x"`, `{"term":{"message.keyword":{"value":"x"}}}`)
	f(`string(message) == "x"`, `{"term":{"message.keyword":{"value":"x"}}}`)
	f(`pid == 5`, `{"term":{"pid":{"value":5}}}`)
	f(`pid == 18446744073709551615`, `{"term":{"pid":{"value":18446744073709551615}}}`)
	f(`pid == 5.0`, `{"term":{"pid":{"value":5.0}}}`)
	f(`name != "x"`, `{"bool":{"must_not":[{"term":{"name":{"value":"x"}}}]}}`)
	f(`on`, `{"term":{"on":{"value":true}}}`)
	f(`on == false`, `{"term":{"on":{"value":false}}}`)
	f(`on != true`, `{"bool":{"must_not":[{"term":{"on":{"value":true}}}]}}`)
	f(`?name == "x"`, `{"term":{"name":{"value":"x"}}}`)
	// Null is what the field itself lacks.
	f(`message == null`, `{"bool":{"must_not":[{"exists":{"field":"message"}}]}}`)
	f(`name != null`, `{"bool":{"must_not":[{"bool":{"must_not":[{"exists":{"field":"name"}}]}}]}}`)
	// Ranges, on the field itself.
	f(`pid < 5`, `{"range":{"pid":{"lt":5}}}`)
	f(`5 <= pid`, `{"range":{"pid":{"gte":5}}}`)
	f(`not pid > -1`, `{"bool":{"must_not":[{"range":{"pid":{"gt":-1}}}]}}`)
	f(`created <= "now-1h"`, `{"range":{"created":{"lte":"now-1h"}}}`)
	f(`message > "x"`, `{"range":{"message":{"gt":"x"}}}`)
	// Lists.
	f(`name in ("x", null, "y*")`, `{"terms":{"name":["x","y*"]}}`)
	f(`pid in (1)`, `{"terms":{"pid":[1]}}`)
	f(`name not in ("x")`, `{"bool":{"must_not":[{"terms":{"name":["x"]}}]}}`)
	f(`name in~ ("x*")`, `{"term":{"name":{"case_insensitive":true,"value":"x*"}}}`)
	f(`name in~ ("x", "y")`,
		`{"bool":{"should":[{"term":{"name":{"case_insensitive":true,"value":"x"}}},{"term":{"name":{"case_insensitive":true,"value":"y"}}}]}}`)
	f(`name not in~ ("x")`, `{"bool":{"must_not":[{"term":{"name":{"case_insensitive":true,"value":"x"}}}]}}`)
	// Patterns: a backslash is doubled, a star behind it is live.
	f(`name : "x"`, `{"term":{"name":{"case_insensitive":true,"value":"x"}}}`)
	f(`name like "x"`, `{"term":{"name":{"value":"x"}}}`)
	f(`name : "a\\b"`, `{"term":{"name":{"case_insensitive":true,"value":"a\\b"}}}`)
	f(`path : "?:\\x\\*"`, `{"wildcard":{"path":{"case_insensitive":true,"wildcard":"?:\\\\x\\\\*"}}}`)
	f(`path like "a*"`, `{"wildcard":{"path":{"wildcard":"a*"}}}`)
	f(`message like~ ("a*", "b")`,
		`{"bool":{"should":[{"wildcard":{"message.keyword":{"case_insensitive":true,"wildcard":"a*"}}},{"term":{"message.keyword":{"case_insensitive":true,"value":"b"}}}]}}`)
	f(`name : "*"`, `{"exists":{"field":"name"}}`)
	f(`message like "**"`, `{"exists":{"field":"message"}}`)
	f(`name : "*?"`, `{"wildcard":{"name":{"case_insensitive":true,"wildcard":"*?"}}}`)
	f(`name : ""`, `{"term":{"name":{"case_insensitive":true,"value":""}}}`)
	// Regular expressions: a list is one expression.
	f(`name regex "a.*"`, `{"regexp":{"name":{"flags_value":255,"value":"a.*"}}}`)
	f(`name regex~ ("a+", "b")`,
		`{"regexp":{"name":{"case_insensitive":true,"flags_value":255,"value":"a+|b"}}}`)
	f(`name regex "net\\.exe"`, `{"term":{"name":{"value":"net.exe"}}}`)
	f(`name regex~ "^a$"`, `{"term":{"name":{"case_insensitive":true,"value":"^a$"}}}`)
	f(`name regex "a\\d"`, `{"regexp":{"name":{"flags_value":255,"value":"a\\d"}}}`)
	f(`name regex ".*"`, `{"exists":{"field":"name"}}`)
	// Functions: the constant of a wildcard is not escaped.
	f(`startsWith(name, "a*")`, `{"prefix":{"name":{"value":"a*"}}}`)
	f(`startsWith~(message, "a")`,
		`{"prefix":{"message.keyword":{"case_insensitive":true,"value":"a"}}}`)
	f(`endsWith(name, "\\a")`, `{"wildcard":{"name":{"wildcard":"*\\a"}}}`)
	f(`stringContains~(name, "a")`,
		`{"wildcard":{"name":{"case_insensitive":true,"wildcard":"*a*"}}}`)
	f(`startsWith(name, "a") == true`, `{"prefix":{"name":{"value":"a"}}}`)
	f(`startsWith(name, "a") != false`, `{"prefix":{"name":{"value":"a"}}}`)
	f(`false == startsWith(name, "a")`, `{"bool":{"must_not":[{"prefix":{"name":{"value":"a"}}}]}}`)
	f(`startsWith(name, "a") != true`, `{"bool":{"must_not":[{"prefix":{"name":{"value":"a"}}}]}}`)
	f(`cidrMatch(ip, "10.0.0.0/8", "::1")`, `{"terms":{"ip":["10.0.0.0/8","::1"]}}`)
	// Connectives.
	f(`name == "x" and pid == 5 and on`,
		`{"bool":{"must":[{"term":{"name":{"value":"x"}}},{"term":{"pid":{"value":5}}},{"term":{"on":{"value":true}}}]}}`)
	f(`name == "x" or not on`,
		`{"bool":{"should":[{"term":{"name":{"value":"x"}}},{"bool":{"must_not":[{"term":{"on":{"value":true}}}]}}]}}`)
	f(`true`, `{"match_all":{}}`)
	f(`false`, `{"match_none":{}}`)
}

func TestTranslateCategory(t *testing.T) {
	query, err := translate(t, `file where pid == 5`)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(query)
	if want := `{"bool":{"must":[{"term":{"event.category":{"value":"file"}}},{"term":{"pid":{"value":5}}}]}}`; string(got) != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestRefused(t *testing.T) {
	f := func(condition string, want ...string) {
		t.Helper()
		query, err := translate(t, "any where "+condition)
		if err == nil {
			t.Errorf("%s: got %v, want an error", condition, query)
			return
		}
		for _, part := range want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: got %q, want %q in it", condition, err, part)
			}
		}
	}
	const script, computed = "run as a script", "computed by Elasticsearch"
	f(`length(name) > 3`, `length(name) > 3`, script)
	f(`on and pid + 1 == 3`, `pid + 1 == 3`, script)
	f(`-pid == 3`, script)
	f(`substring(name, 1) : "a*"`, `substring(name, 1) : "a*"`, script)
	f(`substring(name, 1) in ("a")`, script)
	f(`string(pid) == "5"`, script)
	f(`startsWith(name, substring(path, 1))`, script)
	f(`startsWith(string(pid), "5")`, script)
	f(`length(name) == null`, script)
	f(`pid == 1 + 2`, `pid == 1 + 2`, computed)
	f(`1 == 2`, computed)
	f(`pid < null`, computed)
	f(`pid in (null)`, computed)
	f(`pid in (1, 1 + 1)`, computed)
	f(`?unmapped == null`, computed)
	f(`unmapped == "x"`, "unmapped", "unknown column")
	f(`pid : "5"`, `pid : "5"`, "type long")
	f(`startsWith(pid, "5")`, "type long")
	f(`name`, "has to be boolean", "type keyword")
	f(`name : 5`, "has to be a string")
	f(`items.name == "x"`, "nested field items")
	f(`analysed == "x"`, "text without a keyword")
}
