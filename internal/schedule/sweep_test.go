package schedule

import (
	"testing"

	"esrule/internal/detect"
	"esrule/internal/span"
)

func TestOwedSweepStaysUntilPaidWhole(t *testing.T) {
	l := ledgerOf(0)
	l.beginSweeps(minute(0))
	sick := detect.Failure{Index: "sick", Reason: "no shard"}
	l.cover(minutes(0, 5), []detect.Failure{sick}, minute(5))
	l.owe(sick, minute(0), minute(5))
	l.owe(sick, minute(3), minute(6))
	f := func(why string, change func(), want bool) {
		t.Helper()
		if change(); (len(l.Open) == 1) != want {
			t.Errorf("%s: open %+v, want it open: %v", why, l.Open, want)
		}
	}
	f("its window answered", func() {
		l.retried("sick", minutes(0, 5), nil, minute(7), everyFive.Interval)
	}, true)
	f("a later piece of the sweep answered", func() {
		l.paid("sick", span.Interval{From: minute(3)}, nil, minute(8), everyFive.Interval)
	}, true)
	f("the first piece answered", func() {
		l.paid("sick", minutes(0, 4), nil, minute(9), everyFive.Interval)
	}, true)
	f("the last failed", func() {
		l.paid("sick", span.Interval{From: minute(4)}, &sick, minute(10), everyFive.Interval)
	}, true)
	f("the last answered", func() {
		l.paid("sick", span.Interval{From: minute(4)}, nil, minute(11), everyFive.Interval)
	}, false)
}
