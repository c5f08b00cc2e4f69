package threshold_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"esrule/internal/detect/threshold"
	"esrule/internal/estest"
	"esrule/internal/event"
	"esrule/internal/query/match"
	"esrule/internal/span"
)

const cases = 20_000

// happening is an event: its keys and values are those of its fields k, l and c.
type happening struct {
	at      int64
	k, l, c []string
	late    bool // it is not there when the windows are judged for the first time
}

func (h *happening) json() string {
	return fmt.Sprintf(`{"k":%s,"l":%s,"c":%s}`, list(h.k), list(h.l), list(h.c))
}

func list(values []string) string {
	if len(values) == 0 {
		return "null"
	}
	return `["` + strings.Join(values, `","`) + `"]`
}

// has reports whether the event counts for a tuple of values of fields.
func (h *happening) has(fields, values []string) bool {
	for i, field := range fields {
		if !slices.Contains(map[string][]string{"k": h.k, "l": h.l}[field], values[i]) {
			return false
		}
	}
	return true
}

func randomHappenings(random *rand.Rand) []*happening {
	some := func(of string, most int) (values []string) {
		for range random.IntN(most + 1) {
			values = append(values, string(of[random.IntN(len(of))]))
		}
		return values
	}
	events := make([]*happening, random.IntN(25))
	for i := range events {
		events[i] = &happening{at: random.Int64N(60), k: some("ab", 2), l: some("xy", 2),
			c: some("123", 2), late: random.IntN(6) == 0}
	}
	slices.SortStableFunc(events, func(a, b *happening) int { return int(a.at - b.at) })
	return events
}

func randomOptions(random *rand.Rand) threshold.Options {
	o := threshold.Options{Value: 1 + random.IntN(4),
		Span:   time.Duration(1+random.IntN(20)) * time.Millisecond,
		Fields: [][]string{nil, {"k"}, {"k", "l"}}[random.IntN(3)]}
	if random.IntN(2) == 0 {
		o.Cardinality = []threshold.Cardinality{{Field: "c", Value: 1 + random.IntN(3)}}
	}
	if random.IntN(4) == 0 {
		o.Cardinality = append(o.Cardinality,
			threshold.Cardinality{Field: "l", Value: 1 + random.IntN(2)})
	}
	return o
}

// tuples are all keys that events may have.
func tuples(o threshold.Options) [][]string {
	switch len(o.Fields) {
	case 0:
		return [][]string{nil}
	case 1:
		return [][]string{{"a"}, {"b"}}
	}
	return [][]string{{"a", "x"}, {"a", "y"}, {"b", "x"}, {"b", "y"}}
}

// reaches is the threshold, written down.
func reaches(o threshold.Options, events []*happening) bool {
	if len(events) < o.Value {
		return false
	}
	for _, c := range o.Cardinality {
		values := map[string]bool{}
		for _, e := range events {
			for _, value := range map[string][]string{"c": e.c, "l": e.l}[c.Field] {
				values[value] = true
			}
		}
		if len(values) < c.Value {
			return false
		}
	}
	return true
}

// burst is a key and where it begins, and how many events it has.
type burst struct {
	key   string
	from  int64
	count int
}

// definition returns the bursts of events by the definition alone. Events that are taken by a burst
// of the tuple are left out.
func definition(o threshold.Options, events []*happening) (all []burst) {
	span := o.Span.Milliseconds()
	for _, values := range tuples(o) {
		var left []*happening
		for _, e := range events {
			if e.has(o.Fields, values) {
				left = append(left, e)
			}
		}
		for len(left) > 0 {
			from, n := left[0].at, 0
			for n < len(left) && left[n].at < from+span {
				n++
			}
			if !reaches(o, left[:n]) {
				left = left[1:]
				continue
			}
			all = append(all, burst{fmt.Sprint(values), from, n})
			left = left[n:]
		}
	}
	sortBursts(all)
	return all
}

func sortBursts(all []burst) {
	slices.SortFunc(all, func(a, b burst) int {
		return strings.Compare(fmt.Sprintf("%s %09d", a.key, a.from),
			fmt.Sprintf("%s %09d", b.key, b.from))
	})
}

// testCase is a plan over events, and what was found so far.
type testCase struct {
	t          *testing.T
	options    threshold.Options
	plan       *threshold.Plan
	evaluation *match.Evaluation
	events     []*happening
	taken      []threshold.Taken
	found      []burst
}

func newCase(t *testing.T, o threshold.Options, events []*happening) *testCase {
	fields := &event.Fields{}
	return &testCase{t: t, options: o, plan: threshold.Compile(o, fields),
		evaluation: match.NewEvaluation(fields, time.Time{}), events: events}
}

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(ms int64) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }

// judge judges a window, of the events that are there before now.
func (c *testCase) judge(from, to, now int64, late bool) {
	c.t.Helper()
	length := c.options.Span.Milliseconds()
	j := threshold.NewJudge(c.plan, span.New(at(from), at(to)),
		threshold.NewRoom(10_000))
	for _, t := range c.taken {
		if !t.From.Before(at(from-2*length)) && t.From.Before(at(to+length)) {
			j.Taken(t)
		}
	}
	for _, e := range c.events {
		if e.at < from-length || e.at >= min(to+length, now) || e.late && !late {
			continue
		}
		if _, err := c.evaluation.ReadLine([]byte(e.json()), nil); err != nil {
			c.t.Fatal(err)
		}
		look, ok := c.plan.Look(c.evaluation)
		if !ok {
			continue
		}
		bursts, err := j.See(look, at(e.at))
		if err != nil {
			c.t.Fatal(err)
		}
		c.take(bursts)
	}
	c.take(j.End())
}

func (c *testCase) take(bursts []threshold.Burst) {
	for _, b := range bursts {
		c.taken = append(c.taken, threshold.Taken{Values: b.Values, From: b.From})
		c.found = append(c.found, burst{fmt.Sprint(b.Values), b.From.Sub(start).Milliseconds(),
			b.Count})
	}
}

// cuts are windows that touch, over all events.
func cuts(random *rand.Rand) (all [][2]int64) {
	at := []int64{-1, 61}
	for range random.IntN(6) {
		at = append(at, random.Int64N(60))
	}
	slices.Sort(at)
	for i := range len(at) - 1 {
		all = append(all, [2]int64{at[i], at[i+1]})
	}
	return all
}

func (c *testCase) print() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%+v\n", c.options)
	for i, e := range c.events {
		fmt.Fprintf(&b, "  %d at %d, late %v: %s\n", i, e.at, e.late, e.json())
	}
	return b.String()
}

// TestBurstsAreThoseOfTheDefinition judges random events in windows cut at random, one after the
// other: as polls do it, up to now, and as gaps and backfills do it, with what comes after.
func TestBurstsAreThoseOfTheDefinition(t *testing.T) {
	for seed := range estest.Seeds(t) {
		random, total := rand.New(rand.NewPCG(seed, 0)), 0
		for range cases {
			c := newCase(t, randomOptions(random), randomHappenings(random))
			want := definition(c.options, c.events)
			total += len(want)
			polls, windows := random.IntN(2) == 0, cuts(random)
			for _, w := range windows {
				now := int64(1000)
				if polls {
					now = w[1]
				}
				c.judge(w[0], w[1], now, true)
				if random.IntN(4) == 0 { // again, by another instance
					c.judge(w[0], w[1], now, true)
				}
			}
			if polls { // counts are of what was there
				for i := range want {
					want[i].count = 0
				}
				for i := range c.found {
					c.found[i].count = 0
				}
			}
			sortBursts(c.found)
			if !slices.Equal(c.found, want) {
				t.Fatalf("%swindows %v, polls %v\n got %v\nwant %v", c.print(), windows, polls,
					c.found, want)
			}
		}
		if total < cases {
			t.Errorf("%d bursts in %d cases are too few to tell anything", total, cases)
		}
	}
}

// TestAnyOrderLeavesNoBurst judges windows in any order, and then again with events that came late:
// no event is in two bursts, each burst reaches the threshold, and what is left does not.
func TestAnyOrderLeavesNoBurst(t *testing.T) {
	for seed := range estest.Seeds(t) {
		random := rand.New(rand.NewPCG(seed, 1))
		for range cases {
			c := newCase(t, randomOptions(random), randomHappenings(random))
			windows := cuts(random)
			random.Shuffle(len(windows), func(a, b int) {
				windows[a], windows[b] = windows[b], windows[a]
			})
			for _, late := range []bool{false, true} {
				for _, w := range windows {
					c.judge(w[0], w[1], 1000, late)
				}
			}
			if fault := c.fault(); fault != "" {
				t.Fatalf("%swindows %v, found %v\n%s", c.print(), windows, c.found, fault)
			}
		}
	}
}

// fault says what is wrong with what was found.
func (c *testCase) fault() string {
	span := c.options.Span.Milliseconds()
	for _, values := range tuples(c.options) {
		left := map[*happening]bool{}
		for _, e := range c.events {
			left[e] = e.has(c.options.Fields, values)
		}
		for _, b := range c.found {
			if b.key != fmt.Sprint(values) {
				continue
			}
			var its []*happening
			for _, e := range c.events {
				if left[e] && b.from <= e.at && e.at < b.from+span {
					its, left[e] = append(its, e), false
				}
			}
			if !reaches(c.options, its) || len(its) < b.count {
				return fmt.Sprintf("the burst %v has only the events %v", b, its)
			}
		}
		var rest []*happening
		for _, e := range c.events {
			if left[e] {
				rest = append(rest, e)
			}
		}
		for _, one := range definition(c.options, rest) {
			if one.key == fmt.Sprint(values) {
				return fmt.Sprintf("what is left has the burst %v", one)
			}
		}
	}
	return ""
}
