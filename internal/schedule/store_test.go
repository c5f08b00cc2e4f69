package schedule_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"esrule/internal/estest"
	"esrule/internal/schedule"
	"esrule/internal/sink/indices"
	"esrule/internal/span"
)

// TestBlockedState: a ledger that the state index does not take is held, so that what was searched
// is not searched again while the block lasts, and written as soon as it is gone.
func TestBlockedState(t *testing.T) {
	c := estest.For(t)
	i := indices.Names{Signals: c.Index("signals"), State: c.Index("state"),
		DeadLetter: c.Index("dead")}
	if _, err := i.Ensure(t.Context(), c.Client, nil); err != nil {
		t.Fatal(err)
	}
	block := func(on bool) {
		c.Do(http.MethodPut, i.State+"/_settings",
			fmt.Sprintf(`{"index.blocks.read_only_allow_delete":%v}`, on))
	}
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	s := schedule.NewStore(c.Client, i.State, func() time.Time { return now })
	create := func() *schedule.Ledger { return schedule.NewLedger("r", "R", now) }
	cover := func(hours int) (*schedule.Ledger, error) {
		from := now.Add(time.Duration(hours) * time.Hour)
		return s.Update(t.Context(), "r", create, func(l *schedule.Ledger) {
			l.Covered = l.Covered.Union(span.New(from, from.Add(time.Hour)))
		})
	}
	f := func(hours int, kept bool, want time.Duration) {
		t.Helper()
		l, err := cover(hours)
		_, notKept := errors.AsType[*schedule.NotKeptError](err)
		if (err == nil) != kept || notKept == kept || l == nil || l.Covered.Length() != want {
			t.Errorf("hour %d: got %+v and the error %v, want %v covered, kept: %v", hours, l, err,
				want, kept)
		}
	}
	f(0, true, time.Hour)
	block(true)
	f(1, false, 2*time.Hour)
	f(2, false, 3*time.Hour)
	if l, err := s.Load(t.Context(), "r"); err != nil || l.Covered.Length() != time.Hour {
		t.Errorf("in the index: got %+v, %v, want one hour covered", l, err)
	}
	block(false)
	f(3, true, 4*time.Hour)
	if l, err := s.Load(t.Context(), "r"); err != nil || l.Covered.Length() != 4*time.Hour {
		t.Errorf("in the index after the repair: got %+v, %v, want four hours covered", l, err)
	}
}
