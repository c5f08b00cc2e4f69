package bench

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"esrule/internal/detect/sequence"
	"esrule/internal/event"
	"esrule/internal/query/eql"
	"esrule/internal/query/match"
	"esrule/internal/span"
)

// floodEvents is how many events a flood has.
const floodEvents = 1_000_000

// BenchmarkSequenceFlood puts a million events, a millisecond after each other, through the judge
// of a sequence: each is read, looked at and judged, and what the judge keeps of it is where it is,
// as in a run. It says how many events a second that is, and how much memory is in use at most.
func BenchmarkSequenceFlood(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(50)) // as the program has it
	const query = `sequence by host.id with maxspan=1h [process where process.name == "a"]
		[process where process.name == "b"]`
	f := func(name string, keys int, wantPending int, process func(i int) string) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				flood(b, query, keys, wantPending, process)
			}
		})
	}
	first := func(int) string { return "a" }
	inTurns := func(i int) string { return string("ab"[i%2]) }
	f("one-key/first-stage", 1, 1, first)
	f("one-key/in-turns", 1, 0, inTurns)
	f("million-keys/first-stage", floodEvents, floodEvents, first)
}

func flood(b *testing.B, query string, keys, wantPending int, process func(i int) string) {
	b.Helper()
	statement, err := eql.ParseStatement(query)
	if err != nil {
		b.Fatal(err)
	}
	var fields event.Fields
	plan, err := sequence.Compile(statement, &fields, sequence.Options{LookBack: time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	type place struct{ index, id string }
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	judge := sequence.NewJudge[place](plan, span.Interval{From: start},
		sequence.NewRoom(3*floodEvents))
	e := match.NewEvaluation(&fields, start)
	matchers := plan.Matchers()
	accepts := func(i int) bool { return matchers[i].Match(e) }
	var most uint64
	found := 0
	runtime.GC()
	began := time.Now()
	for i := range floodEvents {
		source := fmt.Appendf(nil, `{"@timestamp":"2026-01-01T00:00:00Z","event":{"category":`+
			`"process"},"process":{"name":%q},"host":{"id":"host-%d"}}`, process(i), i%keys)
		if err := e.Read(nil, event.Document{Source: source}); err != nil {
			b.Fatal(err)
		}
		look, ok := plan.Look(e, accepts)
		if !ok {
			b.Fatalf("no stage accepts %s", source)
		}
		matches, err := judge.See(look, start.Add(time.Duration(i)*time.Millisecond),
			func() place { return place{"logs-x", fmt.Sprintf("AZ%018d", i)} })
		if err != nil {
			b.Fatal(err)
		}
		found += len(matches)
		if i%20_000 == 0 {
			most = max(most, inUse())
		}
	}
	took := time.Since(began)
	pending, events := judge.Pending()
	if pending != wantPending || events != wantPending {
		b.Fatalf("%d keys and %d events are pending, want %d", pending, events, wantPending)
	}
	b.ReportMetric(floodEvents/took.Seconds(), "events/s")
	b.ReportMetric(float64(max(most, inUse()))/(1<<20), "MiB")
	b.ReportMetric(float64(found), "sequences")
	runtime.KeepAlive(judge)
}

// inUse returns how much memory the heap takes, with what is not collected yet.
func inUse() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}
