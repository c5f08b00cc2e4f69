package metrics

import (
	"strings"
	"testing"
	"time"
)

func TestHealth(t *testing.T) {
	c := newClock()
	h := NewHealth(c.now)
	after := func(d time.Duration, want string) {
		t.Helper()
		c.at = c.at.Add(d)
		got := ""
		if err := h.Alive(); err != nil {
			got = err.Error()
		}
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("at %s: got %q, want %q", c.at.Format(time.TimeOnly), got, want)
		}
	}
	after(0, "")
	after(90*time.Second, "") // it waits for the cluster
	after(time.Minute, "a run was due 2m30s ago and has not begun")

	h.Begin()
	after(0, "")
	after(10*time.Minute, "")
	after(time.Second, "the run under way hangs: nothing was heard of the cluster for 10m1s")
	h.Heard()
	after(0, "")
	for range 20 { // it catches up on days
		after(9*time.Minute, "")
		h.Heard()
	}
	h.End(5 * time.Minute)
	after(7*time.Minute, "")
	after(time.Second, "a run was due 2m1s ago and has not begun")
	h.Begin()
	after(9*time.Minute, "")
	h.End(time.Hour)
	after(time.Hour, "")
	if got := h.Runs(); got != 2 {
		t.Errorf("runs: got %d, want 2", got)
	}
}
