package detect_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"esrule/internal/detect"
	"esrule/internal/query/eql"
	"esrule/internal/query/rule"
)

// Of events that are no match, explain says which stage was never reached, or which limit was in
// the way. An event is "minute name host".
func TestExplainTogether(t *testing.T) {
	f := func(query, events string, matches bool, want ...string) {
		t.Helper()
		statement, err := eql.ParseStatement(query)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		d, err := detect.New(&rule.Rule{Head: rule.Head{ID: "id", Name: "Rule", From: time.Hour},
			Body: &rule.SequenceQuery{Statement: statement, Source: query}}, nil)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		var text strings.Builder
		for one := range strings.SplitSeq(events, "; ") {
			var minute int
			var name, host string
			_, _ = fmt.Sscan(one, &minute, &name, &host)
			if host != "" {
				host = fmt.Sprintf(`,"host":%q`, host)
			}
			fmt.Fprintf(&text, `{"@timestamp":"2026-01-01T00:%02d:00Z","name":%q%s}`+"\n", minute,
				name, host)
		}
		samples, err := detect.ReadSamples([]byte(text.String()))
		if err != nil {
			t.Fatal(err)
		}
		x, err := d.ExplainTogether(t.Context(), nil, samples, time.Now())
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		got := x.Why
		for _, found := range append(x.Found, nearest(x)...) {
			got += fmt.Sprintf(" %q", found.Keys)
			for _, e := range found.Events {
				got += fmt.Sprintf(" %d:%d", e.Stage, e.Event)
				if e.After != "" {
					got += "+" + e.After
				}
			}
		}
		if wanted := strings.Join(want, ""); x.Matches != matches || got != wanted {
			t.Errorf("%s on %s:\n got %t, %s\nwant %t, %s", query, events, x.Matches, got, matches,
				wanted)
		}
	}
	const abc = `sequence by host with maxspan=5m [any where name == "a"] [any where name == "b"]
		[any where name == "c"]`
	f(abc, "1 a x; 2 b x; 3 c x", true, ` ["x"] 1:1 2:2+1m0s 3:3+1m0s`)
	f(abc, "3 c x; 2 b x; 1 a x", true, ` ["x"] 1:3 2:2+1m0s 3:1+1m0s`)
	f(abc, "1 a x; 2 b x; 7 c x", false, "maxspan is exceeded: 5m0s is allowed, and event 3 comes ",
		`6m0s after event 1 ["x"] 1:1 2:2+1m0s 3:3+5m0s`)
	f(abc, "1 a x; 2 b x", false, "stage 3 was never reached: no event satisfies its condition",
		` ["x"] 1:1 2:2+1m0s`)
	f(abc, "2 b x; 3 c x", false, "stage 1 was never reached: no event satisfies its condition")
	f(abc, "1 a x; 3 c x", false, "stage 2 was never reached: no event satisfies its condition",
		` ["x"] 1:1`)
	f(abc, "1 z x; 3 z x", false, "stage 1 was never reached: no event satisfies its condition")
	f(abc, "1 a x; 2 b y; 3 c x", false,
		`the events have other keys, event 1 "x", event 2 "y", event 3 "x" [] 1:1 2:2+1m0s 3:3+1m0s`)
	f(abc, "1 a x; 2 b; 3 c x", false, "stage 2 was never reached: event 2 satisfies its ",
		`condition, and has no value of a key ["x"] 1:1`)
	f(abc, "1 a x; 3 c x; 4 b x", false, "stage 3 was never reached: no event of the same keys ",
		"that satisfies its condition comes after those before it, within maxspan",
		` ["x"] 1:1 2:3+3m0s`)
	const until = abc + ` until [any where name == "u"]`
	f(until, "1 a x; 2 u x; 2 b x; 3 c x", false,
		`an event of until comes before it is complete, event 2 ["x"] 1:1 2:3+1m0s 3:4+1m0s`)
	f(until, "1 a x; 2 u y; 2 b x; 3 c x", true, ` ["x"] 1:1 2:3+1m0s 3:4+1m0s`)
	const without = `sequence by host with maxspan=5m [any where name == "a"]
		![any where name == "n"] [any where name == "b"]`
	f(without, "1 a x; 2 n x; 3 b x", false,
		`an event is there that must not be, event 2, of stage 2 ["x"] 1:1 3:3+2m0s`)
	f(without, "1 a x; 4 n x; 3 b x", true, ` ["x"] 1:1 3:3+2m0s`)
	const trailing = `sequence by host with maxspan=5m [any where name == "a"]
		![any where name == "n"]`
	f(trailing, "1 a x; 2 z x", true, ` ["x"] 1:1`)
	f(trailing, "1 a x; 2 n x", false,
		`an event is there that must not be, event 2, of stage 2 ["x"] 1:1`)
	f(`sequence with maxspan=5m [any where name == "a"] with runs=3 [any where name == "b"]`,
		"1 a x; 2 a x; 3 b x", false, "stage 1 (event 3 of runs=3) was never reached: no event of ",
		"the same keys that satisfies its condition comes after those before it, within maxspan",
		" [] 1:1 1:2+1m0s")
	f(`sequence by host [any where name == "a"] [any where name == "b"]`, "1 a x; 59 b x; 59 b x",
		true, ` ["x"] 1:1 2:2+58m0s`)
	const sample = `sample by host [any where name == "a"] [any where name == "b"]`
	f(sample, "2 b x; 1 a x", true, ` ["x"] 1:2 2:1+1m0s`)
	f(sample, "2 b x; 1 a y", false,
		`the events have other keys, event 2 "y", event 1 "x" [] 1:2 2:1+1m0s`)
	f(sample, "2 b x; 1 b x", false, "stage 1 was never reached: no event satisfies its condition")
}

func nearest(x detect.Together) []detect.FoundTogether {
	if x.Nearest == nil {
		return nil
	}
	return []detect.FoundTogether{*x.Nearest}
}
