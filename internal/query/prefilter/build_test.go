package prefilter_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"esrule/internal/date"
	"esrule/internal/elastic/dsl"
	"esrule/internal/event"
	"esrule/internal/query/eql"
	"esrule/internal/query/prefilter"
)

// mapping is one class with a field of each kind, named after it.
// weeks is what the server read of one constant.
var weeks = date.Constants{"2026-W02": {
	First: date.At(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)),
	Last:  date.At(time.Date(2026, 1, 5, 23, 59, 59, 999e6, time.UTC)),
}}

var mapping = &event.Mapping{Fields: map[string]event.FieldMapping{
	"event.category": {Type: event.Keyword, Name: "keyword", Exact: "event.category"},
	"host.os.type":   {Type: event.Keyword, Name: "keyword", Exact: "host.os.type"},
	"name":           {Type: event.Keyword, Name: "keyword", Exact: "name", IgnoreAbove: 10},
	"path":           {Type: event.Keyword, Name: "keyword", Exact: "path"},
	"message":        {Type: event.Text, Name: "text"},
	"title":          {Type: event.Text, Name: "text", Exact: "title.keyword", IgnoreAbove: 10},
	"alias": {Type: event.Keyword, Name: "alias", Exact: "name", IgnoreAbove: 10,
		FromFields: true},
	"lower": {Type: event.Keyword, Name: "keyword", Exact: "lower",
		Normalizer: &event.Normalizer{Name: "lowercase", Lowercase: true}},
	"nested.name": {Type: event.Keyword, Name: "keyword", Exact: "nested.name",
		Nested: "nested"},
	"pid":      {Type: event.Integer, Name: "long", Exact: "pid"},
	"port":     {Type: event.Integer, Name: "short", Exact: "port"},
	"ratio":    {Type: event.Float, Name: "double", Exact: "ratio"},
	"narrow":   {Type: event.Float, Name: "float", Exact: "narrow"},
	"half":     {Type: event.Float, Name: "half_float", Exact: "half"},
	"scaled":   {Type: event.Float, Name: "scaled_float", Exact: "scaled", ScalingFactor: 10},
	"unscaled": {Type: event.Float, Name: "scaled_float", Exact: "unscaled"},
	"big":      {Type: event.Unsigned, Name: "unsigned_long", Exact: "big"},
	"version":  {Type: event.Version, Name: "version", Exact: "version"},
	"on":       {Type: event.Boolean, Name: "boolean", Exact: "on"},
	"date":     {Type: event.Date, Name: "date", Exact: "date"},
	"weeks": {Type: event.Date, Name: "date", Exact: "weeks", Formats: "YYYY-'W'ww",
		ServerRead: true, Constants: &weeks},
	"nanos":      {Type: event.DateNanos, Name: "date_nanos", Exact: "nanos"},
	"ip":         {Type: event.IP, Name: "ip", Exact: "ip"},
	"nested.pid": {Type: event.Integer, Name: "long", Exact: "nested.pid", Nested: "nested"},
	"unindexed":  {Type: event.Keyword, Name: "keyword", Exact: "unindexed", Unindexed: true},
}}

func build(t *testing.T, query string) prefilter.Filter {
	t.Helper()
	q, err := eql.Parse(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return prefilter.Build(q.Condition(), mapping)
}

func TestBuild(t *testing.T) {
	f := func(condition, want string) {
		t.Helper()
		got, err := json.Marshal(build(t, "any where "+condition).Clause)
		if err != nil || string(got) != want {
			t.Errorf("%s:\n got %s, %v\nwant %s", condition, got, err, want)
		}
	}
	const all, none = `{"match_all":{}}`, `{"match_none":{}}`
	// Exact terms are kept, in the case that the operator compares in.
	f(`host.os.type == "windows"`, `{"term":{"host.os.type":{"value":"windows"}}}`)
	f(`"windows" == host.os.type`, `{"term":{"host.os.type":{"value":"windows"}}}`)
	f(`host.os.type : "windows"`,
		`{"term":{"host.os.type":{"case_insensitive":true,"value":"windows"}}}`)
	f(`host.os.type == 5`, `{"term":{"host.os.type":{"value":"5"}}}`)
	f(`host.os.type == 5.0`, all)
	f(`path in ("a", "b", null)`, `{"terms":{"path":["a","b"]}}`)
	f(`path in~ ("a")`, `{"term":{"path":{"case_insensitive":true,"value":"a"}}}`)
	f(`path like "a"`, `{"term":{"path":{"value":"a"}}}`)
	f(`alias == "x"`, `{"term":{"name":{"value":"x"}}}`)
	f(`title == "x"`, `{"term":{"title.keyword":{"value":"x"}}}`)
	// A value longer than ignore_above is in no index, only in _ignored, unless the limit was
	// another one then.
	f(`name == "longer than ten"`,
		`{"bool":{"should":[{"term":{"name":{"value":"longer than ten"}}},{"term":{"_ignored":{"value":"name"}}}]}}`)
	f(`name : "longer than ten"`,
		`{"bool":{"should":[{"term":{"name":{"case_insensitive":true,"value":"longer than ten"}}},{"term":{"_ignored":{"value":"name"}}}]}}`)
	f(`title != null`, `{"bool":{"should":[{"exists":{"field":"title.keyword"}},{"term":{"_ignored":{"value":"title.keyword"}}}]}}`)
	f(`name : "beginning*"`,
		`{"bool":{"should":[{"prefix":{"name":{"case_insensitive":true,"value":"beginning"}}},{"term":{"_ignored":{"value":"name"}}}]}}`)
	f(`path like "C:\\Windows\\*.exe"`,
		`{"bool":{"should":[{"prefix":{"path":{"case_insensitive":false,"value":"C:\\Windows\\"}}},{"term":{"_ignored":{"value":"path"}}}]}}`)
	f(`path : "*"`, `{"bool":{"should":[{"exists":{"field":"path"}},{"term":{"_ignored":{"value":"path"}}}]}}`)
	// What an index cannot answer cheaply or for certain is left to the matcher.
	f(`path : "?:\\inetpub\\*"`, all)
	f(`path : "C:\\*"`, all)
	f(`path : ("C:\\Windows\\*", "*.exe")`, all)
	f(`message == "x"`, all)
	// The server normalizes constants, and what is too long for the index may be normalized to
	// them.
	f(`lower == "X"`, `{"bool":{"should":[{"term":{"lower":{"value":"X"}}},{"term":{"_ignored":{"value":"lower"}}}]}}`)
	f(`lower : "cmd\\x*"`, `{"bool":{"should":[{"prefix":{"lower":{"case_insensitive":true,"value":"cmd"}}},{"term":{"_ignored":{"value":"lower"}}}]}}`)
	f(`nested.name == "x"`, all)
	f(`nested.pid == 4`, all)
	// Whole numbers, booleans, dates and addresses. What is malformed is in _ignored.
	typed := func(clause, field string) string {
		return `{"bool":{"should":[` + clause + `,{"term":{"_ignored":{"value":"` + field +
			`"}}}]}}`
	}
	f(`pid == 4`, typed(`{"term":{"pid":{"value":"4"}}}`, "pid"))
	f(`4.0 == pid`, typed(`{"term":{"pid":{"value":"4"}}}`, "pid"))
	f(`pid == "4"`, typed(`{"term":{"pid":{"value":"4"}}}`, "pid"))
	f(`pid == 4.5`, all)
	f(`pid != 4`, all)
	f(`pid : "4"`, all)
	f(`pid in (4, 5)`, typed(`{"terms":{"pid":["4","5"]}}`, "pid"))
	f(`pid in (4, 5.5)`, all)
	f(`pid > 4`, typed(`{"range":{"pid":{"gt":4}}}`, "pid"))
	f(`4 >= pid`, typed(`{"range":{"pid":{"lte":4}}}`, "pid"))
	f(`pid < 4.5`, typed(`{"range":{"pid":{"lt":5}}}`, "pid"))
	f(`pid > 1e300`, all)
	f(`port > 40000`, all) // a short cannot be asked for it
	f(`not pid > 4`, all)
	// Fractions are looked up a little more widely than the matcher compares them.
	f(`ratio == 4`, typed(`{"range":{"ratio":{"gte":3.999999999999999,"lte":4.000000000000002}}}`,
		"ratio"))
	f(`ratio == "4"`, typed(`{"range":{"ratio":{"gte":3.999999999999999,"lte":4.000000000000002}}}`,
		"ratio"))
	f(`narrow == 4`, typed(`{"range":{"narrow":{"gte":3.999999523162842,"lte":4.000000953674316}}}`,
		"narrow"))
	f(`half == 1024`, typed(`{"range":{"half":{"gte":1022,"lte":1026}}}`, "half"))
	f(`scaled == 4`, typed(`{"range":{"scaled":{"gte":3.8,"lte":4.2}}}`, "scaled"))
	f(`scaled > 4`, typed(`{"range":{"scaled":{"gte":3.8}}}`, "scaled"))
	f(`scaled <= 4`, typed(`{"range":{"scaled":{"lte":4.2}}}`, "scaled"))
	f(`ratio in (1024, null)`,
		typed(`{"range":{"ratio":{"gte":1023.9999999999998,"lte":1024.0000000000005}}}`, "ratio"))
	f(`ratio != null`, typed(`{"exists":{"field":"ratio"}}`, "ratio"))
	f(`unscaled == 4`, all)
	f(`narrow < 1e300`, all) // a float cannot be asked for it
	f(`half > 65520`, all)
	f(`ratio == "x"`, all)
	f(`ratio == true`, all)
	f(`big == 18446744073709551615`, typed(`{"term":{"big":{"value":"18446744073709551615"}}}`,
		"big"))
	f(`big in (4, 5.0)`, typed(`{"terms":{"big":["4","5"]}}`, "big"))
	f(`big > 4.5`, typed(`{"range":{"big":{"gte":"4"}}}`, "big"))
	f(`big <= 4.5`, typed(`{"range":{"big":{"lte":"5"}}}`, "big"))
	f(`big == -1`, all)
	f(`big > -1`, all)
	f(`version == "1.2.3"`, typed(`{"term":{"version":{"value":"1.2.3"}}}`, "version"))
	f(`version == 7`, typed(`{"term":{"version":{"value":"7"}}}`, "version"))
	f(`version == ""`, typed(`{"term":{"version":{"value":""}}}`, "version"))
	f(`version == "20250101120000"`, all) // the type refuses it
	f(`version in ("1.2.3", "1.2.3-4294967296")`, all)
	f(`version : "1.2.3"`, all)
	f(`version > "1.2.3"`, all)
	f(`version != null`, typed(`{"exists":{"field":"version"}}`, "version"))
	f(`pid > null`, none)
	f(`pid != null`, typed(`{"exists":{"field":"pid"}}`, "pid"))
	f(`nowhere > 4`, none)
	f(`path > "a"`, all)
	f(`on`, typed(`{"term":{"on":{"value":"true"}}}`, "on"))
	f(`on == false`, typed(`{"term":{"on":{"value":"false"}}}`, "on"))
	f(`on == 1`, all)
	f(`date == "2026-01-02"`,
		typed(`{"range":{"date":{"format":"strict_date_optional_time","gte":"2026-01-02T00:00:00.000Z","lte":"2026-01-02T23:59:59.999Z"}}}`, "date"))
	f(`date > "2026-01-02"`,
		typed(`{"range":{"date":{"format":"strict_date_optional_time","gte":"2026-01-02T23:59:59.999Z"}}}`, "date"))
	f(`date < 1767312000000`,
		typed(`{"range":{"date":{"format":"strict_date_optional_time","lte":"2026-01-02T00:00:00.000Z"}}}`, "date"))
	// A field may hold nanoseconds after the millisecond that is asked for.
	f(`nanos < "2026-01-02T00:00:00.0005"`,
		typed(`{"range":{"nanos":{"format":"strict_date_optional_time","lte":"2026-01-02T00:00:00.001Z"}}}`, "nanos"))
	// What only the server reads is asked for as the server read it.
	f(`weeks == "2026-W02"`,
		typed(`{"range":{"weeks":{"format":"strict_date_optional_time","gte":"2026-01-05T00:00:00.000Z","lte":"2026-01-05T23:59:59.999Z"}}}`, "weeks"))
	f(`weeks == "2026-W03"`, all)
	f(`date > "now-1h"`, all)
	f(`date > "yesterday"`, all)
	f(`date > "99999-01-01"`, all)
	f(`nanos > "1960-01-01"`, all)
	f(`ip == "10.0.0.1"`, typed(`{"term":{"ip":{"value":"10.0.0.1"}}}`, "ip"))
	f(`ip in ("10.0.0.9/8", "fd00::/8")`, typed(`{"terms":{"ip":["10.0.0.9/8","fd00::/8"]}}`, "ip"))
	f(`ip == "::ffff:10.0.0.1"`, typed(`{"term":{"ip":{"value":"10.0.0.1"}}}`, "ip"))
	f(`ip == "::ffff:10.0.0.0/104"`, all)
	f(`ip == "x"`, all)
	f(`ip >= "10.0.0.1"`, typed(`{"range":{"ip":{"gte":"10.0.0.1"}}}`, "ip"))
	f(`cidrMatch(ip, "10.0.0.0/8")`, typed(`{"term":{"ip":{"value":"10.0.0.0/8"}}}`, "ip"))
	f(`not cidrMatch(ip, "10.0.0.0/8")`, all)
	f(`cidrMatch(path, "10.0.0.0/8")`, all)
	f(`cidrMatch(nowhere, "10.0.0.0/8")`, none)
	f(`startsWith(path, "a")`, all)
	f(`path regex "a.*"`, all)
	f(`length(path) > 5`, all)
	f(`pid + 1 == 5`, all)
	f(`unindexed == "x"`, all)
	f(`path == null`, all)
	// Negations never become must_not.
	f(`path != "a"`, all)
	f(`not path == "a"`, all)
	f(`not path != "a"`, `{"term":{"path":{"value":"a"}}}`)
	f(`not path in ("a", "b")`, all)
	f(`not path not in ("a", "b")`, `{"terms":{"path":["a","b"]}}`)
	f(`not (path != "a" or host.os.type != "b")`,
		`{"bool":{"filter":[{"term":{"path":{"value":"a"}}},{"term":{"host.os.type":{"value":"b"}}}]}}`)
	f(`not path == null`, `{"bool":{"should":[{"exists":{"field":"path"}},{"term":{"_ignored":{"value":"path"}}}]}}`)
	// An unmapped field has no value.
	f(`nowhere == "x"`, none)
	f(`nowhere == "x" or path == "a"`, `{"term":{"path":{"value":"a"}}}`)
	f(`nowhere == "x" and path == "a"`, none)
	f(`nowhere != "x" and path == "a"`, `{"term":{"path":{"value":"a"}}}`)
	f(`nowhere == null`, all)
	f(`nowhere != null`, none)
	// Both sides of an `or`, or neither.
	f(`path == "a" or path : "*x"`, all)
	f(`host.os.type == "w" and (path == "a" or path : "*x")`,
		`{"term":{"host.os.type":{"value":"w"}}}`)
	// A prefix is not needed beside an exact term.
	f(`name == "a" and path : "C:\\Windows\\*"`, `{"term":{"name":{"value":"a"}}}`)
	f(`host.os.type == "w" and path : "C:\\Windows\\*"`,
		`{"bool":{"filter":[{"term":{"host.os.type":{"value":"w"}}},{"bool":{"should":[{"prefix":{"path":{"case_insensitive":true,"value":"C:\\Windows\\"}}},{"term":{"_ignored":{"value":"path"}}}]}}]}}`)
	f(`true`, all)
	f(`false`, none)
	f(`not true`, none)
}

func TestCategory(t *testing.T) {
	got, _ := json.Marshal(build(t, `file where path == "a"`).Clause)
	want := `{"bool":{"filter":[{"term":{"event.category":{"value":"file"}}},{"term":{"path":{"value":"a"}}}]}}`
	if string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestOmissionsAreNamed(t *testing.T) {
	f := func(condition string, want ...string) {
		t.Helper()
		var got []string
		for _, o := range build(t, "any where "+condition).Omitted {
			got = append(got, eql.Print(o.Node)+": "+o.Reason)
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s:\n got %q\nwant %q", condition, got, want)
		}
	}
	f(`path == "a"`)
	f(`path : "*a"`, `path : "*a": a wildcard too near the start of a pattern: the cluster would walk over every value`)
	f(`pid == 4`)
	f(`pid == 4.5`, `pid == 4.5: a constant that an index may read otherwise`)
	f(`pid in (1 + 1, 3)`, `pid in (1 + 1, 3): a computed value`)
	f(`path in (concat("a", "b"))`, `path in (concat("a", "b")): a computed value`)
	f(`ratio == 4`)
	f(`version > "1"`, `version > "1": a comparison by order of a field of type version: the cluster would walk over its terms`)
	f(`path > "a"`, `path > "a": a comparison by order of a field of type keyword`)
	f(`length(path) > 5`, `length(path) > 5: a computed value`)
	f(`startsWith(path, "a")`,
		`startsWith(path, "a"): a function: the index would have to compute it for every value`)
	f(`name == "a" and path : "C:\\Windows\\*"`,
		`path : "C:\\Windows\\*": not needed: an exact term beside it narrows the search already`)
}

func TestLimits(t *testing.T) {
	list := func(n int) string {
		return `path : ("` + strings.Repeat(`a", "`, n-1) + `a")`
	}
	f := func(why, condition string, want string) {
		t.Helper()
		got, _ := json.Marshal(build(t, "any where "+condition).Clause)
		if len(got) > 200 {
			got = append(got[:200], "…"...)
		}
		if string(got) != want {
			t.Errorf("%s: got %s, want %s", why, got, want)
		}
	}
	f("one list over the limit", list(2000), `{"match_all":{}}`)
	f("the smaller conjunct stays", list(2000)+` and name == "x"`,
		`{"term":{"name":{"value":"x"}}}`)
	deep := `path == "a"`
	for i := range 40 {
		deep = `name == "n" ` + []string{"and", "or"}[i%2] + ` (` + deep + `)`
	}
	got, _ := json.Marshal(build(t, "any where "+deep).Clause)
	if n := strings.Count(string(got), `"bool"`); n > 24 {
		t.Errorf("40 levels: got %d nested bools", n)
	}
}

func TestBetween(t *testing.T) {
	from, to := time.Date(2026, 3, 1, 13, 0, 0, 5e6, time.FixedZone("CET", 3600)),
		time.Date(2026, 3, 1, 12, 9, 0, 0, time.UTC)
	date := event.FieldMapping{Type: event.Date, Name: "date"}
	f := func(fields map[string]event.FieldMapping, ts prefilter.Timestamps, from, to time.Time,
		want string) {
		t.Helper()
		got, err := json.Marshal(prefilter.Between(&event.Mapping{Fields: fields}, ts, from, to))
		if err != nil || string(got) != want {
			t.Errorf("%+v:\n got %s, %v\nwant %s", ts, got, err, want)
		}
	}
	primary := `{"range":{"@timestamp":{"format":"strict_date_optional_time","gte":"2026-03-01T12:00:00.005Z","lt":"2026-03-01T12:09:00.000Z"}}}`
	ingested := strings.ReplaceAll(primary, "@timestamp", "event.ingested")
	both := map[string]event.FieldMapping{"@timestamp": date, "event.ingested": date}
	override := prefilter.Timestamps{Primary: "@timestamp", Override: "event.ingested"}
	f(both, prefilter.Timestamps{Primary: "@timestamp"}, from, to, primary)
	f(both, override, from, to, `{"bool":{"should":[`+ingested+`,{"bool":{"filter":[`+primary+
		`,{"bool":{"must_not":[{"exists":{"field":"event.ingested"}}]}}]}}]}}`)
	f(map[string]event.FieldMapping{"@timestamp": date}, override, from, to, primary)
	f(map[string]event.FieldMapping{"@timestamp": date, "event.ingested": {Type: event.Keyword}},
		override, from, to, primary)
	override.NoFallback = true
	f(both, override, from, to, ingested)
	f(map[string]event.FieldMapping{"@timestamp": date}, override, from, to, `{"match_none":{}}`)
	f(both, prefilter.Timestamps{Primary: "@timestamp"}, from, time.Time{},
		`{"range":{"@timestamp":{"format":"strict_date_optional_time","gte":"2026-03-01T12:00:00.005Z"}}}`)
}

func TestGuarded(t *testing.T) {
	f := func(classes []prefilter.Class, want string) {
		t.Helper()
		got, err := json.Marshal(prefilter.Guarded(classes, dsl.Term("t", "unseen", false)))
		if err != nil || string(got) != want {
			t.Errorf("got %s, %v\nwant %s", got, err, want)
		}
	}
	a := prefilter.Class{Indices: []string{"a1", "a2"}, Window: dsl.Exists("t"),
		Filter: dsl.Term("f", "x", true)}
	b := prefilter.Class{Indices: []string{"b"}, Window: dsl.Exists("t"), Filter: dsl.Nothing()}
	f(nil, `{"term":{"t":{"value":"unseen"}}}`)
	f([]prefilter.Class{a}, `{"bool":{"should":[{"bool":{"filter":[{"terms":{"_index":["a1","a2"]}},{"exists":{"field":"t"}},{"term":{"f":{"case_insensitive":true,"value":"x"}}}]}},`+
		`{"bool":{"filter":[{"bool":{"must_not":[{"terms":{"_index":["a1","a2"]}}]}},{"term":{"t":{"value":"unseen"}}}]}}]}}`)
	f([]prefilter.Class{b}, `{"bool":{"filter":[{"bool":{"must_not":[{"terms":{"_index":["b"]}}]}},{"term":{"t":{"value":"unseen"}}}]}}`)
	f([]prefilter.Class{a, b},
		`{"bool":{"should":[{"bool":{"filter":[{"terms":{"_index":["a1","a2"]}},{"exists":{"field":"t"}},{"term":{"f":{"case_insensitive":true,"value":"x"}}}]}},`+
			`{"bool":{"filter":[{"bool":{"must_not":[{"terms":{"_index":["a1","a2","b"]}}]}},{"term":{"t":{"value":"unseen"}}}]}}]}}`)
}

func TestManyClassesFitIntoOneQuery(t *testing.T) {
	var classes []prefilter.Class
	for i := range 200 {
		var values []dsl.Clause
		for j := range 30 {
			values = append(values, dsl.Term("f", fmt.Sprint(j), true))
		}
		classes = append(classes, prefilter.Class{Indices: []string{fmt.Sprint("index-", i)},
			Window: dsl.Exists("t"), Filter: dsl.Or(values...)})
	}
	got, err := json.Marshal(prefilter.Guarded(classes, dsl.Exists("t")))
	if err != nil {
		t.Fatal(err)
	}
	leaves := strings.Count(string(got), `{"term":`) + strings.Count(string(got),
		`{"terms":`) + strings.Count(string(got), `{"exists":`)
	if leaves > 1024 {
		t.Errorf("200 classes of 30 values: got %d clauses, want at most 1024", leaves)
	}
	if !strings.Contains(string(got), `"must_not"`) {
		t.Error("the classes that do not fit are not searched at all")
	}
}
