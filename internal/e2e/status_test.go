package e2e

import (
	"encoding/json"
	"testing"
	"time"

	"esrule/internal/schedule"
	"esrule/internal/span"
)

// What status says of a ledger with a gap and an index that is open, for people and for programs.
func TestStatus(t *testing.T) {
	t.Parallel()
	s := newStage(t, "events-*")
	s.Create(s.name("events-1"), ecs)
	s.put("events-1", "a", match(time.Minute))
	s.run("status").want(t, 1).says(t, "nothing yet: the rule was never run")
	s.runOnce()

	type rule struct {
		Covered     bool    `json:"covered"`
		Late        bool    `json:"late"`
		Lag         float64 `json:"lag_seconds"`
		GapSeconds  float64 `json:"gap_seconds"`
		OpenSeconds float64 `json:"open_seconds"`
		Open        []schedule.OpenIndex
		LastRun     schedule.Run `json:"last_run"`
	}
	asJSON := func(code int, args ...string) rule {
		t.Helper()
		r := s.run(append([]string{"status", "--format", "json"}, args...)...).want(t, code)
		var all struct {
			Covered bool
			Rules   []rule
		}
		if err := json.Unmarshal([]byte(r.stdout), &all); err != nil || len(all.Rules) != 1 ||
			all.Covered != (code == 0) {
			t.Fatalf("status: %v: %s", err, r.stdout)
		}
		return all.Rules[0]
	}
	if got := asJSON(0); !got.Covered || got.GapSeconds != 0 || got.OpenSeconds != 0 ||
		got.LastRun.Created != 1 {
		t.Errorf("covered: got %+v", got)
	}
	if got := asJSON(1, "--max-lag", "1ms"); !got.Late || got.Covered {
		t.Errorf("beyond --max-lag: got %+v", got)
	}

	var end time.Time
	s.changeLedger(func(l *schedule.Ledger) {
		end = l.Covered.End()
		l.Covered = l.Covered.Minus(span.New(end.Add(-40*time.Minute), end.Add(-30*time.Minute)))
		half := span.Intervals{span.New(end.Add(-20*time.Minute), end.Add(-10*time.Minute))}
		whole := span.Intervals{span.New(end.Add(-25*time.Minute), end.Add(-10*time.Minute))}
		l.Open = []schedule.OpenIndex{
			{Index: "sick-1", Time: half, Reason: "no answer of shard 0", Since: end, Tries: 3,
				Next: end.Add(time.Hour)},
			{Index: "sick-2", Time: whole, Reason: "closed", Since: end, Next: end.Add(time.Hour)},
		}
	})
	got := asJSON(1)
	if got.Covered || got.GapSeconds != 600 || got.OpenSeconds != 900 || len(got.Open) != 2 ||
		got.Lag < 2400 {
		t.Errorf("a gap and two open indices: got %+v", got)
	}
	s.run("status").want(t, 1).says(t, "10m0s: covered by the next run", "sick-1 for 10m0s since ",
		"tried again 3 times, next try "+
			end.Add(time.Hour).Format(time.RFC3339), "no answer of shard 0", "sick-2 for 15m0s",
		"1 created")
}
