package match_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"esrule/internal/event"
	"esrule/internal/query/eql"
	"esrule/internal/query/match"
)

// mapped gives the fields of these tests the types that their names say; b is not mapped.
var mapped = &event.Mapping{Fields: map[string]event.FieldMapping{
	"event.category": {Type: event.Keyword, Name: "keyword"},
	"event.kind":     {Type: event.Keyword, Name: "keyword"},
	"a":              {Type: event.Keyword, Name: "keyword", IgnoreAbove: 5},
	"file.name":      {Type: event.Keyword, Name: "keyword"},
	"pid":            {Type: event.Integer, Name: "long"},
	"ratio":          {Type: event.Float, Name: "double"},
	"on":             {Type: event.Boolean, Name: "boolean"},
}}

// read makes an evaluation that of an event.
func read(t testing.TB, e *match.Evaluation, m *event.Mapping, source string) {
	t.Helper()
	if err := e.Read(m, event.Document{Source: []byte(source)}); err != nil {
		t.Fatalf("%s: %v", source, err)
	}
}

func compile(t *testing.T, query string, o match.Options) (*match.Matcher, *match.Evaluation) {
	t.Helper()
	return compileOver(t, query, "", o)
}

// compileOver is compile with a field that the event category is read from.
func compileOver(t *testing.T, query, category string,
	o match.Options) (*match.Matcher, *match.Evaluation) {
	t.Helper()
	q, err := eql.Parse(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	q.CategoryField = category
	var fields event.Fields
	m, err := match.Compile(q, &fields, o)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return m, match.NewEvaluation(&fields, time.Now())
}

func TestMatch(t *testing.T) {
	f := func(condition, source string, want bool) {
		t.Helper()
		m, e := compile(t, "any where "+condition, match.Options{})
		read(t, e, mapped, source)
		if got := m.Match(e); got != want {
			t.Errorf("%s of %s: got %v, want %v", condition, source, got, want)
		}
		if got := m.Explain(e).Holds; got != want {
			t.Errorf("explain %s of %s: got %v, want %v", condition, source, got, want)
		}
	}
	// Equality is exact, the pattern operators fold ASCII.
	f(`a == "x"`, `{"a":"x"}`, true)
	f(`a == "x"`, `{"a":"X"}`, false)
	f(`"x" == a`, `{"a":"x"}`, true)
	f(`a : "X"`, `{"a":"x"}`, true)
	f(`a : "É"`, `{"a":"é"}`, false)
	f(`a like "X"`, `{"a":"x"}`, false)
	f(`a like~ "X*"`, `{"a":"xyz"}`, true)
	f(`a == "x*"`, `{"a":"xyz"}`, false)
	f(`a in~ ("X*")`, `{"a":"xyz"}`, false)
	f(`a in~ ("X", "Y")`, `{"a":"y"}`, true)
	f(`a in ("X", "Y")`, `{"a":"y"}`, false)
	f(`a : ("b*", "x?z")`, `{"a":"XYZ"}`, true)
	// A missing field: a leaf is false, its negation true.
	f(`a == "x"`, `{}`, false)
	f(`a != "x"`, `{}`, true)
	f(`not a : "x"`, `{}`, true)
	f(`a not in ("x")`, `{}`, true)
	f(`a : "*"`, `{}`, false)
	f(`a == null`, `{}`, true)
	f(`a == null`, `{"a":null}`, true)
	f(`a == null`, `{"a":[]}`, true)
	f(`a == null`, `{"a":""}`, false)
	f(`a != null`, `{"a":"x"}`, true)
	f(`not file.name : "x"`, `{"file":{}}`, true)
	f(`?a == null`, `{}`, true)
	// An unmapped field is missing, whatever the event holds.
	f(`b == "x"`, `{"b":"x"}`, false)
	f(`b != "x"`, `{"b":"x"}`, true)
	// Any value of an array; a negation: none.
	f(`a == "x"`, `{"a":["y","x"]}`, true)
	f(`a != "x"`, `{"a":["y","x"]}`, false)
	f(`a : "x" and a : "y"`, `{"a":["y","x"]}`, true)
	f(`a not in ("z")`, `{"a":["y","x"]}`, true)
	// A value beyond ignore_above is there.
	f(`a : "long*"`, `{"a":"longer than five"}`, true)
	// The mapping's type decides, not the JSON.
	f(`a == 5`, `{"a":5}`, true)
	f(`a == "5"`, `{"a":5}`, true)
	f(`a == "1e3"`, `{"a":1e3}`, true)
	f(`a == "1000"`, `{"a":1e3}`, false)
	f(`pid == 5`, `{"pid":"5"}`, true)
	f(`pid == "5"`, `{"pid":5}`, true)
	f(`pid == 5.0`, `{"pid":5}`, true)
	f(`pid == "x"`, `{"pid":5}`, false)
	f(`pid == 4`, `{"pid":"4.7"}`, true)
	f(`pid : "5"`, `{"pid":5}`, true)
	f(`pid == null`, `{"pid":"x"}`, true)
	f(`ratio == 0.5`, `{"ratio":"0.50"}`, true)
	f(`on == true`, `{"on":"true"}`, true)
	f(`on`, `{"on":true}`, true)
	f(`not on`, `{}`, true)
	f(`on == false`, `{}`, false)
	f(`on == 1`, `{"on":true}`, false)
	f(`a == true`, `{"a":true}`, true)
	f(`a == -5`, `{"a":"-5"}`, true)
	// null in a list is dropped.
	f(`a in ("x", null)`, `{}`, false)
	f(`a in (5, 6)`, `{"a":"5"}`, true)
	// Connectives.
	f(`true`, `{}`, true)
	f(`false or a == "x"`, `{"a":"x"}`, true)
	f(`not (a == "x" and pid == 5)`, `{"a":"x"}`, true)
	f(`a == "x" or pid == 5 and on`, `{"a":"x"}`, true)
}

func TestCategory(t *testing.T) {
	f := func(query, field, source string, want bool) {
		t.Helper()
		m, e := compileOver(t, query, field, match.Options{})
		read(t, e, mapped, source)
		if got := m.Match(e); got != want {
			t.Errorf("%s by %q of %s: got %v, want %v", query, field, source, got, want)
		}
	}
	f(`file where true`, "", `{"event":{"category":["network","file"]}}`, true)
	f(`file where true`, "", `{"event":{"category":"File"}}`, false)
	f(`file where true`, "", `{}`, false)
	f(`"file" where true`, "", `{"event.category":"file"}`, true)
	f(`any where true`, "", `{}`, true)
	f(`file where true`, "a", `{"a":"file"}`, true)
	f(`file where a == "x" or pid == 1`, "", `{"a":"x"}`, false)
}

func TestSignalsAreNotAlertedOn(t *testing.T) {
	f := func(source string, want bool) {
		t.Helper()
		m, e := compile(t, `any where a == "x"`, match.Options{ExcludeSignals: true})
		read(t, e, mapped, source)
		if got := m.Match(e); got != want {
			t.Errorf("%s: got %v, want %v", source, got, want)
		}
		if got := m.Explain(e).Holds; got != want {
			t.Errorf("explain %s: got %v, want %v", source, got, want)
		}
	}
	f(`{"a":"x","event":{"kind":"event"}}`, true)
	f(`{"a":"x"}`, true)
	f(`{"a":"x","event":{"kind":"signal"}}`, false)
	f(`{"a":"x","event.kind":["signal"]}`, false)
}

func TestDecisiveParts(t *testing.T) {
	f := func(condition, source string, want ...string) {
		t.Helper()
		m, e := compile(t, "any where "+condition, match.Options{})
		read(t, e, mapped, source)
		var got []string
		collectDecisive(m.Explain(e), &got)
		if len(got) != len(want) {
			t.Errorf("%s of %s: got %q, want %q", condition, source, got, want)
			return
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s of %s: got %q, want %q", condition, source, got, want)
			}
		}
	}
	f(`a == "x" and pid == 1 and on`, `{"a":"x"}`, `pid == 1`)
	f(`a == "x" and pid == 1`, `{"a":"x","pid":1}`, `a == "x"`, `pid == 1`)
	f(`a == "x" or pid == 1 or on`, `{"pid":1,"on":true}`, `pid == 1`)
	f(`not (a == "x" or pid == 1)`, `{}`, `a == "x"`, `pid == 1`)
}

func collectDecisive(x *match.Explanation, into *[]string) {
	if x.Decisive && x.Kind == "leaf" {
		*into = append(*into, x.Text)
	}
	for _, operand := range x.Operands {
		collectDecisive(operand, into)
	}
}

func TestExplainShowsWhatWasComputed(t *testing.T) {
	f := func(condition, source string, want ...match.Computed) {
		t.Helper()
		m, e := compile(t, "any where "+condition, match.Options{})
		read(t, e, mapped, source)
		x := m.Explain(e)
		if diff := cmp.Diff(want, x.Computed); diff != "" {
			t.Errorf("%s of %s: want -, got +\n%s", condition, source, diff)
		}
	}
	f(`length(a) > 2`, `{"a":["x","xyz"]}`,
		match.Computed{Text: "length(a)", Values: []string{"1", "3"}})
	f(`length(a) > 2`, `{}`, match.Computed{Text: "length(a)", Values: []string{"null"}})
	f(`pid + 1 == 2`, `{"pid":1}`, match.Computed{Text: "pid + 1", Values: []string{"2"}})
	f(`startsWith(a, substring(file.name, 0, 1))`, `{"a":"abc","file":{"name":"ax"}}`,
		match.Computed{Text: "substring(file.name, 0, 1)", Values: []string{"a"}},
		match.Computed{Text: "startsWith(a, substring(file.name, 0, 1))", Values: []string{"true"}})
	f(`a == "x"`, `{"a":"x"}`)
}

func BenchmarkMatch(b *testing.B) {
	q, err := eql.Parse(`file where host.os.type == "windows" and event.type == "creation" and
		process.name : ("UMWorkerProcess.exe", "umservice.exe") and file.extension : ("php", "jsp", "aspx") and
		file.path : ("?:\\inetpub\\wwwroot\\aspnet_client\\*", "?:\\*\\Microsoft\\Exchange Server*\\FrontEnd\\HttpProxy\\ecp\\auth\\*")`)
	if err != nil {
		b.Fatal(err)
	}
	var fields event.Fields
	m, err := match.Compile(q, &fields, match.Options{})
	if err != nil {
		b.Fatal(err)
	}
	e := match.NewEvaluation(&fields, time.Now())
	const source = `{"event":{"category":["file"],"type":["creation"]},"host":{"os":{"type":"windows"}},"process":{"name":"UMWorkerProcess.exe"},"file":{"extension":"ASPX","path":"C:\\Program Files\\Microsoft\\Exchange Server\\V15\\FrontEnd\\HttpProxy\\owa\\auth\\x.aspx"}}`
	b.ReportAllocs()
	for b.Loop() {
		read(b, e, nil, source)
		if m.Match(e) {
			b.Fatal("matches")
		}
	}
}

func TestExplainTellsOfTheMapping(t *testing.T) {
	f := func(field, source string, want match.FieldValues) {
		t.Helper()
		m, e := compile(t, "any where "+field+" == null", match.Options{})
		read(t, e, mapped, source)
		want.Path = field
		if diff := cmp.Diff(want, m.Explain(e).Fields[0], cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s of %s (-want +got):\n%s", field, source, diff)
		}
	}
	f("b", `{"b":"x"}`, match.FieldValues{Mapping: "unmapped", NotTaken: []string{"x"}})
	f("pid", `{"pid":["4.7",5,"x"]}`,
		match.FieldValues{Mapping: "long", Values: []string{"4.7", "5"},
			Coerced: []string{`"4.7" as 4`}, NotTaken: []string{"x"}})
	f("a", `{"a":"longer than five"}`,
		match.FieldValues{Mapping: "keyword", Values: []string{"longer than five"}, Ignored: 1})
	f("a", `{"a":[]}`, match.FieldValues{Mapping: "keyword"})
}

// TestExplainServerReadDates holds that a value of a date that only the server reads is called none
// only where the server said so.
func TestExplainServerReadDates(t *testing.T) {
	mapping := &event.Mapping{Fields: map[string]event.FieldMapping{
		"day": {Type: event.Date, Name: "date", Formats: "dd.MM.yyyy", FromFields: true,
			ServerRead: true},
	}}
	f := func(extra string, want match.FieldValues) {
		t.Helper()
		m, e := compile(t, "any where day == null", match.Options{})
		err := e.Read(mapping, event.Document{Source: []byte(`{"day":["02.01.2026","x"]}`),
			Fields: []byte(extra)})
		if err != nil {
			t.Fatal(err)
		}
		want.Path, want.Mapping = "day", "date"
		if diff := cmp.Diff(want, m.Explain(e).Fields[0], cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("with %s (-want +got):\n%s", extra, diff)
		}
	}
	f(``, match.FieldValues{})
	f(`{"day":["2026-01-02T00:00:00.000Z"]}`,
		match.FieldValues{Values: []string{"2026-01-02T00:00:00.000Z"}})
	f(`{"other":[1]}`, match.FieldValues{NotTaken: []string{"02.01.2026", "x"}})
}

// TestCaselessWithoutMapping: without a mapping a .caseless field is its parent in lower case, and
// constants are lower-cased with it.
func TestCaselessWithoutMapping(t *testing.T) {
	f := func(condition string, want bool) {
		t.Helper()
		m, e := compile(t, "any where "+condition, match.Options{})
		source := `{"process":{"name":"CMD.EXE","pid":5}}`
		read(t, e, nil, source)
		if got := m.Match(e); got != want {
			t.Errorf("%s: got %v, want %v", condition, got, want)
		}
		if _, err := e.ReadLine([]byte(source), nil); err != nil || m.Match(e) != want {
			t.Errorf("%s, skimmed: got %v, want %v", condition, !want, want)
		}
	}
	f(`process.name.caseless == "cmd.exe"`, true)
	f(`process.name.caseless == "Cmd.Exe"`, true)
	f(`process.name.caseless in ("x", "CMD.EXE")`, true)
	f(`process.name.caseless like "C?D*"`, true)
	f(`process.name.caseless : "CMD.EXE"`, true)
	f(`process.name.caseless regex "CMD.*"`, true)
	f(`process.name.caseless < "CMD.EXF"`, true)
	f(`startsWith(process.name.caseless, "CMD")`, true)
	f(`process.name == "cmd.exe"`, false)
	f(`process.pid.caseless == 5`, true)
	f(`user.name.caseless == null`, true)
}
