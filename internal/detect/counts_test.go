package detect

import (
	"encoding/json"
	"testing"

	"esrule/internal/query/rule"
	"esrule/internal/sink"
)

// TestCounts: each verdict is counted under the name that documents of the state index have.
func TestCounts(t *testing.T) {
	var c Counts
	for fate := sink.Open; fate <= sink.Refused; fate++ {
		for range 1 + int(fate) {
			c.Enter([]sink.Verdict{{Fate: fate}})
		}
	}
	c.Candidates, c.Matched = 100, 50
	sum := c
	sum.Add(c)
	sum.Except(&rule.Exception{Name: "a"})
	again := sum
	again.Add(sum) // leaves the counts that it was copied from
	f := func(c Counts, want string, wantNew int) {
		t.Helper()
		got, err := json.Marshal(c)
		if err != nil || string(got) != want || c.NewSignals() != wantNew {
			t.Errorf("got %s with %d new signals, %v, want %s with %d", got, c.NewSignals(), err,
				want, wantNew)
		}
	}
	f(Counts{}, `{"candidates":0,"matched":0,"created":0,"duplicates":0,"reduced":0,`+
		`"without_event":0,"dead_lettered":0}`, 0)
	f(c, `{"candidates":100,"matched":50,"created":2,"duplicates":3,"reduced":4,`+
		`"without_event":5,"dead_lettered":6}`, 11)
	f(sum, `{"candidates":200,"matched":100,"created":4,"duplicates":6,"reduced":8,`+
		`"without_event":10,"dead_lettered":12,"excepted":1,"by_exception":{"a":1}}`, 22)
	again.ChainStopped = 3
	again.Add(Counts{ChainStopped: 1})
	if got, want := again.ExceptedText(), `, 2 excepted ("a": 2), `+
		`4 not judged as signals that end a chain`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
