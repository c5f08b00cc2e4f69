package sequence_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"esrule/internal/detect/sequence"
	"esrule/internal/event"
	"esrule/internal/query/match"
	"esrule/internal/span"
)

// Judges share their room; what has run out gives it back, and what has none is a LimitError that
// says how many keys there are.
func TestRoom(t *testing.T) {
	f := func(query, second string, room int, events []string, want string) {
		t.Helper()
		shared := sequence.NewRoom(room)
		var judges []*sequence.Judge[int]
		var looks []func(string) (sequence.Look, bool)
		for _, text := range []string{query, second} {
			var fields event.Fields
			plan := compile(t, text, &fields, time.Hour)
			e := match.NewEvaluation(&fields, time.Time{})
			judges = append(judges, sequence.NewJudge[int](plan, span.Interval{From: moment(0)},
				shared))
			looks = append(looks, func(source string) (sequence.Look, bool) {
				if err := e.Read(nil, event.Document{Source: []byte(source)}); err != nil {
					t.Fatal(err)
				}
				return plan.Look(e, func(i int) bool { return plan.Matchers()[i].Match(e) })
			})
		}
		got := "nothing"
		for i, source := range events {
			for n, judge := range judges {
				judge.Advance(moment(int64(1000 * i)))
				look, ok := looks[n](source)
				if !ok {
					continue
				}
				_, err := judge.See(look, moment(int64(1000*i)), func() int { return i })
				var limit *sequence.LimitError
				if errors.As(err, &limit) && got == "nothing" {
					got = fmt.Sprintf("event %d, judge %d: %d keys, %d events: %v", i, n,
						limit.Keys, limit.Events, limit)
				}
			}
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s and %s, room for %d, %.60q:\n got %s\nwant %s", query, second, room, events,
				got, want)
		}
	}
	event := func(name, key string) string { return fmt.Sprintf(`{"n":%q,"k":%s}`, name, key) }
	var a, b []string
	for i := range 12 {
		a = append(a, event("a", fmt.Sprint(i)))
		b = append(b, event("b", fmt.Sprint(i)))
	}
	const long, short = `sequence by k with maxspan=1h [any where n == "a"] [any where n == "c"]`,
		`sequence by k with maxspan=2s [any where n == "b"] [any where n == "c"]`
	f(long, short, 24, a, "nothing")
	f(long, short, 23, a, "nothing")
	f(long, short, 22, a, "event 11, judge 0: 11 keys, 11 events: the event of "+
		"2023-11-14T22:13:31Z is not judged: 11 events of 11 keys are pending within 1h0m0s; "+
		"narrow its conditions or shorten its maxspan")
	f(long, short, 8, b, "nothing")
	f(long, short, 4, b, "event 2, judge 1: 2 keys, 2 events")
	f(long, short, 12, append(a[:6:6], b...), "event 6, judge 1: 0 keys, 0 events: the event of "+
		"2023-11-14T22:13:26Z is not judged: 0 events of 0 keys are pending within 2s, and other "+
		"rules that are judged together with it hold more")
	f(`sample by k [any where n == "a"] [any where n == "c"]`, short, 22, a,
		"event 11, judge 0: 11 keys, 11 events")
	f(long, short, 10, []string{event("a", fmt.Sprintf("%q", strings.Repeat("x", 3000))),
		event("a", "2")}, "event 1, judge 0: 1 keys, 1 events") // a long key takes more room
	var many strings.Builder
	for i := range 300 {
		fmt.Fprintf(&many, "%d,", i)
	}
	f(`sequence by k, l with maxspan=1h [any where n == "a"] [any where n == "c"]`, short, 1e6,
		[]string{fmt.Sprintf(`{"n":"a","k":[%s0],"l":[%s0]}`, &many, &many)}, "event 0, judge 0: 0 "+
			"keys, 0 events: the event of 2023-11-14T22:13:20Z is not judged: its keys have more "+
			"than 65536 combinations of values")
}
