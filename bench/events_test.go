package bench

import (
	"bytes"
	"testing"
	"time"

	"github.com/valyala/fastjson"

	"esrule/internal/event"
	"esrule/internal/query/match"
)

// TestEvents holds what the benchmark needs of its events: they are the same for the same seed, the
// rule finds some, and has to turn down some that come near.
func TestEvents(t *testing.T) {
	const events = 20_000
	d := shipped(t, "any")
	mapping := &event.Mapping{Fields: map[string]event.FieldMapping{}}
	for _, path := range d.Fields.Paths() {
		mapping.Fields[path] = event.FieldMapping{Type: event.Keyword, Name: "keyword"}
	}
	e := match.NewEvaluation(d.Fields, time.Now())
	first, second := newGenerator(seed, events), newGenerator(seed, events)
	matches, paths := 0, map[string]bool{}
	for range events {
		text, err := first.event()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := second.event(); err != nil || !bytes.Equal(text, again) {
			t.Fatalf("the same seed gave %s, then %s, %v", text, again, err)
		}
		document := fastjson.MustParseBytes(text)
		paths[string(document.GetStringBytes("file", "path"))] = true
		if err := e.Read(mapping, event.Document{Source: text}); err != nil {
			t.Fatal(err)
		}
		if d.Matchers[0].Match(e) {
			matches++
		}
	}
	if matches == 0 || matches > events/500 {
		t.Errorf("%d of %d events match the rule; want a few", matches, events)
	}
	if len(paths) < events*99/100 {
		t.Errorf("%d paths in %d events; want nearly as many as events", len(paths), events)
	}
}
