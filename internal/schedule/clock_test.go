package schedule_test

import (
	"testing"
	"time"

	"esrule/internal/schedule"
)

// TestFirstRunOnAClockAhead leaves the ledger of a first run on a machine whose clock was a day ahead.
func TestFirstRunOnAClockAhead(t *testing.T) {
	w := newWorld(t)
	w.event(w.index("a"), 3, "bad.exe", 1)
	ahead := w.clock.Add(24 * time.Hour)
	first := schedule.NewInterval(ahead.Add(-w.rule.From), ahead)
	create := func() *schedule.Ledger { return schedule.NewLedger(w.rule.ID, w.rule.Name, first.From) }
	if _, err := w.store().Update(t.Context(), w.rule.ID, create, func(l *schedule.Ledger) { l.Covered = schedule.Intervals{first} }); err != nil {
		t.Fatal(err)
	}
	w.run()
	w.wantSignals("with the clock set right", 1)
	if l := w.ledger(); !l.CoveredUpTo().Equal(w.clock) || l.Since.After(w.clock) {
		t.Errorf("since %v, covered %v", l.Since, l.Covered)
	}
}
