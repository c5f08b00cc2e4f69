package schedule

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"esrule/internal/estest"
	"esrule/internal/query/rule"
	"esrule/internal/sink/indices"
)

// ledgersOf is a state index, and stores of two instances over it.
type ledgersOf struct {
	*estest.Cluster
	index        string
	ours, theirs *Store
}

var batchTime = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

func newLedgers(t *testing.T) *ledgersOf {
	c := estest.For(t)
	i := indices.Names{Signals: c.Index("signals"), State: c.Index("state"),
		DeadLetter: c.Index("dead")}
	if _, err := i.Ensure(t.Context(), c.Client, nil); err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return batchTime }
	return &ledgersOf{c, i.State, NewStore(c.Client, i.State, now),
		NewStore(c.Client, i.State, now)}
}

func first(id rule.ID) func() *Ledger {
	return func() *Ledger { return NewLedger(id, "", batchTime) }
}

// opening enters an index as open, which shows who changed a ledger and how often.
func opening(index string) func(*Ledger) {
	return func(l *Ledger) { l.Open = append(l.Open, OpenIndex{Index: index}) }
}

func opened(l *Ledger) (names []string) {
	for _, o := range l.Open {
		names = append(names, o.Index)
	}
	return names
}

// Of ledgers that are read and written at once, none loses what another instance has changed
// meanwhile: not the ones that are changed, that were deleted, or that were not there.
func TestBatchMeetsAnotherInstance(t *testing.T) {
	w := newLedgers(t)
	ctx := t.Context()
	entered := func(s *Store, id rule.ID, index string) {
		t.Helper()
		if _, err := s.Update(ctx, id, first(id), opening(index)); err != nil {
			t.Fatal(err)
		}
	}
	rules := []rule.ID{"both", "deleted", "new", "ours", "unchanged"}
	for _, id := range []rule.ID{"both", "deleted", "ours", "unchanged"} {
		entered(w.ours, id, "before")
	}
	b, err := w.ours.batch(ctx, rules)
	if err != nil {
		t.Fatal(err)
	}
	entered(w.theirs, "both", "theirs")
	entered(w.theirs, "new", "theirs")
	answer, err := w.Client.Delete(w.index, "ledger-deleted")
	if err != nil || answer.IsError() {
		t.Fatal(answer, err)
	}
	_ = answer.Body.Close()
	change := func(index string, ids ...rule.ID) {
		t.Helper()
		for _, id := range ids {
			if _, err := b.update(ctx, id, first(id), opening(index)); err != nil {
				t.Fatal(err)
			}
		}
	}
	change("ours", "both", "deleted", "new", "ours")
	change("too", "both", "deleted", "new")
	if _, err := b.update(ctx, "unchanged", first("unchanged"), func(*Ledger) {}); err != nil {
		t.Fatal(err)
	}
	became := b.flush(ctx)
	f := func(id rule.ID, want ...string) {
		t.Helper()
		l, err := w.theirs.Load(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if got := opened(l); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", id, got, want)
		}
		if got := became[id]; got.err != nil || !slices.Equal(opened(got.ledger), want) {
			t.Errorf("%s: the flush returns %v and the error %v, want %v", id, got.ledger,
				got.err, want)
		}
	}
	f("both", "before", "theirs", "ours", "too")
	f("deleted", "before", "ours", "too")
	f("new", "theirs", "ours", "too")
	f("ours", "before", "ours")
	if _, written := became["unchanged"]; written || len(b.flush(ctx)) > 0 {
		t.Errorf("got %v, then more, want a ledger written only when it is changed", became)
	}
	change("again", "both", "ours")
	became = b.flush(ctx)
	f("both", "before", "theirs", "ours", "too", "again")
	f("ours", "before", "ours", "again")
}

// counting counts requests.
type counting struct{ requests *int }

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	*c.requests++
	return http.DefaultTransport.RoundTrip(r)
}

// Ledgers that another instance has changed meanwhile are written together too.
func TestConflictsAreWrittenTogether(t *testing.T) {
	w := newLedgers(t)
	ctx, requests := t.Context(), 0
	ours := NewStore(w.Through(counting{&requests}), w.index, func() time.Time { return batchTime })
	var rules []rule.ID
	for i := range 50 {
		rules = append(rules, rule.ID(fmt.Sprint("rule-", i)))
	}
	change := func(b *batch, index string) {
		t.Helper()
		for _, id := range rules {
			if _, err := b.update(ctx, id, first(id), opening(index)); err != nil {
				t.Fatal(err)
			}
		}
	}
	mine, err := ours.batch(ctx, rules)
	if err != nil {
		t.Fatal(err)
	}
	change(mine, "ours")
	others, err := w.theirs.batch(ctx, rules)
	if err != nil {
		t.Fatal(err)
	}
	change(others, "theirs")
	others.flush(ctx)
	requests = 0
	for id, k := range mine.flush(ctx) {
		if got := opened(k.ledger); k.err != nil || !slices.Equal(got, []string{"theirs", "ours"}) {
			t.Errorf("%s: got %v and the error %v, want theirs and ours", id, got, k.err)
		}
	}
	if requests != 3 {
		t.Errorf("got %d requests, want 3: the write, a second look, and a second write", requests)
	}
}

// TestBatchThatIsNotWritten: what cannot be written is not taken for written, and one ledger that
// cannot be read or written keeps no other from it.
func TestBatchThatIsNotWritten(t *testing.T) {
	w := newLedgers(t)
	ctx := t.Context()
	rules := []rule.ID{"a", "b", "future"}
	for _, id := range rules {
		if _, err := w.ours.Update(ctx, id, first(id), opening("before")); err != nil {
			t.Fatal(err)
		}
	}
	w.Do(http.MethodPost, w.index+"/_update/ledger-future", `{"doc":{"version":99}}`)
	b, err := w.ours.batch(ctx, rules)
	if err != nil {
		t.Fatal(err)
	}
	change := func(index string) {
		t.Helper()
		for _, id := range []rule.ID{"a", "b"} {
			if _, err := b.update(ctx, id, first(id), opening(index)); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, err = b.update(ctx, "future", first("future"), opening("x"))
	if err == nil || !strings.Contains(err.Error(), "run the newer release") {
		t.Errorf("a ledger of a newer format: got the error %v", err)
	}
	f := func(what string, ctx context.Context, notKept bool, want ...string) {
		t.Helper()
		for id, k := range b.flush(ctx) {
			_, blocked := errors.AsType[*NotKeptError](k.err)
			if (k.err == nil) != (!notKept && ctx.Err() == nil) || blocked != notKept ||
				!slices.Equal(opened(k.ledger), want) {
				t.Errorf("%s, %s: got %v and the error %v, want %v", what, id, opened(k.ledger),
					k.err, want)
			}
		}
	}
	ended, end := context.WithCancel(ctx)
	end()
	change("lost")
	f("no answer", ended, false, "before")
	block := func(on bool) {
		w.Do(http.MethodPut, w.index+"/_settings",
			fmt.Sprintf(`{"index.blocks.read_only_allow_delete":%v}`, on))
	}
	block(true)
	change("held")
	f("blocked", ctx, true, "before", "held")
	b, err = w.ours.batch(ctx, rules) // the next run
	if err != nil {
		t.Fatal(err)
	}
	block(false)
	change("more")
	f("unblocked", ctx, false, "before", "held", "more")
}
