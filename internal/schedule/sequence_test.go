package schedule_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"esrule/internal/query/eql"
	"esrule/internal/query/rule"
)

// sequences returns rules that differ from the world's in what they ask.
func (w *world) sequences(queries ...string) []*rule.Rule {
	w.t.Helper()
	rules := make([]*rule.Rule, len(queries))
	for i, query := range queries {
		statement, err := eql.ParseStatement(query)
		if err != nil {
			w.t.Fatal(err)
		}
		one := *w.rule
		one.ID, one.Name = rule.ID(fmt.Sprint("sequence-", i)), fmt.Sprint("sequence ", i)
		one.Body = &rule.SequenceQuery{Statement: statement, Source: query}
		rules[i] = &one
	}
	return rules
}

// wantCreated runs rules and checks how many signals each creates.
func (w *world) wantCreated(why string, rules []*rule.Rule, want ...int) {
	w.t.Helper()
	for i, r := range w.runAll(rules...) {
		if r.Err != nil || len(r.Failed) > 0 || len(r.Open) > 0 || r.Run.Created != want[i] {
			w.t.Errorf("%s: rule %d: got %d created, open %v, failed %v, error %v, want %d", why,
				i, r.Run.Created, r.Open, r.Failed, r.Err, want[i])
		}
	}
}

// A sequence is found once, wherever windows fall: across polls, indices and a late event.
func TestSequenceAcrossPolls(t *testing.T) {
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	a, b := w.index("a"), w.index("b")
	rules := w.sequences(
		`sequence by process.pid with maxspan=20m [any where process.name == "first"]
			[any where process.name == "second"]`,
		`sequence by process.pid with maxspan=4m [any where process.name == "first"]
			[any where process.name == "second"]`,
		`sequence by process.pid with maxspan=20m [any where process.name == "first"]
			[any where process.name == "second"] until [any where process.name == "end"]`,
		`sample by process.pid [any where process.name == "first"]
			[any where process.name == "second"]`)
	w.event(a, 1, "first", 1)
	w.event(a, 1, "first", 3)
	w.wantCreated("the first event alone", rules, 0, 0, 0, 0)
	w.clock = w.clock.Add(10 * time.Minute)
	w.event(b, 1, "second", 1)
	w.event(b, 1, "second", 2)
	w.wantCreated("completed ten minutes later, in another index", rules, 3, 0, 3, 0)
	w.clock = w.clock.Add(10 * time.Minute)
	w.event(b, 3, "first", 4)
	w.event(b, 2, "end", 4)
	w.event(a, 1, "second", 4)
	w.wantCreated("within four minutes, with an end between", rules, 3, 3, 0, 3)
	w.wantCreated("again", rules, 0, 0, 0, 0)
	w.clock = w.clock.Add(time.Hour)
	w.event(b, 80, "second", 3) // happened two minutes behind the first
	w.wantCreated("an event that came an hour late, found by the late sweep", rules, 3, 3, 3, 3)
}

// A tiebreaker orders the events of one time; those that have none come last.
func TestTiebreaker(t *testing.T) {
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	index := w.index("a")
	rules := w.sequences(`sequence with maxspan=2s [any where process.name == "first"]
		[any where process.name == "second"]`)
	rules[0].Body.(*rule.SequenceQuery).TiebreakerField = "process.pid"
	f := func(minutesAgo float64, first, second, want int) {
		t.Helper()
		w.event(index, minutesAgo, "first", first)
		w.event(index, minutesAgo, "second", second)
		w.wantCreated(fmt.Sprintf("first %d, second %d", first, second), rules, want)
		w.clock = w.clock.Add(time.Minute)
	}
	f(1, 1, 2, 3)
	f(1, 2, 1, 0)
	f(1, 9, 10, 3)
	when := w.clock.Add(-time.Minute).Format(time.RFC3339Nano)
	w.Bulk(index, fmt.Sprintf(`{"@timestamp":%q,"process":{"name":"second"}}`, when),
		fmt.Sprintf(`{"@timestamp":%q,"process":{"name":"first","pid":7}}`, when))
	w.wantCreated("the second has none", rules, 3)
}

// A sequence that ends in events that are not there is decided when their time is over, and late
// events have had theirs.
func TestSequenceThatWaits(t *testing.T) {
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	index := w.index("a")
	rules := w.sequences(`sequence by process.pid with maxspan=2m
		[any where process.name == "first"] ![any where process.name == "second"]`)
	w.event(index, 1, "first", 1)
	w.event(index, 1, "first", 2)
	w.wantCreated("its time is not over", rules, 0)
	w.clock = w.clock.Add(3 * time.Minute)
	w.event(index, 3.5, "second", 2) // in time, and came late
	w.wantCreated("it is over, and late events may come", rules, 0)
	w.clock = w.clock.Add(6 * time.Minute)
	w.wantCreated("decided", rules, 2)
	w.clock = w.clock.Add(6 * time.Minute)
	w.wantCreated("again", rules, 0)
}

// An index that cannot be read keeps the time open in which it may hold a part of a sequence, and
// no sequence is taken for true whose truth hangs on it.
func TestSequenceOverAnIndexThatFails(t *testing.T) {
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	a, b := w.index("a"), w.index("b")
	rules := w.sequences(
		`sequence by process.pid with maxspan=4m [any where process.name == "first"]
			[any where process.name == "second"]`,
		`sequence by process.pid with maxspan=4m [any where process.name == "first"]
			![any where process.name == "third"] [any where process.name == "second"]`)
	w.event(a, 3, "first", 1)
	w.event(b, 2, "second", 1)
	w.event(a, 3, "first", 2)
	w.event(b, 2, "third", 2)
	w.event(a, 1, "second", 2)
	w.unread = b
	reports := w.runAll(rules...)
	if r := reports[0]; len(r.Open) != 1 || r.Open[0].Index != b || r.Run.Created != 3 {
		t.Errorf("got %d created and open %v, want the sequence in %s and %s open",
			r.Run.Created, r.Open, a, b)
	}
	if r := reports[1]; len(r.Sick) != 1 || r.Run.Created != 0 {
		t.Errorf("got %d created, sick %v and open %v, want the whole piece to be tried again",
			r.Run.Created, r.Sick, r.Open)
	}
	w.unread = ""
	w.clock = w.clock.Add(15 * time.Minute)
	w.wantCreated("readable again", rules, 3, 3)
}

// Any cutting of time into polls, outages and killed runs gives the sequences that one look at all
// events gives. ESRULE_TEST_SEED repeats a failure.
func TestSequencesOfAnyCutting(t *testing.T) {
	random, seed := newRandom(t)
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	w.start = 12 * time.Hour
	indices := []string{w.index("a"), w.index("b")}
	rules := w.sequences(
		`sequence by process.pid with maxspan=10m [any where process.name == "a"]
			[any where process.name == "b"]`,
		`sequence with maxspan=3m [any where process.name == "a"] [any where process.name == "b"]
			[any where process.name == "c"] until [any where process.name == "d"]`,
		`sequence by process.pid with maxspan=30m [any where process.name == "a"] with runs=2
			![any where process.name == "c"] [any where process.name == "b"]`,
		`sequence by process.pid with maxspan=5m [any where process.name == "b"]
			![any where process.name == "c"]`)
	w.cut(random, rules, func(step time.Duration) {
		w.event(indices[random.IntN(2)], random.Float64()*step.Minutes(),
			[]string{"a", "b", "c", "d"}[random.IntN(4)], random.IntN(2))
	})
	got := w.ids()
	whole := worldOn(t, w.Cluster)
	whole.theirs, whole.clock, whole.rule = func() time.Time { return w.clock }, w.clock, w.rule
	whole.indices.Signals = w.Cluster.Index("signals-of-the-whole")
	whole.indices.State = w.Cluster.Index("state-of-the-whole")
	if _, err := whole.indices.Ensure(t.Context(), w.Client, nil); err != nil {
		t.Fatal(err)
	}
	whole.start = w.start
	whole.runAll(rules...)
	want := whole.ids()
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("seed %d: got %d signals, want the %d of one look at all events:\n%v\n%v", seed,
			len(got), len(want), got, want)
	}
}

// ids lists the ids of the signals.
func (w *world) ids() []string {
	w.t.Helper()
	var ids []string
	for _, hit := range w.Hits(w.indices.Signals) {
		ids = append(ids, hit.ID)
	}
	slices.Sort(ids)
	return ids
}
