package event_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fastjson"

	"esrule/internal/query/event"
)

// values reads one field of a document, as text.
func values(t *testing.T, m *event.Mapping, path, source, extra string) []string {
	t.Helper()
	var fields event.Fields
	slot := fields.Add(path)
	e := event.New(&fields)
	doc, err := fastjson.Parse(source)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	var more *fastjson.Value
	if extra != "" {
		more = fastjson.MustParse(extra)
	}
	e.Reset(m, doc, more)
	var texts []string
	for _, v := range e.Values(slot) {
		switch v.Kind {
		case event.KindText:
			texts = append(texts, string(v.Text))
		case event.KindInteger:
			texts = append(texts, fmt.Sprint(v.Integer))
		case event.KindFloat:
			texts = append(texts, fmt.Sprint(v.Float))
		case event.KindBoolean:
			texts = append(texts, fmt.Sprint(v.Boolean))
		}
	}
	return texts
}

func TestPaths(t *testing.T) {
	f := func(path, source string, want ...string) {
		t.Helper()
		if got := values(t, nil, path, source, ""); !cmp.Equal(got, want) {
			t.Errorf("%s of %s: got %q, want %q", path, source, got, want)
		}
	}
	f("process.name", `{"process":{"name":"a.exe"}}`, "a.exe")
	f("process.name", `{"process.name":"a.exe"}`, "a.exe")
	f("process.name", `{"process.name":"a","process":{"name":"b"}}`, "b", "a")
	f("process.name", `{"process":[{"name":"a"},{"pid":1},{"name":["b","c"]}]}`, "a", "b", "c")
	f("process.name", `{"process":{"name":[["a"],["b"]]}}`, "a", "b")
	f("process.parent.name", `{"process":{"parent.name":"a"}}`, "a")
	f("process.parent.name", `{"process.parent":{"name":"a"}}`, "a")
	f("process.parent.name", `{"process.parent":[{"name":"a"}],"process":{"parent":{"name":"b"}}}`, "b", "a")
	f("process.parent.name", `{"process":{"parent":{"name":{"text":"a"}}}}`)
	f("process.name", `{"process":"x"}`)
	f("process.name", `{"process":null}`)
	f("process.name", `{"process":{"name":null}}`)
	f("process.name", `{"process":{"name":[]}}`)
	f("process.name", `{"process":{"name":[null,"a"]}}`, "a")
	f("process.name", `{"process":{"name":""}}`, "")
	f("process", `{"process":{"name":"a"}}`)
	f("a", `{"a":"\u0041\n\\"}`, "A\n\\")
	f("a", `{"\u0061":"x"}`, "x")
	f("a", `{"a":[1,1e3,1.50,true,false]}`, "1", "1e3", "1.50", "true", "false")
	f("a", `[]`)
}

func TestTypes(t *testing.T) {
	f := func(field event.FieldMapping, value string, want ...string) {
		t.Helper()
		m := &event.Mapping{Fields: map[string]event.FieldMapping{"a": field}}
		if got := values(t, m, "a", `{"a":`+value+`}`, ""); !cmp.Equal(got, want) {
			t.Errorf("%v as %v: got %q, want %q", value, field, got, want)
		}
	}
	f(event.FieldMapping{Type: event.Keyword}, `4624`, "4624")
	f(event.FieldMapping{Type: event.Keyword}, `1e3`, "1e3")
	f(event.FieldMapping{Type: event.Integer}, `"4624"`, "4624")
	f(event.FieldMapping{Type: event.Integer}, `"4.7"`, "4")
	f(event.FieldMapping{Type: event.Integer}, `-4.7`, "-4")
	f(event.FieldMapping{Type: event.Integer}, `"x"`)
	f(event.FieldMapping{Type: event.Integer}, `9223372036854775807`, "9223372036854775807")
	f(event.FieldMapping{Type: event.Integer}, `9223372036854775808`)
	f(event.FieldMapping{Type: event.Integer}, `true`)
	f(event.FieldMapping{Type: event.Float}, `["1.5",2]`, "1.5", "2")
	f(event.FieldMapping{Type: event.Float}, `"NaN"`)
	f(event.FieldMapping{Type: event.Boolean}, `[true,"false",""]`, "true", "false", "false")
	f(event.FieldMapping{Type: event.Boolean}, `"yes"`)
	f(event.FieldMapping{}, `"x"`)
	f(event.FieldMapping{Type: event.Object}, `"x"`)
	f(event.FieldMapping{Type: event.Keyword, NullValue: "none", HasNullValue: true}, `null`, "none")
	f(event.FieldMapping{Type: event.Keyword, NullValue: "none", HasNullValue: true}, `[null,"x"]`, "none", "x")
	f(event.FieldMapping{Type: event.Integer, NullValue: "7", HasNullValue: true}, `null`, "7")
}

func TestValuesOnlyTheIndexHas(t *testing.T) {
	m := &event.Mapping{Fields: map[string]event.FieldMapping{
		"event.module": {Type: event.Keyword, FromFields: true},
		"host.name":    {Type: event.Keyword},
	}}
	f := func(path, source, extra string, want ...string) {
		t.Helper()
		if got := values(t, m, path, source, extra); !cmp.Equal(got, want) {
			t.Errorf("%s of %s with %s: got %q, want %q", path, source, extra, got, want)
		}
	}
	f("event.module", `{}`, `{"event.module":["m365"]}`, "m365")
	f("event.module", `{"event":{"module":"a"}}`, `{"event.module":["m365"]}`, "a", "m365")
	f("event.module", `{}`, ``)
	f("host.name", `{}`, `{"host.name":["not asked for"]}`)
}

func TestResetForgetsTheLastEvent(t *testing.T) {
	var fields event.Fields
	slot := fields.Add("a")
	e := event.New(&fields)
	for _, source := range []string{`{"a":"UPPER"}`, `{"a":"Other"}`, `{}`} {
		e.Reset(nil, fastjson.MustParse(source), nil)
		var got, want string
		for i := range e.Values(slot) {
			got = string(e.Lower(&e.Values(slot)[i]))
		}
		want = strings.ToLower(string(fastjson.MustParse(source).GetStringBytes("a")))
		if got != want {
			t.Errorf("%s: got %q, want %q", source, got, want)
		}
	}
}

func TestLowerFoldsASCIIOnly(t *testing.T) {
	var fields event.Fields
	slot := fields.Add("a")
	e := event.New(&fields)
	f := func(text, want string) {
		t.Helper()
		e.Reset(nil, fastjson.MustParse(`{"a":"`+text+`"}`), nil)
		if got := string(e.Lower(&e.Values(slot)[0])); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	f("AZaz@[", "azaz@[")
	f("ÉK", "Ék")
	f("\u212a", "\u212a") // the Kelvin sign
	f("", "")
}

func TestShallow(t *testing.T) {
	var fields event.Fields
	fields.Add("process.name")
	fields.Add("file.path")
	f := func(source, want string) {
		t.Helper()
		got, err := event.Shallow([]byte(source), &fields)
		if err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v, want %s", source, got, err, want)
		}
	}
	f(`{"process":{"name":"a","pid":1},"file.path":"b","other":{"x":[1,{"process":{"name":"no"}}]}}`,
		`{"file.path":["b"],"process.name":["a"]}`)
	f(`{"process":[{"name":["a",null,1.50,true]},{"name":"b"}]}`, `{"process.name":["a",null,1.50,true,"b"]}`)
	f(`{"process":{"name":{"deeper":"x"}},"file":{"path":{}}}`, `{}`)
	deep := strings.Repeat(`{"x":[`, 700) + `{}` + strings.Repeat(`]}`, 700)
	f(`{"deep":`+deep+`,"process":{"name":"a"},"more":`+deep+`,"file":{"path":"b"}}`, `{"file.path":["b"],"process.name":["a"]}`)
}

// FuzzEvent holds that the two readings of one document agree, whatever the document.
func FuzzEvent(f *testing.F) {
	for _, seed := range []string{`{"a":{"b":"x"}}`, `{"a.b":[1,null]}`, `{"a":[{"b":true},{"b":[[2]]}]}`, `{"a":{"b":"\ud800"}}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		doc, err := fastjson.Parse(source)
		if err != nil || doc.Type() != fastjson.TypeObject {
			return
		}
		var fields event.Fields
		slot := fields.Add("a.b")
		e := event.New(&fields)
		e.Reset(nil, doc, nil)
		direct := len(e.Values(slot))
		flat, err := event.Shallow([]byte(source), &fields)
		if err != nil {
			return // fastjson takes some texts that are not JSON
		}
		e.Reset(nil, fastjson.MustParseBytes(flat), nil)
		// Duplicate keys, which Elasticsearch refuses, are seen by one reading only.
		if got := len(e.Values(slot)); got < direct {
			t.Errorf("%s: %d values directly, %d through Shallow (%s)", source, direct, got, flat)
		}
	})
}

func BenchmarkValues(b *testing.B) {
	source := `{"@timestamp":"2026-01-01T00:00:00Z","event":{"category":["file"],"type":["creation"]},"host":{"os":{"type":"windows"},"name":"h"},"process":{"name":"UMWorkerProcess.exe","pid":12},"file":{"path":"C:\\x\\y.aspx","name":"y.aspx","extension":"aspx"}}`
	var fields event.Fields
	var slots []event.Slot
	for _, p := range []string{"event.category", "host.os.type", "event.type", "process.name", "file.extension", "file.path", "file.name"} {
		slots = append(slots, fields.Add(p))
	}
	e := event.New(&fields)
	var p fastjson.Parser
	b.SetBytes(int64(len(source)))
	b.ReportAllocs()
	for b.Loop() {
		doc, err := p.Parse(source)
		if err != nil {
			b.Fatal(err)
		}
		e.Reset(nil, doc, nil)
		for _, s := range slots {
			for i := range e.Values(s) {
				e.Lower(&e.Values(s)[i])
			}
		}
	}
}
