package match

import (
	"testing"
	"time"

	"esrule/internal/event"
	"esrule/internal/query/eql"
)

// TestScratchIsUsedAgain holds that an evaluation takes no more memory the more events it judges.
func TestScratchIsUsedAgain(t *testing.T) {
	f := func(query string) {
		t.Helper()
		parsed, err := eql.Parse(query)
		if err != nil {
			t.Fatal(err)
		}
		fields := &event.Fields{}
		m, err := Compile(parsed, fields, Options{})
		if err != nil {
			t.Fatal(err)
		}
		mapping := &event.Mapping{Fields: map[string]event.FieldMapping{
			"pid": {Type: event.Integer, Name: "long"}}}
		e := NewEvaluation(fields, time.Now())
		for range 1000 {
			err := e.Read(mapping, event.Document{Source: []byte(`{"pid":[123456,7]}`)})
			if err != nil {
				t.Fatal(err)
			}
			m.Match(e)
			m.Explain(e)
		}
		if got := cap(e.scratch); got > 100 {
			t.Errorf("%s: got %d bytes of scratch after 1000 events, want at most 100", query, got)
		}
	}
	f(`any where pid like "9*"`)
	f(`any where pid in~ ("9", "8")`)
	f(`any where length(string(pid)) == 9`)
}
