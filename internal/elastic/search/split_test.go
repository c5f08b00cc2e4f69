package search

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/valyala/fastjson"
	"pgregory.net/rapid"

	"esrule/internal/event"
)

func TestParsePage(t *testing.T) {
	f := func(answer, want string) {
		t.Helper()
		var p Page
		a, err := p.parse([]byte(answer))
		got := "not JSON"
		if err == nil {
			got = string(a.after)
			for h := range p.Hits(nil) {
				d := h.Document()
				got += " " + h.Index + "/" + h.ID() + "=" + string(d.Source)
				if _, err := fastjson.ParseBytes(d.Source); err != nil && d.Source != nil {
					got += "?"
				}
				if d.Fields != nil {
					got += "+" + string(d.Fields) + string(d.Ignored)
				}
			}
		} else if !errors.Is(err, errNotJSON) {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", answer, got, want)
		}
	}
	f(`{}`, "the answer has no timed_out")
	f(answerOf(``), "")
	f(strings.Replace(answerOf(``), `"pit_id":"x",`, ``, 1), "the answer has no pit_id")
	f(strings.Replace(answerOf(``), `"hits":[]`, `"hots":[]`, 1), "the answer has no hits")
	f(answerOf(`{"_id":"1","sort":[1]}`), "the answer has no _index of a hit")
	f(answerOf(`{"_index":"i","sort":[1]}`), "the answer has no _id of a hit")
	f(answerOf(`{"_index":"i","_id":"1"}`), "the answer has no sort of a hit")
	f(answerOf(`{"_index":null,"_id":"1","sort":[1]}`), "the answer has no _index of a hit")
	f(answerOf(`{"_index":"i","_id":null,"sort":[1]}`), "the answer has no _id of a hit")
	f(answerOf(`{"_index":"i","_id":"","sort":[1]}`), "the answer has no _id of a hit")
	f(answerOf(`{"_index":"i","_id":"1","_score":null,"_source":{"a":[1,{"b":"}]"}]},"sort":[7]}`),
		`[7] i/1={"a":[1,{"b":"}]"}]}`)
	f(answerOf(`{"_index":"i","_id":"1","_source":{"a":"\\"},"sort":[1]} , {"_index":"i","_id":"\u0041\"","_source":{"b":"\\\""},"sort":[8, 9]}`), `[8, 9] i/1={"a":"\\"} i/A"={"b":"\\\""}`)
	f(answerOf(`{"_index":"i","_id":"1","fields":{"k":["x"]},"ignored_field_values":{"k":["longer"]},"sort":[1]}`), `[1] i/1=+{"k":["x"]}{"k":["longer"]}`)
	f(answerOf(`{"_index":"i","_id":"1","_source":{"a":1 /* "}} */},"sort":[1]}`), "not JSON")
	f(answerOf(`{"_index":"i","_id":"1","_source":{"a":1 # x`+"\n"+`},"sort":[1]}`), "not JSON")
	f(answerOf(`{"_index":"i","_id":"1","_source":`+"\ufeff"+`{"a":1},"sort":[1]}`), "not JSON")
	// no JSON, and alone in that
	f(answerOf(`{"_index":"i","_id":"1","_source":{"a":01x},"sort":[1]}`), `[1] i/1={"a":01x}?`)
	f(answerOf(`{"_index":"i","_id":"1","_source":{"a":"},"sort":[1]}`), "not JSON")
	f(answerOf(`{"_index":"i","_id":"1"`), "not JSON")
	twice := "the answer contradicts itself: it has "
	f(strings.Replace(answerOf(``), `"took"`, `"hits":{"hits":[]},"took"`, 1), twice+`"hits" twice`)
	f(strings.Replace(answerOf(``), `"hits":[]`, `"hits":[],"hits":[]`, 1), twice+
		`"hits.hits" twice`)
	f(answerOf(`{"_index":"i","_index":"j","_id":"1","sort":[1]}`),
		`the answer contradicts itself: a hit has "_index" twice`)
	f(answerOf(``)+`{}`, "the answer contradicts itself: something follows its end")
	f(answerOf(`{"_index":"i","_id":"1","sort":[null]}`),
		"the answer has no number in the sort of a hit")
	f(answerOf(`{"_index":"i","_id":"1","sort":[]}`),
		"the answer has no number in the sort of a hit")
	f(answerOf(`{"_index":"i","_id":"1","sort":[2]},{"_index":"i","_id":"1","sort":[1]}`),
		"the answer contradicts itself: its hits are not in order: sort is [1] after [2]")
	f(`[]`, "not JSON")
	f(``, "not JSON")
	f(`{"a"}`, "not JSON")
	f(`{"a":}`, "not JSON")
	f(`{"took":"x"}`, "read took of the answer: json: cannot unmarshal string into Go value of "+
		"type int64")
	f(answerOf(`{"_index":"i","_id":"1","_source":`+strings.Repeat(`{"a":`, 400)+`1`+
		strings.Repeat(`}`, 400)+`,"sort":[1]}`), `[1] i/1=`+strings.Repeat(`{"a":`, 400)+`1`+
		strings.Repeat(`}`, 400)+`?`)
}

// bothWays reads an answer whole before its hits are given out and while they are, and gives the
// hits of each. A document that breaks the answer ends the second in front of it.
func bothWays(text []byte, reader Reader) (wasWhole bool, whole, lazy []string, end state) {
	give := func(p *Page, reader Reader) (hits []string) {
		for h := range p.Hits(reader) {
			hits = append(hits, h.Index+"/"+h.ID()+"="+
				string(h.parts.source)+string(h.parts.fields)+string(h.parts.sort))
		}
		return hits
	}
	var p Page
	a, err := p.parse(text)
	if err == nil {
		whole = give(&p, nil)
		wasWhole = len(whole) == a.hits
	}
	if _, err := p.begin(text); err == nil {
		lazy = give(&p, reader)
	}
	return wasWhole, whole, lazy, p.state
}

func TestPageBothWays(t *testing.T) {
	skim := newSkimReader()
	f := func(list string, want int, wantEnd state) {
		t.Helper()
		for _, reader := range []Reader{nil, skim} {
			wasWhole, whole, lazy, end := bothWays([]byte(answerOf(list)), reader)
			if wasWhole && !slices.Equal(whole, lazy) {
				t.Errorf("%s: got %q whole, %q while given out", list, whole, lazy)
			}
			if len(lazy) != want || end != wantEnd || wasWhole != (wantEnd == over) {
				t.Errorf("%s: got %d hits, end %d, whole %v; want %d, %d", list, len(lazy), end,
					wasWhole, want, wantEnd)
			}
		}
	}
	place := 0
	hit := func(document string) string {
		place++
		return fmt.Sprintf(`{"_index":"i","_id":"1","_score":null,"_source":%s,"fields":{"k":["x"]},"sort":[%d]}`,
			document, place)
	}
	f("", 0, over)
	f(hit(`{}`), 1, over)
	f(hit(`{"a":1}`)+","+hit(`{"a":"}]"}`)+" , "+hit(`{"a":[{}]}`), 3, over)
	f(hit(`{"a":1}`)+","+hit(`{"a":1 /* x */}`)+","+hit(`{"a":1}`), 1, broken)
	f(hit(`{"a":1} // x`)+","+hit(`{"a":1}`), 0, broken)
	f(hit(`{"a":1}`)+","+hit("\ufeff"+`{"a":1}`), 1, broken)
	f(hit(`{"a":1}`)+hit(`{"a":1}`), 1, broken)
	f(hit(`{"a":1}`)+",", 1, broken)
	f(`{"_index":"i","_id":"1","sort":[1]},{"_source":{"a":1},"sort":[2],"_id":"1","_index":"j"}`,
		2, over)
	f(`{"_index":"i","_id":"1","sort":[2]},{"_index":"i","_id":"2","sort":[2]}`, 1, broken)
	f(`{"_index":"i","_id":"1","sort":[1],"_source":{},"_source":{}}`, 0, broken)
	f(hit(`{"a":1}`)+`,{"_index":"i","_id":"1"}`, 1, broken)
}

// FuzzPageBothWays: where an answer with a document can be read whole, its hits are the same while
// they are given out.
func FuzzPageBothWays(f *testing.F) {
	for _, document := range []string{`{"a":1}`, `{"a":[1,{"b":"\"]}"}]}`, `{"a":1}/* */`,
		`{"a":1},"fields":{}`, `1`, `{"a":1}}`, `{},{`} {
		f.Add(document)
	}
	f.Fuzz(func(t *testing.T, document string) {
		hit := `{"_index":"i","_id":"1","_source":` + document + `,"sort":[7]}`
		for _, reader := range []Reader{nil, newSkimReader()} {
			if wasWhole, whole, lazy, _ := bothWays([]byte(answerOf(hit+","+hit)),
				reader); wasWhole && !slices.Equal(whole, lazy) {
				t.Errorf("%q: got %q whole, %q while given out", document, whole, lazy)
			}
		}
	})
}

// newSkimReader reads documents as package schedule does.
func newSkimReader() Reader {
	var fields event.Fields
	fields.Add("a.b")
	e := event.New(&fields)
	return func(_ string, text []byte) int { return e.Begin(nil, text) }
}

// answerOf is a search's answer with a list of hits.
func answerOf(hits string) string {
	return `{"pit_id":"x","took":3,"timed_out":false,"_shards":{"total":1,"successful":1,"failed":0},"hits":{"max_score":null,"hits":[` + hits + `]}}`
}

// TestSplitAgrees holds that of any JSON the splitter steps over just what is one value.
func TestSplitAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, err := json.Marshal(anything(3).Draw(t, "value"))
		if err != nil {
			t.Fatal(err)
		}
		s := &splitter{text: []byte(" " + string(text) + " ,x")}
		got, err := s.value()
		if err != nil || string(got) != string(text) {
			t.Fatalf("got %s, %v, want %s", got, err, text)
		}
	})
}

func anything(depth int) *rapid.Generator[any] {
	scalars := rapid.OneOf(rapid.String().AsAny(), rapid.Int().AsAny(),
		rapid.Float64Range(-1e9, 1e9).AsAny(), rapid.Bool().AsAny(), rapid.Just[any](nil))
	if depth == 0 {
		return scalars
	}
	return rapid.OneOf(scalars,
		rapid.SliceOfN(anything(depth-1), 0, 4).AsAny(),
		rapid.MapOfN(rapid.String(), anything(depth-1), 0, 4).AsAny())
}

// FuzzSplit: no text makes the splitter panic or hang, and what it takes for one value and fastjson
// for JSON is the same text.
func FuzzSplit(f *testing.F) {
	f.Add([]byte(`{"a":[1,"\"]",{"b":null}]}`))
	f.Add([]byte(`"\\`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var p Page
		_, _ = p.parse(text)
		s := &splitter{text: text}
		got, err := s.value()
		if err == nil && fastjson.ValidateBytes(text) == nil &&
			strings.TrimSpace(string(text)) != string(got) {
			t.Errorf("%q is one value, and only %q was taken", text, got)
		}
	})
}

func TestIsLater(t *testing.T) {
	f := func(place, than string, wantLater, wantNumbers bool) {
		t.Helper()
		later, numbers := isLater([]byte(place), []byte(than))
		if than == "" {
			later, numbers = isLater([]byte(place), nil)
		}
		if later != wantLater || numbers != wantNumbers {
			t.Errorf("%s after %q: got %v, numbers %v; want %v, %v",
				place, than, later, numbers, wantLater, wantNumbers)
		}
	}
	f(`[1]`, ``, true, true)
	f(`[10]`, `[9]`, true, true)
	f(`[9]`, `[10]`, false, true)
	f(`[4294967296]`, `[7]`, true, true)
	f(`[1]`, `[1]`, false, true)
	f(`[1,2]`, `[1,1]`, true, true)
	f(`[1, 1]`, `[1,2]`, false, true)
	f(`[2,0]`, `[1,9]`, true, true)
	f(`[1]`, `[1,0]`, false, true)
	f(`[]`, ``, false, false)
	f(`[null]`, `[1]`, false, false)
	f(`["1"]`, ``, false, false)
	f(`[1,]`, ``, false, false)
	f(`1`, ``, false, false)
}
