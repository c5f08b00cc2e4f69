package indicator_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"esrule/internal/detect/indicator"
	"esrule/internal/event"
)

// built returns the set of documents, whose ids are their places.
func built(t *testing.T, p *indicator.Plan, most int,
	documents ...string) (*indicator.Set, error) {
	t.Helper()
	fields := &event.Fields{}
	b := indicator.NewBuilder(p, fields, most)
	e := event.New(fields)
	for i, d := range documents {
		if err := e.Read(nil, event.Document{Source: []byte(d)}); err != nil {
			t.Fatal(err)
		}
		at := indicator.Document{Index: "i", ID: fmt.Sprint(i)}
		if _, err := b.Add(e, at); err != nil {
			return nil, err
		}
	}
	return b.Set(), nil
}

// TestMatch joins an event with indicators: groups are alternatives, and all pairs of one are of
// one indicator.
func TestMatch(t *testing.T) {
	f := func(mapping [][]indicator.Pair, documents []string, text, want string) {
		t.Helper()
		fields := &event.Fields{}
		p := indicator.Compile(mapping, fields)
		s, err := built(t, p, 0, documents...)
		if err != nil {
			t.Fatal(err)
		}
		e := event.New(fields)
		if err := e.Read(nil, event.Document{Source: []byte(text)}); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range p.Match(s, e) {
			got = append(got, fmt.Sprintf("%s=%s:%s", m.Field, m.Text, s.Document(m.Document).ID))
		}
		if joined := strings.Join(got, " "); joined != want {
			t.Errorf("%s with %s: got %s, want %s", text, documents, joined, want)
		}
	}
	a, b := indicator.Pair{Field: "a", Indicator: "x"}, indicator.Pair{Field: "b", Indicator: "y"}
	either, both := [][]indicator.Pair{{a}, {b}}, [][]indicator.Pair{{a, b}}
	two := []string{`{"x":"1","y":"2"}`, `{"x":"1","y":"3"}`}
	f(either, two, `{"a":"1"}`, "a=1:0 a=1:1")
	f(either, two, `{"a":"1","b":"3"}`, "a=1:0 a=1:1 b=3:1")
	f(either, two, `{"a":"2","b":"1"}`, "")
	f(both, two, `{"a":"1","b":"3"}`, "a=1:1 b=3:1")
	f(both, two, `{"a":"1"}`, "")
	f(both, []string{`{"x":"1","y":"2"}`, `{"x":"2","y":"1"}`}, `{"a":"1","b":"1"}`, "")
	f(both, []string{`{"x":["1","5"],"y":"2"}`}, `{"a":["4","5"],"b":[2,"2"]}`, "a=5:0 b=2:0")
	f([][]indicator.Pair{{a, a}}, two, `{"a":"1"}`, "a=1:0 a=1:1 a=1:0 a=1:1")
	f(either, []string{`{"x":""}`, `{"z":"1"}`, `{"x":null}`}, `{"a":["","1"]}`, "")
	many := make([]string, 300)
	for i := range many {
		many[i] = `{"x":"1","y":"` + fmt.Sprint(i) + `"}`
	}
	f(both, many, `{"a":"1","b":"299"}`, "a=1:299 b=299:299")
	var first []string
	for i := range indicator.Enough {
		first = append(first, fmt.Sprint("a=1:", i))
	}
	f(either, many, `{"a":"1"}`, strings.Join(first, " "))
}

// TestMost refuses a set with more values than it may have.
func TestMost(t *testing.T) {
	p := indicator.Compile([][]indicator.Pair{{{Field: "a", Indicator: "x"}}}, &event.Fields{})
	if _, err := built(t, p, 3, `{"x":["1","2"]}`, `{"x":"3"}`); err != nil {
		t.Errorf("three values of three: got %v", err)
	}
	if _, err := built(t, p, 3, `{"x":["1","2"]}`, `{"x":["3","4"]}`); !errors.Is(err,
		indicator.ErrTooMany) {
		t.Errorf("four values of three: got %v", err)
	}
}

// BenchmarkLargeSet makes a set of half a million hashes of files.
func BenchmarkLargeSet(b *testing.B) {
	fields := &event.Fields{}
	p := indicator.Compile([][]indicator.Pair{{{Field: "a", Indicator: "x"}}}, fields)
	of := &event.Fields{}
	for b.Loop() {
		builder := indicator.NewBuilder(p, of, 0)
		e := event.New(of)
		for i := range 500_000 {
			text := fmt.Appendf(nil, `{"x":"%064x"}`, i)
			if err := e.Read(nil, event.Document{Source: text}); err != nil {
				b.Fatal(err)
			}
			if _, err := builder.Add(e, indicator.Document{Index: "i",
				ID: fmt.Sprint(i)}); err != nil {
				b.Fatal(err)
			}
		}
		if s := builder.Set(); s.Values() != 500_000 {
			b.Fatal(s.Values())
		}
	}
}
