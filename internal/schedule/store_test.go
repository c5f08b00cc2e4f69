package schedule_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"esrule/internal/estest"
	"esrule/internal/query/rule"
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

// Of ledgers that were read at once, none loses what another instance has changed since: not the
// ones that are changed, that were deleted, or that were not there.
func TestPrefetchedLedgersMeetAnotherInstance(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	ours, other := w.store(), w.store()
	entered := func(s *schedule.Store, id rule.ID, index string) {
		t.Helper()
		if _, err := s.Update(ctx, id, func() *schedule.Ledger {
			return schedule.NewLedger(id, "", w.clock)
		}, func(l *schedule.Ledger) {
			l.Open = append(l.Open, schedule.OpenIndex{Index: index})
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []rule.ID{"both", "deleted"} {
		entered(ours, id, "before")
	}
	if err := ours.Prefetch(ctx, []rule.ID{"both", "deleted", "new"}); err != nil {
		t.Fatal(err)
	}
	entered(other, "both", "theirs")
	entered(other, "new", "theirs")
	answer, err := w.Client.Delete(w.indices.State, "ledger-deleted")
	if err != nil || answer.IsError() {
		t.Fatal(answer, err)
	}
	_ = answer.Body.Close()
	f := func(id rule.ID, want ...string) {
		t.Helper()
		entered(ours, id, "ours")
		l, err := other.Load(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range l.Open {
			got = append(got, o.Index)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", id, got, want)
		}
	}
	f("both", "before", "theirs", "ours")
	entered(other, "both", "again")
	f("both", "before", "theirs", "ours", "again", "ours")
	f("deleted", "ours")
	f("new", "theirs", "ours")
}
