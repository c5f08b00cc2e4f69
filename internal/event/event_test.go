package event_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fastjson"

	"esrule/internal/event"
)

// values reads one field of a document, as text.
func values(t *testing.T, m *event.Mapping, path, source, extra string) []string {
	t.Helper()
	var fields event.Fields
	slot := fields.Add(path)
	e := event.New(&fields)
	err := e.Read(m, event.Document{Source: []byte(source), Fields: []byte(extra)})
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	var texts []string
	for _, v := range e.Values(slot) {
		switch v.Kind {
		case event.KindText, event.KindUntyped, event.KindVersion:
			texts = append(texts, string(v.Text))
		case event.KindInteger:
			texts = append(texts, fmt.Sprint(v.Integer))
		case event.KindFloat:
			texts = append(texts, fmt.Sprint(v.Float))
		case event.KindBoolean:
			texts = append(texts, fmt.Sprint(v.Boolean))
		case event.KindUnsigned:
			texts = append(texts, fmt.Sprint(v.Unsigned()))
		case event.KindDate:
			texts = append(texts, time.UnixMilli(v.Integer).UTC().Format(time.RFC3339Nano))
		case event.KindDateNanos:
			texts = append(texts, time.Unix(0, v.Integer).UTC().Format(time.RFC3339Nano))
		case event.KindAddress:
			texts = append(texts, v.Address.String())
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
	f("process.parent.name", `{"process.parent":[{"name":"a"}],"process":{"parent":{"name":"b"}}}`,
		"b", "a")
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
	f(event.FieldMapping{Type: event.Integer}, `"9223372036854775806.9"`, "9223372036854775806")
	f(event.FieldMapping{Type: event.Integer}, `"1e3"`, "1000")
	f(event.FieldMapping{Type: event.Integer}, `["0x10","1_0"," 1","Inf",""]`)
	f(event.FieldMapping{Type: event.Integer, NullValue: "7", HasNullValue: true}, `""`, "7")
	f(event.FieldMapping{Type: event.Integer, Name: "byte"}, `[127,128,-128,-129]`, "127", "-128")
	f(event.FieldMapping{Type: event.Integer, Name: "short"}, `[32767,32768]`, "32767")
	f(event.FieldMapping{Type: event.Integer, Name: "integer"}, `[2147483647,2147483648]`,
		"2147483647")
	f(event.FieldMapping{Type: event.Unsigned},
		`[18446744073709551615,9223372036854775808,5,"6","7.0"]`, "18446744073709551615",
		"9223372036854775808", "5", "6", "7")
	f(event.FieldMapping{Type: event.Unsigned}, `[-1,18446744073709551616,"7.5",1e30]`)
	f(event.FieldMapping{Type: event.Float}, `["1.5",2]`, "1.5", "2")
	f(event.FieldMapping{Type: event.Float},
		`["NaN","-Infinity","0x10","1_0","--5","1dd","4f","",1e999,"x"]`, "4")
	f(event.FieldMapping{Type: event.Float}, `["\t5 ","5d","0x1p3","0x.8P1f","\u00015"]`, "5", "5",
		"8", "1", "5")
	// integer, short and byte read a text through Java's double, long through a decimal number.
	f(event.FieldMapping{Type: event.Integer, Name: "integer"},
		`["NaN"," 443\t","443d","0x1p3","0x10","4.7 ","-NaN","1e400"]`, "0", "443", "443", "8", "4",
		"0")
	f(event.FieldMapping{Type: event.Integer, Name: "integer"},
		`[2147483647.9,"\u0664","443L","+"]`)
	f(event.FieldMapping{Type: event.Integer, Name: "long"},
		`["\u0664\u0664\u0663","\uff14.\uff15",2147483647.9,"NaN"," 443"]`, "443", "4",
		"2147483647")
	strict := event.FieldMapping{Type: event.Integer, NoCoerce: true, NullValue: "7",
		HasNullValue: true}
	f(strict, `["443",4.7,4.0,1e3,443,"",null]`, "4", "1000", "443", "7")
	f(event.FieldMapping{Type: event.Float, NoCoerce: true}, `["4.5",4.5,5]`, "4.5", "5")
	f(event.FieldMapping{Type: event.Float, Name: "double"}, `0.1`, "0.1")
	f(event.FieldMapping{Type: event.Float, Name: "float"}, `[0.1,16777217]`, "0.10000000149011612",
		"1.6777216e+07")
	f(event.FieldMapping{Type: event.Float, Name: "float"}, `1e39`)
	f(event.FieldMapping{Type: event.Float, Name: "half_float"},
		`[0.1,2049,2051,65504,65519,1e-9,-3.14159]`, "0.0999755859375", "2048", "2052", "65504",
		"65504", "0", "-3.140625")
	f(event.FieldMapping{Type: event.Float, Name: "half_float"}, `65520`)
	f(event.FieldMapping{Type: event.Float, Name: "scaled_float", ScalingFactor: 100},
		`[1.234,-1.235,1.2349]`, "1.23", "-1.24", "1.23")
	f(event.FieldMapping{Type: event.Date},
		`["2026-01-02","2026-01-02T03:04:05.6789+01:00",1500000000000,"1500000000000"]`,
		"2026-01-02T00:00:00Z", "2026-01-02T02:04:05.678Z", "2017-07-14T02:40:00Z",
		"2017-07-14T02:40:00Z")
	f(event.FieldMapping{Type: event.Date}, `["02.01.2026","","yesterday",true]`)
	f(event.FieldMapping{Type: event.Date, Formats: "epoch_second"}, `["02.01.2026",1500000000]`,
		"2017-07-14T02:40:00Z")
	f(event.FieldMapping{Type: event.DateNanos}, `["2026-01-02T03:04:05.123456789Z","1960-01-01"]`,
		"2026-01-02T03:04:05.123456789Z")
	f(event.FieldMapping{Type: event.IP},
		`["10.0.0.1","::ffff:10.0.0.1","FD00::1","2001:db8:0:0::1","fe80::1%eth0"]`, "10.0.0.1",
		"10.0.0.1", "fd00::1", "2001:db8::1", "fe80::1")
	f(event.FieldMapping{Type: event.IP},
		`["10.0.0","010.0.0.1","10.0.0.1%eth0","x",""," 10.0.0.1"]`)
	f(event.FieldMapping{Type: event.Unsigned, NullValue: "4", HasNullValue: true}, `["",5]`, "4",
		"5")
	f(event.FieldMapping{Type: event.Version}, `["1.2.3","not a version",""]`, "1.2.3",
		"not a version", "")
	f(event.FieldMapping{Type: event.Boolean}, `[true,"false",""]`, "true", "false", "false")
	f(event.FieldMapping{Type: event.Boolean}, `"yes"`)
	f(event.FieldMapping{}, `"x"`)
	f(event.FieldMapping{Type: event.Object}, `"x"`)
	f(event.FieldMapping{Type: event.Keyword, NullValue: "none", HasNullValue: true}, `null`,
		"none")
	f(event.FieldMapping{Type: event.Keyword, NullValue: "none", HasNullValue: true}, `[null,"x"]`,
		"none", "x")
	f(event.FieldMapping{Type: event.Integer, NullValue: "7", HasNullValue: true}, `null`, "7")
}

// TestWhereValuesAre: not all of a field's values are in `_source` under its own name.
func TestWhereValuesAre(t *testing.T) {
	lower := &event.Normalizer{Name: "lowercase", Lowercase: true}
	f := func(path string, field event.FieldMapping, source, extra string, want ...string) {
		t.Helper()
		m := &event.Mapping{Fields: map[string]event.FieldMapping{path: field}}
		if got := values(t, m, path, source, extra); !cmp.Equal(got, want) {
			t.Errorf("%s as %v of %s and %s: got %q, want %q", path, field, source, extra, got,
				want)
		}
		if extra != "" {
			return
		}
		var fields event.Fields
		slot := fields.Add(path)
		e := event.New(&fields)
		if e.Begin(m, []byte(source)) < 0 {
			return
		}
		var got []string
		for _, v := range e.Values(slot) {
			got = append(got, string(v.Text))
		}
		if !cmp.Equal(got, want) {
			t.Errorf("%s as %v of %s, skimmed: got %q, want %q", path, field, source, got, want)
		}
	}
	flat := event.FieldMapping{Type: event.Keyword, Name: "flattened", Leaves: true,
		NullValue: "nil", HasNullValue: true}
	f("l", flat, `{"l":{"a":{"b":["x",1e3,[true]]},"c":null}}`, "", "x", "1e3", "true", "nil")
	f("l", flat, `{"l":[{"a":"x"},{"a":"\"y\u0041"}]}`, "", "x", `"yA`)
	f("l", flat, `{"l":{},"k":{"a":"x"}}`, "")
	f("l", flat, `{"l.a":"x","l":{"a":"y"},"la":"z"}`, "", "x", "y")
	f("o.l", flat, `{"o":{"l":{"a":"x"},"l.b":"y"},"o.l.c":"z"}`, "", "x", "y", "z")
	copied := event.FieldMapping{Type: event.Keyword, Copied: []string{"from", "o.from"}}
	f("to", copied, `{"from":1e3,"to":"own","o":{"from":[2.50,"x"]}}`, "", "own", "1e3", "2.50",
		"x")
	runtime := event.FieldMapping{Type: event.Integer, Name: "long", FromFields: true,
		OnlyFields: true}
	f("port", runtime, `{"port":"8080"}`, `{"port":[5]}`, "5")
	f("port", runtime, `{"port":"8080"}`, `{}`)
	normal := event.FieldMapping{Type: event.Text, Exact: "t.low", Normalizer: lower,
		FromFields: true, OnlyFields: true}
	f("t", normal, `{"t":"ABC"}`, `{"t.low":["abc","TOO LONG É İ"]}`, "abc", "too long é i")
	other := &event.Normalizer{Name: "other"}
	unknown := event.FieldMapping{Type: event.Keyword, Exact: "k", Normalizer: other,
		FromFields: true, OnlyFields: true}
	f("k", unknown, `{"k":"ABC"}`, `{"k":["abc","TOO LONG"]}`, "abc", "TOO LONG")
}

// TestWithoutMapping: @timestamp is a date, and every other value is its text.
func TestWithoutMapping(t *testing.T) {
	f := func(path, source string, want ...string) {
		t.Helper()
		if got := values(t, nil, path, source, ""); !cmp.Equal(got, want) {
			t.Errorf("%s of %s: got %q, want %q", path, source, got, want)
		}
	}
	f("@timestamp", `{"@timestamp":"2026-01-02T03:04:05.678Z"}`, "2026-01-02T03:04:05.678Z")
	f("@timestamp", `{"@timestamp":1500000000000}`, "2017-07-14T02:40:00Z")
	f("@timestamp", `{"@timestamp":"yesterday"}`)
	f("event.created", `{"event":{"created":"2026-01-02"}}`, "2026-01-02")
	// A multi-field that Elastic Defend's mappings have.
	f("process.name.caseless", `{"process":{"name":["CMD.EXE","É"]}}`, "cmd.exe", "é")
	f("process.name.caseless", `{"process":{"name":{"caseless":"X"}}}`, "x")
	f("caseless", `{"caseless":"X"}`, "X")
}

func TestCompareVersions(t *testing.T) {
	// Ascending, by what Elasticsearch's VersionEncoder writes; what is no version comes last.
	ordered := []string{"0.9", "1", "1.0", "1.0.0-alpha", "1.0.0-alpha-1", "1.0.0-alpha.1",
		"1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc",
		"1.0.0", "1.0.0+build", "1.2.0", "1.10.0", "2.0.0", "10.0.0", "", "01.0", "1..0",
		"20250101120000x", "abc"}
	for i, a := range ordered {
		for j, b := range ordered {
			want := 0
			switch {
			case i < j:
				want = -1
			case i > j:
				want = 1
			}
			if got := event.CompareVersions([]byte(a), []byte(b)); got != want {
				t.Errorf("%s and %s: got %d, want %d", a, b, got, want)
			}
		}
	}
}

func TestVersionRefused(t *testing.T) {
	f := func(text string, want bool) {
		t.Helper()
		if got := event.VersionRefused([]byte(text)); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
	f("2147483647", false)
	f("2147483648", true)
	f("20250101120000", true)
	f("1.20250101120000", true)
	f("1.2.3.20250101120000", false) // only the first three are read as numbers
	f("1.2.3-20250101120000", true)
	f("1.2.3-rc.20250101120000", true)
	f("1.2.3-rc20250101120000", false)
	f("1.2.3+20250101120000", false)
	f("020250101120000", false) // no version, so a text
	f("1.2.3."+strings.Repeat("1", 127), false)
	f("1.2.3."+strings.Repeat("1", 128), true)
	f("", false)
	f("x", false)
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

// TestServerReadDates holds that of a date that only the server reads no value is taken from
// _source.
func TestServerReadDates(t *testing.T) {
	m := &event.Mapping{Fields: map[string]event.FieldMapping{
		"d":   {Type: event.Date, Formats: "yyyy/MM/dd", FromFields: true, ServerRead: true},
		"n.d": {Type: event.DateNanos, Nested: "n", FromFields: true, ServerRead: true},
	}}
	f := func(path, source, extra string, want ...string) {
		t.Helper()
		if got := values(t, m, path, source, extra); !cmp.Equal(got, want) {
			t.Errorf("%s of %s with %s: got %q, want %q", path, source, extra, got, want)
		}
	}
	f("d", `{"d":"2026-01-02T03:04:05.678Z"}`, ``)
	f("d", `{"d":"2026/01/02"}`, `{"d":["2026-01-02T00:00:00.000Z","+12020-01-01T00:00:00.000Z"]}`,
		"2026-01-02T00:00:00Z", "12020-01-01T00:00:00Z")
	f("n.d", `{}`, `{"n":[{"d":["2026-01-02T00:00:00.123456789Z"]},{"d":["1960-01-01T00:00:00.000Z"]}]}`, "2026-01-02T00:00:00.123456789Z")
	f("n.d", `{}`, `{"n.d":["2026-01-02T00:00:00.000Z"]}`, "2026-01-02T00:00:00Z")
}

func TestValuesUnderAnotherPath(t *testing.T) {
	m := &event.Mapping{Fields: map[string]event.FieldMapping{"al": {Type: event.Keyword,
		SourcePath: "process.name"}}}
	source := `{"al":"not its own","process":{"name":["a",1e0]}}`
	if got, want := values(t, m, "al", source, ""), []string{"a", "1e0"}; !cmp.Equal(got, want) {
		t.Errorf("al of %s: got %q, want %q", source, got, want)
	}
	var fields event.Fields
	fields.Add("al")
	flat, err := event.Shallow([]byte(source), &fields, m)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := values(t, m, "al", string(flat), ""),
		[]string{"a", "1e0"}; !cmp.Equal(got, want) {
		t.Errorf("al of %s: got %q, want %q", flat, got, want)
	}
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
		got, err := event.Shallow([]byte(source), &fields, nil)
		if err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v, want %s", source, got, err, want)
		}
	}
	f(`{"process":{"name":"a","pid":1},"file.path":"b","other":{"x":[1,{"process":{"name":"no"}}]}}`,
		`{"file.path":["b"],"process.name":["a"]}`)
	f(`{"process":[{"name":["a",null,1.50,true]},{"name":"b"}]}`,
		`{"process.name":["a",null,1.50,true,"b"]}`)
	f(`{"process":{"name":{"deeper":"x"}},"file":{"path":{}}}`, `{}`)
	deep := strings.Repeat(`{"x":[`, 700) + `{}` + strings.Repeat(`]}`, 700)
	f(`{"deep":`+deep+`,"process":{"name":"a"},"more":`+deep+`,"file":{"path":"b"}}`,
		`{"file.path":["b"],"process.name":["a"]}`)
}

// FuzzEvent holds that the two readings of one document agree, whatever the document.
func FuzzEvent(f *testing.F) {
	for _, seed := range []string{`{"a":{"b":"x"}}`, `{"a.b":[1,null]}`,
		`{"a":[{"b":true},{"b":[[2]]}]}`, `{"a":{"b":"\ud800"}}`} {
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
		flat, err := event.Shallow([]byte(source), &fields, nil)
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
	for _, p := range []string{"event.category", "host.os.type", "event.type", "process.name",
		"file.extension", "file.path", "file.name"} {
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
