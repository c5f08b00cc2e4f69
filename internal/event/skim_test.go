package event_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fastjson"
	"pgregory.net/rapid"

	"esrule/internal/event"
)

// twoWays reads lines by Skim and by parsing them whole, which is the simple version of it.
type twoWays struct {
	skimmed, parsed *event.Event
	slots           []event.Slot
}

func newTwoWays(paths ...string) *twoWays {
	var fields event.Fields
	w := &twoWays{}
	for _, path := range paths {
		w.slots = append(w.slots, fields.Add(path))
	}
	w.skimmed, w.parsed = event.New(&fields), event.New(&fields)
	return w
}

// read gives what Skim found, and what is wrong with that. A line that is not plain says nothing.
func (w *twoWays) read(line string) (plain bool, wrong error) {
	hit, plain := w.skimmed.Skim([]byte(line))
	if !plain {
		return false, nil
	}
	source, err := fastjson.ParseBytes(event.MendSurrogates([]byte(line)))
	if err != nil || source.Type() != fastjson.TypeObject {
		return true, fmt.Errorf("is plain, and no object to the parser: %w", err)
	}
	wantHit := false
	if inner := source.Get("_source"); inner != nil && inner.Type() == fastjson.TypeObject {
		source, wantHit = inner, true
	}
	if hit != wantHit {
		return true, fmt.Errorf("hit: got %v, want %v", hit, wantHit)
	}
	w.parsed.Reset(nil, source, nil)
	may, known := w.skimmed.MayHave(nil)
	for i, slot := range w.slots {
		if got, want := texts(w.skimmed.Values(slot)), texts(w.parsed.Values(slot)); !cmp.Equal(got,
			want) {
			return true, fmt.Errorf("field %d: got %q, want %q", i, got, want)
		}
		if known && !slices.Contains(may, slot) && len(w.skimmed.Values(slot)) > 0 {
			return true, fmt.Errorf("field %d has values, and is said to have none", i)
		}
	}
	return true, nil
}

// texts are the values with their kinds.
func texts(values []event.Value) []string {
	var texts []string
	for i := range values {
		v := &values[i]
		texts = append(texts, fmt.Sprintf("%d %d %s", v.Kind, v.Integer, v.Text))
	}
	return texts
}

func TestSkim(t *testing.T) {
	w := newTwoWays("event.category", "host.os.type", "host", "file.path", "@timestamp", "a..b", "",
		"pid")
	f := func(line string, want bool) {
		t.Helper()
		switch plain, wrong := w.read(line); {
		case wrong != nil:
			t.Errorf("%.200s: %v", line, wrong)
		case plain != want:
			t.Errorf("%.200s: plain: got %v, want %v", line, plain, want)
		}
	}
	f(`{}`, true)
	f(`{"event":{"category":["file","x"],"type":"y"},"host":{"os":{"type":"windows"}},"file":{"path":"C:\\x\\y"}}`, true)
	f(" {\t\"pid\" : [ 1 , -2.50e+3,true ,false, null,\r{ \"x\" :\n[ ] } , { } , [[ \"a\" ]] ] } ",
		true)
	f(`{"@timestamp":"2026-01-01T00:00:00Z","pid":12}`, true)
	f(`{"@timestamp":["2026-01-01","no date",1700000000000]}`, true)
	f(`{"file":{"path":"\u0041\n\"\\\/ é \ud83d\ude00 \ud800 \udfff\u0041"}}`, true)
	f(`{"file":[{"path":"a"},{"x":{"path":"b"}},{"path":["c","d"]},"e"],"host":"h"}`, true)
	f(`{"host":["h",{"os":{"type":"x"}}]}`, true)
	f(`{"a":{"":{"b":1}},"":"x"}`, true)

	// hits
	f(`{"_index":"i","_id":"1","_source":{"pid":1},"fields":{"pid":[2]},"pid":3}`, true)
	f(`{"pid":3,"_source":{"pid":1,"_source":{"pid":2}}}`, true)
	f(`{"_source":"agent","pid":1}`, true)
	f(`{"_source":[{"pid":2}],"pid":1}`, true)
	f(`{"_source":"x","_source":{"pid":1}}`, false)

	// keys that may mean another
	f(`{"event.category":"x"}`, false)
	f(`{"host":{"os.type":"x"}}`, false)
	f(`{"ecs.version":"8","log.level":"x","pid":1}`, true)
	f(`{"a.":{"b":1}}`, false)
	f(`{"\u0070id":1}`, false)
	f(`{"other":{"\u0070id":1,"file.path":"x","a":1,"a":2}}`, true)
	f(`{"pid":1,"pid":2}`, false)
	f(`{"other":1,"other":2,"pid":1}`, true)
	f(`{"file":{"path":1},"x":{},"file":{}}`, false)

	// depth
	nested := func(depth int) string {
		return `{"other":` + strings.Repeat(`[{"x":`, depth) + `1` + strings.Repeat(`}]`, depth) +
			`,"pid":1}`
	}
	f(nested(90), true)
	f(nested(120), false)
	f(nested(5000), false)

	// no JSON objects
	for _, line := range []string{
		``, ` `, `[]`, `1`, `"x"`, `null`, `{`, `{"pid"`, `{"pid":`, `{"pid":1`, `{"pid":1,`,
		`{"pid":1,}`, `{"pid":1}}`, `{"pid":1} x`, `{pid:1}`, `{"pid" 1}`,
		`{"pid":[1`, `{"pid":[1,`, `{"pid":[1,]}`, `{"pid":[1 2]}`, `{"pid":tru}`, `{"pid":nul`,
		`{"pid":falsey}`, `{"pid":-}`, `{"pid":.5}`, `{"pid":x}`,
		`{"pid":"x}`, `{"pid":"x\"}`, `{"pid\":1}`, `{"pid":"x\\\"}`, `{,}`, `{"pid":}`,
		`{"pid":[,]}`,
	} {
		f(line, false)
	}
}

func TestSkimLeavesUnusualFieldsToTheParser(t *testing.T) {
	f := func(path, line string) {
		t.Helper()
		if plain, _ := newTwoWays(path).read(line); plain {
			t.Errorf("%s of %s: is plain", path, line)
		}
	}
	f("_source.pid", `{"_source":{"pid":1}}`)
	f("_source", `{"_source":"x"}`)
	f(`a\b`, `{"a\b":"x"}`)
}

// TestSkimmedLines holds both ways of reading together on lines of few keys, in which everything
// meets everything.
func TestSkimmedLines(t *testing.T) {
	w := newTwoWays("a", "a.b", "a.b.a", "b", "b.a", "b.c.a", "b..a", "@timestamp")
	plain := 0
	rapid.Check(t, func(t *rapid.T) {
		line := drawObject(t, 4)
		isPlain, wrong := w.read(line)
		if wrong != nil {
			t.Fatalf("%s: %v", line, wrong)
		}
		if isPlain {
			plain++
		}
	})
	if plain == 0 {
		t.Error("no line was plain")
	}
}

// TestSkimmedHits is TestSkimmedLines for hits, through mappings of all kinds.
func TestSkimmedHits(t *testing.T) {
	paths := []string{"a", "a.b", "a.b.a", "b", "b.a", "b.c.a"}
	var fields event.Fields
	for _, path := range paths {
		fields.Add(path)
	}
	plain := 0
	rapid.Check(t, func(t *rapid.T) {
		skimmed, parsed := event.New(&fields), event.New(&fields)
		for range 2 { // the second event must not see the first
			m := &event.Mapping{Fields: map[string]event.FieldMapping{}}
			for _, path := range paths {
				if rapid.IntRange(0, 4).Draw(t, "mapped") > 0 {
					m.Fields[path] = drawMapping(t, paths)
				}
			}
			var fields []byte
			var extra *fastjson.Value
			if rapid.Bool().Draw(t, "with fields") {
				fields = []byte(`{"a":["x"],"b.a":["1","2026-01-01"]}`)
				extra = fastjson.MustParseBytes(fields)
			}
			text := drawObject(t, 4)
			if length := skimmed.Begin(m, []byte(text+drawBehind(t))); length < 0 {
				continue
			} else if length != len(text) {
				t.Fatalf("%s: got the length %d, want %d", text, length, len(text))
			}
			if err := skimmed.Read(m, event.Document{Fields: fields, Begun: true}); err != nil {
				t.Fatal(err)
			}
			plain++
			source, err := fastjson.ParseBytes(event.MendSurrogates([]byte(text)))
			if err != nil {
				t.Fatalf("%s: is plain, and no object to the parser: %v", text, err)
			}
			parsed.Reset(m, source, extra)
			may, known := skimmed.MayHave(nil)
			for i, path := range paths {
				if got, want := texts(skimmed.Values(event.Slot(i))),
					texts(parsed.Values(event.Slot(i))); !cmp.Equal(got, want) {
					t.Fatalf("%s of %s with the fields %v, mapped as %+v: got %q, want %q", path,
						text, extra, m.Fields[path], got, want)
				}
				if slot := event.Slot(i); known && !slices.Contains(may, slot) &&
					len(skimmed.Values(slot)) > 0 {
					t.Fatalf("%s of %s with the fields %v, mapped as %+v has values, and is said "+
						"to have none", path, text, extra, m.Fields[path])
				}
			}
		}
	})
	if plain == 0 {
		t.Error("no hit was plain")
	}
}

// drawBehind is what may stand behind a document in an answer.
func drawBehind(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "}", `,"sort":[1]}`, ` , "fields" : {}}`, "\n]",
		"{}"}).Draw(t, "behind")
}

func drawMapping(t *rapid.T, paths []string) event.FieldMapping {
	m := event.FieldMapping{
		Type: rapid.SampledFrom([]event.Type{event.Keyword, event.Text, event.Integer,
			event.Boolean, event.Date, event.Other}).Draw(t, "type"),
		FromFields: rapid.Bool().Draw(t, "from fields"),
		SourcePath: rapid.SampledFrom(append(paths, "", "", "", `a\b`)).Draw(t, "source path"),
		Constant:   rapid.SampledFrom([]string{"", "", "k"}).Draw(t, "constant"),
	}
	if rapid.Bool().Draw(t, "null value") {
		m.NullValue, m.HasNullValue = "7", true
	}
	return m
}

func drawObject(t *rapid.T, depth int) string { return drawObjectOf(t, depth, drawScalar) }

func drawObjectOf(t *rapid.T, depth int, scalar func(*rapid.T) string) string {
	var members []string
	for range rapid.IntRange(0, 3).Draw(t, "members") {
		key := rapid.SampledFrom([]string{
			"a", "b", "c", "a", "b", "c", "_source", "@timestamp", "", "a.b", "b.c", "c.a", ".",
			`\u0061`, `\"`, "a.", "é",
		}).Draw(t, "key")
		members = append(members, drawSpace(t)+`"`+key+`"`+drawSpace(t)+":"+
			drawSpace(t)+drawValue(t, depth-1, scalar)+drawSpace(t))
	}
	return "{" + strings.Join(members, ",") + "}"
}

func drawValue(t *rapid.T, depth int, scalar func(*rapid.T) string) string {
	kind := rapid.IntRange(0, 9).Draw(t, "kind")
	switch {
	case depth > 0 && kind < 4:
		return drawObjectOf(t, depth, scalar)
	case depth > 0 && kind < 6:
		var items []string
		for range rapid.IntRange(0, 3).Draw(t, "items") {
			items = append(items, drawSpace(t)+drawValue(t, depth-1, scalar))
		}
		return "[" + strings.Join(items, ",") + "]"
	}
	return scalar(t)
}

func drawScalar(t *rapid.T) string {
	return rapid.SampledFrom([]string{
		`""`, `"x"`, `"C:\\u\\"`, `"\\\""`, `"\u0041\ud800"`, `"\ud83d\ude00"`, `"\ud800\u0041"`,
		`"\x"`, `"2026-01-01"`, `"é` + "\xff\"",
		`0`, `-1`, `1.50`, `1e3`, `1-1`, `-`, `NaN`, `true`, `false`, `null`, `nul`,
	}).Draw(t, "scalar")
}

func drawSpace(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "", "", " ", "\t", "\r\n"}).Draw(t, "space")
}

func FuzzSkim(f *testing.F) {
	for _, line := range []string{
		`{"a":{"b":["x",1,true,null]},"b":"C:\\x"}`, `{"_source":{"a":"\ud800"},"_id":"1"}`,
		`{"a.b":1,"a":1,"a":2}`, "{ \"b\" : [ { } , [ ] ] }\n", `{"@timestamp":"2026-01-01"}`,
		`{"a":-`,
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		w := newTwoWays("a", "a.b", "a.b.a", "b", "b.a", "b.c.a", "b..a", "@timestamp")
		for range 2 { // the second event must not see the first
			if _, wrong := w.read(line); wrong != nil {
				t.Fatalf("%q: %v", line, wrong)
			}
		}
	})
}

func TestSkimAllocatesNothing(t *testing.T) {
	var fields event.Fields
	slots := []event.Slot{fields.Add("event.category"), fields.Add("file.path")}
	e := event.New(&fields)
	line := []byte(`{"event":{"category":["file"]},"file":{"path":"C:\\x\\y.aspx"},"other":{"x":[1,2,3]}}`)
	judge := func() {
		if _, ok := e.Skim(line); !ok {
			t.Fatal("not plain")
		}
		for _, s := range slots {
			for i := range e.Values(s) {
				e.Lower(&e.Values(s)[i])
			}
		}
	}
	if n := testing.AllocsPerRun(100, judge); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}
