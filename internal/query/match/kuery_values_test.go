package match_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"esrule/internal/event"
	"esrule/internal/query/kql"
	"esrule/internal/query/match"
)

// kueryMapping has what the judge's server lacks too.
func kueryMapping() *event.Mapping {
	fields := map[string]event.FieldMapping{"text": {Type: event.Text, Name: "text"}}
	for _, name := range []string{"keyword", "constant_keyword", "wildcard", "flattened", "version",
		"match_only_text", "unsigned_long", "scaled_float", "ip", "date", "boolean"} {
		fields[name] = event.FieldMapping{Type: event.TypeOf(name), Name: name}
	}
	constant := fields["constant_keyword"]
	constant.Constant = "ab"
	fields["constant_keyword"] = constant
	scaled := fields["scaled_float"]
	scaled.ScalingFactor = 10
	fields["scaled_float"] = scaled
	flattened := fields["flattened"]
	flattened.Leaves = true
	fields["flattened"] = flattened
	fields["flattened.a"] = event.FieldMapping{Type: event.Keyword, Name: "flattened"}
	return &event.Mapping{Fields: fields}
}

func compileKuery(t testing.TB, query string) (*match.Matcher, *match.Evaluation) {
	t.Helper()
	q, err := kql.Parse(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	var fields event.Fields
	m, err := match.Compile(q, &fields, match.Options{})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	return m, match.NewEvaluation(&fields, now)
}

func TestKueryTypes(t *testing.T) {
	f := func(query, source string, want bool) {
		t.Helper()
		got := acceptedOf(t, query, kueryMapping(), []json.RawMessage{json.RawMessage(source)})
		if (len(got) > 0) != want {
			t.Errorf("%s on %s: got %v, want %v", query, source, len(got) > 0, want)
		}
	}
	f(`constant_keyword: ab`, `{}`, true)
	f(`constant_keyword: a*`, `{}`, true)
	f(`constant_keyword: AB`, `{}`, false)
	f(`wildcard: "C:\\x y"`, `{"wildcard":"C:\\x y"}`, true)
	f(`wildcard: c*`, `{"wildcard":"C:\\x y"}`, false)
	f(`wildcard: *x y*`, `{"wildcard":"C:\\x y z"}`, true)
	f(`wildcard: *x y*`, `{"wildcard":"y"}`, false) // Kibana's: x or y
	f(`wildcard: a?b*`, `{"wildcard":"axb"}`, false)
	f(`flattened: x`, `{"flattened":{"a":"x"}}`, true)
	f(`flattened.a: x*`, `{"flattened":{"a":"xy"}}`, true)
	f(`flattened.a: "22.0"`, `{"flattened":{"a":22}}`, false)
	f(`flattened: *`, `{"flattened":{"a":"x"}}`, true)
	f(`version: 1.2.3`, `{"version":"1.2.3"}`, true)
	f(`version > 1.9.0`, `{"version":"1.10.0"}`, true)
	f(`unsigned_long > 9223372036854775807`, `{"unsigned_long":18446744073709551615}`, true)
	f(`unsigned_long: "5.0"`, `{"unsigned_long":5}`, true)
	f(`scaled_float: 0.1`, `{"scaled_float":0.12}`, true)
	f(`scaled_float: abc`, `{"scaled_float":0.12}`, false)
	f(`match_only_text: "foo BAR"`, `{"match_only_text":"a Foo-bar"}`, true)
	f(`match_only_text: "foo bar"`, `{"match_only_text":["foo","bar"]}`, false)
	f(`match_only_text: x bar`, `{"match_only_text":["foo","bar"]}`, true)
	f(`match_only_text: ".pst"`, `{"match_only_text":"x.pst"}`, false)
	f(`match_only_text: *`, `{"match_only_text":""}`, true)
	f(`match_only_text: ""`, `{"match_only_text":""}`, false)
	f(`ip: 10.1.2.3/8`, `{"ip":"::ffff:10.0.0.1"}`, true)
	f(`ip: "::ffff:10.0.0.0/104"`, `{"ip":"10.0.0.1"}`, true)
	f(`ip: 0.0.0.0/0`, `{"ip":"::1"}`, false)
	f(`ip: 10.*`, `{"ip":"10.0.0.1"}`, false)
	f(`not ip: abc`, `{"ip":"10.0.0.1"}`, true)
	f(`boolean: yes`, `{"boolean":true}`, false)
	f(`date: nodate`, `{"date":"2026-01-01"}`, false)
	f(`date: 2026`, `{"date":"2026-01-01T23:59:59.999Z"}`, true)
	f(`date: 2026`, `{"date":"2026-01-02"}`, false)
}

func TestKueryDateMath(t *testing.T) {
	f := func(query, date string, want bool) {
		t.Helper()
		for _, m := range []*event.Mapping{kueryMapping(), nil} {
			matcher, e := compileKuery(t, query)
			read(t, e, m, `{"date":"`+date+`"}`)
			if got := matcher.Match(e); got != want {
				t.Errorf("%s on %s at 2026-03-04T05:06:07Z (mapping known: %v): got %v, want %v",
					query, date, m != nil, got, want)
			}
		}
	}
	f(`date >= now-30d/d`, "2026-02-02T00:00:00Z", true)
	f(`date >= now-30d/d`, "2026-02-01T23:59:59Z", false)
	f(`date < now-30d/d`, "2026-02-01T23:59:59Z", true)
	f(`date > now`, "2026-03-04T05:06:08Z", true)
	f(`date: now/d`, "2026-03-04T23:59:59Z", true)
}

// TestKueryWithoutMapping holds what is decided by the event and the query alone.
func TestKueryWithoutMapping(t *testing.T) {
	f := func(query, source string, want bool) {
		t.Helper()
		got := acceptedOf(t, query, nil, []json.RawMessage{json.RawMessage(source)})
		if (len(got) > 0) != want {
			t.Errorf("%s on %s: got %v, want %v", query, source, len(got) > 0, want)
		}
	}
	f(`n: "22.0"`, `{"n":22}`, true)
	f(`n: 22.0`, `{"n":"22"}`, false) // perhaps a keyword
	f(`n > 100`, `{"n":"22"}`, false)
	f(`n > 100`, `{"n":"x"}`, false)
	f(`k > a`, `{"k":"b"}`, true)
	f(`k: B`, `{"k":"b"}`, false)
	f(`ip: 10.0.0.0/8`, `{"ip":"10.1.1.1"}`, true)
	f(`message: "Foo bar"`, `{"message":"a foo-BAR"}`, true)
	f(`powershell.file.script_block_text: invoke*`,
		`{"powershell":{"file":{"script_block_text":"x Invoke-Foo"}}}`, true)
	f(`process.args.text: foo`, `{"process":{"args":["a foo"]}}`, true)
	f(`process.name.caseless: CMD*`, `{"process":{"name":"cmd.exe"}}`, true)
	f(`process*: cmd.exe`, `{"process":{"parent":{"name":"cmd.exe"}}}`, true)
	f(`process*: cmd.exe`, `{"process.name":"cmd.exe"}`, true)
	f(`process*: cmd.exe`, `{"file":{"process":"cmd.exe"}}`, false)
	f(`*message: bar`, `{"message":"foo bar"}`, true)
	f(`a.b: { c: x and d: y }`, `{"a":{"b":[{"c":"x","d":"y"}]}}`, true)
	f(`a.b: { c: x and d: y }`, `{"a":{"b":[{"c":"x"},{"d":"y"}]}}`, false)
	f(`a.b: { c: x and d: y }`, `{"a":[{"b":{"c":"x"}},{"b.d":"y"}]}`, false)
	f(`a.b: { not c: x }`, `{"a":{"b":{}}}`, true)
	f(`a.b: { not c: x }`, `{"a":{"b":"c"}}`, false)
	f(`a: { b: { c: x } and d: y }`, `{"a":{"b":[{"c":"z"},{"c":"x"}],"d":"y"}}`, true)
	f(`a.b: { c: x }`, `{"a.b.c":"x"}`, true)
	f(``, `{}`, true)
}

// TestKueryDeep reads events that are nested too deeply for the parser.
func TestKueryDeep(t *testing.T) {
	f := func(query, source string, want bool) {
		t.Helper()
		source = `{"deep":` + strings.Repeat(`{"x":`, 400) + "1" + strings.Repeat("}", 401) + source
		source = strings.Replace(source, "}{", ",", 1)
		got := acceptedOf(t, query, nil, []json.RawMessage{json.RawMessage(source)})
		if (len(got) > 0) != want {
			t.Errorf("%s: got %v, want %v", query, len(got) > 0, want)
		}
	}
	f(`k*: x`, `{"kk":{"y":"x"}}`, true)
	f(`k*: x`, `{"jk":{"y":"x"}}`, false)
}

// TestKueryExplain names what each leaf looked at.
func TestKueryExplain(t *testing.T) {
	m, e := compileKuery(t, `(k: a* or n > 5) and ne: { r: x } and not o*: "q"`)
	read(t, e, nil, `{"k":"b","n":7,"ne":[{"r":"x"}],"o":{"p":"z"}}`)
	var got []string
	var walk func(*match.Explanation)
	walk = func(x *match.Explanation) {
		if x.Kind == "leaf" {
			line := x.Text + ":"
			for _, f := range x.Fields {
				line += " " + f.Path + "=" + strings.Join(f.Values, ",")
			}
			got = append(got, line)
		}
		for _, operand := range x.Operands {
			walk(operand)
		}
	}
	x := m.Explain(e)
	walk(x)
	want := []string{`k: a*: k=b`, `n > 5: n=7`, `ne: { r: x }: ne.r=x`, `o*: "q": o*=z`}
	if !x.Holds || !slices.Equal(got, want) {
		t.Errorf("holds %v, got %q, want %q", x.Holds, got, want)
	}
}

func scriptBlock(size int) string {
	const line = `[Reflection.Assembly]::Load($x.Foo("bar")) | Out-Null; $a = Get-Item C:\\Win\\x.exe; `
	text, _ := json.Marshal(strings.Repeat(line, 1+size/len(line)))
	return `{"k":"cmd.exe","n":4,"t":` + string(text) +
		`,"ne":[{"a":"x","b":1},{"a":"y"}],"date":"2026-01-02","ip":"10.0.0.1"}`
}

// An event that matches nothing costs no memory, also with texts, nested objects and patterns of
// fields.
func TestKueryNoAllocations(t *testing.T) {
	typed := kueryMapping()
	for path, name := range map[string]string{"k": "keyword", "n": "long", "t": "text",
		"ne.a": "keyword", "ne.b": "long"} {
		typed.Fields[path] = event.FieldMapping{Type: event.TypeOf(name), Name: name}
	}
	f := func(query string) {
		t.Helper()
		for _, m := range []*event.Mapping{typed, nil} {
			matcher, e := compileKuery(t, query)
			document := event.Document{Source: []byte(scriptBlock(2000))}
			judge := func() {
				if err := e.Read(m, document); err != nil {
					t.Fatal(err)
				}
				if matcher.Match(e) {
					t.Fatalf("%s matches", query)
				}
			}
			judge() // makes the room that is used again
			if n := testing.AllocsPerRun(100, judge); n != 0 {
				t.Errorf("%s (mapping known: %v): %v allocations", query, m != nil, n)
			}
		}
	}
	f(`k: (cmd or "x" or a*b) or n: (5 or 22.5) or k < a or n > 9`)
	f(`t: "load reflection" or t: nothing at all or t: *nothing* or t < a and t > zz`)
	f(`date < 2020-01-01 or date: 2025-01-01`)
	f(`ne: { a: y and b: 1 }`)
	f(`k*: nothing or n*: 5`)
}

func BenchmarkKueryText(b *testing.B) {
	var query []string
	for _, word := range []string{"Invoke-Mimikatz", "DumpCreds", "System.Reflection", "Out-File",
		"Get-ADUser", "VirtualAlloc", "LsaQuery", "NetShare"} {
		query = append(query, word, `"`+word+` x"`)
	}
	matcher, e := compileKuery(b, `t: (`+strings.Join(query, " or ")+`) and k: nothing`)
	m := &event.Mapping{Fields: map[string]event.FieldMapping{
		"t": {Type: event.Text, Name: "text"}, "k": {Type: event.Keyword, Name: "keyword"}}}
	document := event.Document{Source: []byte(scriptBlock(20_000))}
	b.ReportAllocs()
	b.SetBytes(int64(len(document.Source)))
	for b.Loop() {
		if err := e.Read(m, document); err != nil || matcher.Match(e) {
			b.Fatal(err, "matches")
		}
	}
}

// A value says nothing of one that stood in its place in an event before.
func TestNumberBeforeText(t *testing.T) {
	matcher, e := compileKuery(t, `a: 4.0`)
	typed := &event.Mapping{Fields: map[string]event.FieldMapping{
		"a": {Type: event.Keyword, Name: "keyword"}}}
	for i, f := range []struct {
		mapping *event.Mapping
		want    bool
	}{{nil, true}, {typed, false}, {nil, true}} {
		read(t, e, f.mapping, `{"a":4}`)
		if got := matcher.Match(e); got != f.want {
			t.Errorf("reading %d, mapping %v: got %v, want %v", i, f.mapping != nil, got, f.want)
		}
	}
}
