package sequence_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"esrule/internal/detect/sequence"
	"esrule/internal/estest"
	"esrule/internal/event"
	"esrule/internal/query/eql"
	"esrule/internal/query/match"
	"esrule/internal/span"
)

const pairs = 20_000

// TestSequencesAreThoseOfTheDefinition judges random events by random sequences, in windows cut at
// random, and with events that come late: what is found is what the definition says.
func TestSequencesAreThoseOfTheDefinition(t *testing.T) {
	for seed := range estest.Seeds(t) {
		random := rand.New(rand.NewPCG(seed, 0))
		found, withMissing := 0, 0
		samples := 0
		for n := range pairs + pairs/4 {
			q, events := randomQuestion(random), randomHappenings(random)
			if n >= pairs {
				q = randomSample(random)
			}
			want := definition(q, events)
			if found += len(want); q.sample {
				samples += len(want)
			}
			for _, s := range q.stages {
				if s.missing {
					withMissing += len(want)
					break
				}
			}
			c := newCase(t, q.String(), q.span, events)
			got := c.cut(random)
			compare(t, q, events, got, want)
			if t.Failed() {
				return
			}
		}
		t.Logf("%d pairs of a sequence and events, and %d of a sample; %d found, %d of them with "+
			"missing events, %d samples", pairs, pairs/4, found, withMissing, samples)
		if found < pairs || withMissing < pairs/20 || samples < pairs/20 {
			t.Errorf("found too little to tell anything")
		}
	}
}

func compare(t *testing.T, q fmt.Stringer, events []*happening, got, want []answer) {
	t.Helper()
	if g, w := printed(got), printed(want); !slices.Equal(g, w) {
		var b strings.Builder
		for i, e := range events {
			fmt.Fprintf(&b, "  %d at %d: %s\n", i, e.at, e.json())
		}
		t.Errorf("%s\n%s got  %q\n want %q", q, b.String(), g, w)
	}
}

func printed(answers []answer) []string {
	var lines []string
	for _, a := range answers {
		lines = append(lines, a.String())
	}
	slices.Sort(lines)
	return lines
}

// testCase is a statement over events.
type testCase struct {
	t          *testing.T
	plan       *sequence.Plan
	span       int64
	evaluation *match.Evaluation
	events     []*happening
	lines      []string
}

func newCase(t *testing.T, text string, span int64, events []*happening) *testCase {
	t.Helper()
	var fields event.Fields
	plan := compile(t, text, &fields, time.Duration(span)*time.Millisecond)
	c := &testCase{t: t, plan: plan, span: span, events: events,
		evaluation: match.NewEvaluation(&fields, time.Time{})}
	for _, e := range events {
		c.lines = append(c.lines, e.json())
	}
	return c
}

func compile(t testing.TB, text string, fields *event.Fields,
	lookBack time.Duration) *sequence.Plan {
	t.Helper()
	statement, err := eql.ParseStatement(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	plan, err := sequence.Compile(statement, fields, sequence.Options{LookBack: lookBack})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return plan
}

// cut judges the events in windows cut at random; some of the events come late, and windows that
// they may concern are judged again.
func (c *testCase) cut(random *rand.Rand) []answer {
	cuts := []int64{-1, 100}
	for range random.IntN(4) {
		cuts = append(cuts, random.Int64N(45))
	}
	slices.Sort(cuts)
	late := make([]bool, len(c.events))
	for i := range late {
		late[i] = random.IntN(8) == 0
	}
	none := make([]bool, len(c.events))
	var all []answer
	for i := range len(cuts) - 1 {
		from, to := cuts[i], cuts[i+1]
		found := c.judge(from, to, late)
		concerned := false
		for n, e := range c.events {
			concerned = concerned || late[n] && e.at < to && from <= e.at+c.span
		}
		if concerned {
			found = c.judge(from, to, none)
		}
		all = append(all, found...)
	}
	return all
}

// judge returns what is found in a window, with a lead-in of the span before it and without those
// events that are left out.
func (c *testCase) judge(from, to int64, without []bool) []answer {
	c.t.Helper()
	window := span.Interval{From: moment(from), To: moment(to)}
	j := sequence.NewJudge[int](c.plan, window, sequence.NewRoom(math.MaxInt))
	var all []answer
	for i, e := range c.events {
		if without[i] || e.at < from-c.span || e.at >= to {
			continue
		}
		if err := c.evaluation.Read(nil, event.Document{Source: []byte(c.lines[i])}); err != nil {
			c.t.Fatal(err)
		}
		look, ok := c.plan.Look(c.evaluation, func(m int) bool {
			return c.plan.Matchers()[m].Match(c.evaluation)
		})
		if !ok {
			continue
		}
		matches, err := j.See(look, moment(e.at), func() int { return i })
		if err != nil {
			c.t.Fatal(err)
		}
		all = append(all, answers(matches)...)
	}
	return append(all, answers(j.End())...)
}

func answers(matches []sequence.Match[int]) []answer {
	var all []answer
	for _, m := range matches {
		a := answer{at: m.At.Sub(moment(0)).Milliseconds()}
		for _, e := range m.Events {
			a.events = append(a.events, e.Event)
		}
		for _, k := range m.Keys {
			if k.Missing {
				k.Text = "-"
			}
			a.key += "/" + k.Text
		}
		all = append(all, a)
	}
	return all
}
