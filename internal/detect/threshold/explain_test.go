package threshold_test

import (
	"testing"
	"time"

	"esrule/internal/detect/threshold"
	"esrule/internal/event"
	"esrule/internal/query/match"
)

func TestExplain(t *testing.T) {
	f := func(o threshold.Options, source, want string, wantOK bool) {
		t.Helper()
		fields := &event.Fields{}
		o.Value, o.Span = 3, 9*time.Minute
		p := threshold.Compile(o, fields)
		e := match.NewEvaluation(fields, time.Time{})
		if _, err := e.ReadLine([]byte(source), nil); err != nil {
			t.Fatal(err)
		}
		look, _ := p.Look(e)
		if got, ok := p.Explain(look); got != want || ok != wantOK {
			t.Errorf("%s: got %v, %s\nwant %v, %s", source, ok, got, wantOK, want)
		}
	}
	two := threshold.Options{Fields: []string{"a", "b"}}
	f(two, `{"a":"x","b":[1,2]}`,
		`the rule counts events that satisfy its query, this one for a "x" `+
			`and b "1", a "x" and b "2": 3 such events within 9m make a signal`, true)
	f(two, `{"a":"x"}`, `an event counts only where it has a value of each of a, b, and this one `+
		`has not`, false)
	f(threshold.Options{Cardinality: []threshold.Cardinality{{Field: "c", Value: 2}}}, `{}`,
		`the rule counts all events that satisfy its query together: 3 such events within 9m make `+
			`a signal, with 2 different values of c`, true)
}
