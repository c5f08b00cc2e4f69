package threshold_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"esrule/internal/detect/threshold"
	"esrule/internal/event"
	"esrule/internal/query/match"
	"esrule/internal/span"
)

// Judges share a room. What is over is let go of; a judge that has no room says how much pends, and
// keeps what has reached the threshold.
func TestRoom(t *testing.T) {
	fields := &event.Fields{}
	p := threshold.Compile(threshold.Options{Fields: []string{"k"}, Value: 2, Span: time.Minute},
		fields)
	e := match.NewEvaluation(fields, time.Time{})
	room := threshold.NewRoom(100)
	judge := func() *threshold.Judge {
		return threshold.NewJudge(p, span.Interval{From: start}, room)
	}
	see := func(j *threshold.Judge, second int, key string) ([]threshold.Burst, error) {
		t.Helper()
		if _, err := e.ReadLine([]byte(fmt.Sprintf(`{"k":%q}`, key)), nil); err != nil {
			t.Fatal(err)
		}
		look, _ := p.Look(e)
		return j.See(look, start.Add(time.Duration(second)*time.Second))
	}
	one, other := judge(), judge()
	for i := range 500 { // 15 at a time
		if _, err := see(one, 4*i, fmt.Sprint("key-", i)); err != nil {
			t.Fatalf("event %d: %v", i, err)
		}
	}
	if _, err := see(other, 1, "reached"); err != nil {
		t.Fatal(err)
	}
	if _, err := see(other, 2, "reached"); err != nil {
		t.Fatal(err)
	}
	var err error
	n := 0
	for ; err == nil && n < 100; n++ {
		_, err = see(other, 3, fmt.Sprint("key-", n))
	}
	var limit *threshold.LimitError
	if !errors.As(err, &limit) || !strings.Contains(err.Error(), "keys, and ") || n < 20 || n > 40 {
		t.Errorf("got %v at key %d, want that there is no room for some 35 keys", err, n)
	}
	if bursts := other.End(); len(bursts) != 1 || bursts[0].Values[0] != "reached" {
		t.Errorf("got %v, want what reached the threshold", bursts)
	}
	if _, err := see(one, 2001, strings.Repeat("x", 1<<15)); err == nil {
		t.Errorf("a key of 32 KB has room where there is room for some 9 KB")
	}
}
