package soak

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"esrule/internal/query/rule"
)

// While a node is away, the signals of the indices on the other still come, and the lost one is
// named and kept. When the node is back, its signals come too.
func (h *harness) losesANode(t *testing.T) {
	t.Helper()
	r, err := newRound(&schedule{seed: 0, size: size{lookBack: 3 * time.Hour, backlog: 400,
		rules: fewestRules}},
		h.pair, h.file, h.home)
	if err != nil {
		t.Fatal(err)
	}
	defer r.net.close()
	ctx := t.Context()
	r.started = time.Now()
	if err := r.prepare(ctx, newSource(r.plan, 2, 0)); err != nil {
		t.Fatal(err)
	}
	if err := h.pair.KillSecond(); err != nil {
		t.Fatal(err)
	}
	program := r.instances[0]
	if code := program.once(ctx, 0, "run", "--once"); code != 1 {
		t.Errorf("exit code with a node away: %d, want 1\n%s", code, program.said())
	}
	for _, part := range []string{r.index("ev-second") + " is open",
		"a shard is not available: its node is down or the index is gone"} {
		if !strings.Contains(program.said(), part) {
			t.Errorf("it does not say %q:\n%s", part, program.said())
		}
	}
	if first, second := r.signalsOf(ctx, t, "ev-first"),
		r.signalsOf(ctx, t, "ev-second"); first == 0 || second > 0 {
		t.Errorf("signals with a node away: %d of the index that is there, %d of the one that is "+
			"lost; want some and none", first, second)
	}
	for _, d := range r.detections {
		l, err := r.ledger(ctx, d.Rule.ID)
		if err != nil {
			t.Fatal(err)
		}
		// What asks for events that are not there, in the history of new terms too, is not decided
		// for a piece of which an index is lost: the piece is open for all indices, and sick.
		undecided := slices.Contains([]rule.ID{byNewTerms, byUntil, byAbsence}, d.Rule.ID) &&
			len(l.Sick) > 0
		if len(l.Open) != 1 || l.Open[0].Index != r.index("ev-second") ||
			len(l.Covered) != 1 && !undecided {
			t.Errorf("the ledger of %s: covered %v, open %+v, sick %v; want all covered but for "+
				"the lost index", d.Rule.ID, l.Covered, l.Open, l.Sick)
		}
	}
	if err := h.pair.StartSecond(ctx); err != nil {
		t.Fatal(err)
	}
	if err := r.heal(ctx); err != nil {
		t.Fatal(err)
	}
	h.wantRight(t, r)
}

// signalsOf counts the signals of one index's events.
func (r *round) signalsOf(ctx context.Context, t *testing.T, index string) int {
	t.Helper()
	if _, err := r.admin.insist(ctx, http.MethodPost, r.index("signals")+"/_refresh",
		nil); err != nil {
		t.Fatal(err)
	}
	n := 0
	err := r.admin.everything(ctx, r.index("signals"), func(h hit) error {
		if strings.Contains(string(h.Source), fmt.Sprintf("%q", r.index(index))) {
			n++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
