package threshold_test

import (
	"slices"
	"testing"
	"time"

	"esrule/internal/detect/threshold"
	"esrule/internal/event"
	"esrule/internal/query/match"
	"esrule/internal/span"
)

// A burst has the marks of its events: of none that ran out before it, of each that came after.
func TestMarks(t *testing.T) {
	fields := &event.Fields{}
	plan := threshold.Compile(threshold.Options{Fields: []string{"k"}, Value: 2, Marked: true,
		Cardinality: []threshold.Cardinality{{Field: "c", Value: 1}}, Span: time.Minute}, fields)
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	judge := threshold.NewJudge(plan, span.New(start, start.Add(time.Hour)), threshold.NewRoom(100))
	e := match.NewEvaluation(fields, start)
	for _, one := range []struct {
		second int
		marks  []string
	}{{0, []string{"out"}}, {90, []string{"b", "a"}}, {100, nil}, {110, []string{"a", "c"}}} {
		if err := e.Read(nil, event.Document{Source: []byte(`{"k":"v","c":1}`)}); err != nil {
			t.Fatal(err)
		}
		look, ok := plan.Look(e)
		if !ok {
			t.Fatal("the event has no key")
		}
		look.Mark(one.marks)
		at := start.Add(time.Duration(one.second) * time.Second)
		if got, err := judge.See(look, at); err != nil || len(got) > 0 {
			t.Fatalf("second %d: got %v, %v", one.second, got, err)
		}
	}
	got := judge.End()
	if len(got) != 1 || got[0].Count != 3 || !slices.Equal(got[0].Distinct, []int{1}) ||
		!slices.Equal(got[0].Marks, []string{"a", "b", "c"}) {
		t.Errorf("got %+v, want a burst of three with the marks a, b and c", got)
	}
}
