package soak

import (
	"context"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"esrule/internal/estest"
)

func TestMain(m *testing.M) {
	// some of toxiproxy's toxics log where no one can tell them not to
	zerolog.SetGlobalLevel(zerolog.Disabled)
	os.Exit(m.Run())
}

// Whatever fails, alone or all at once, each event that matches has one signal in the end, and
// every ledger is whole.
func TestFaults(t *testing.T) {
	if os.Getenv("SOAK_FAULTS") != "" {
		t.Skip("SOAK_FAULTS is set: TestSoak runs")
	}
	h := newHarness(t)
	t.Run("node lost", h.losesANode)
	for _, seed := range []uint64{1} {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			h.round(t, newSchedule(seed, size{faults: 46, every: 250 * ms, lookBack: 6 * time.Hour,
				backlog: 1200, live: 800, rules: fewestRules}))
		})
	}
	h.tell(t)
}

// TestSoak is `make soak`.
func TestSoak(t *testing.T) {
	faults, events := number(t, "SOAK_FAULTS", 0), number(t, "SOAK_EVENTS", 0)
	if faults == 0 {
		t.Skip("SOAK_FAULTS is not set")
	}
	seed := uint64(number(t, "SOAK_SEED", int(time.Now().UnixNano()>>10&0xffffffff)))
	t.Logf("seed %d (SOAK_SEED=%[1]d repeats it)", seed)
	rules := max(number(t, "SOAK_RULES", fewestRules), fewestRules)
	h := newHarness(t)
	for ; !t.Failed() && (h.faults < faults || h.events < events); seed++ {
		h.round(t, newSchedule(seed, size{faults: 260, every: 200 * ms, lookBack: 10 * time.Hour,
			backlog: 17000, live: 9000, node: true, rules: rules}))
	}
	h.tell(t)
}

func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// harness is the cluster and the program, and the sums of its rounds.
type harness struct {
	pair *estest.Pair
	file string
	home string

	rounds, faults, events, signals, lost, doubled int
	done                                           map[kind]int
}

func newHarness(t *testing.T) *harness {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("asks instances to end by SIGTERM, which Windows lacks")
	}
	// One thread and a queue of one: a few writers at once get real 429s.
	pair := estest.OwnPair(t, estest.Options{
		Log: os.Stderr,
		Settings: map[string]any{
			"thread_pool.write.size": 1, "thread_pool.write.queue_size": 1,
			// Replicas are there again soon after the node is.
			"cluster.routing.allocation.node_concurrent_recoveries": 20,
		},
	})
	home := t.TempDir()
	// with a clock that can be moved
	file, err := estest.BuildProgram(t.Context(), home, "-tags", "soak")
	if err != nil {
		t.Fatal(err)
	}
	return &harness{pair: pair, file: file, home: home, done: map[kind]int{}}
}

// round runs one schedule and judges it.
func (h *harness) round(t *testing.T, plan *schedule) {
	t.Helper()
	began := time.Now()
	r, err := newRound(plan, h.pair, h.file, h.home)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.run(t.Context()); err != nil {
		t.Fatalf("seed %d: %v\n%s", plan.seed, err, plan)
	}
	v := h.wantRight(t, r)
	faults := 0
	for k, n := range r.done {
		h.done[k] += n
		faults += n
	}
	h.rounds++
	h.faults += faults
	h.events += v.events
	h.signals += v.signals
	h.lost += v.lost
	h.doubled += v.doubled
	t.Logf("seed %d: %d faults, %d events, %d sequences, %d signals, %d lost, %d doubled in %s "+
		"(%s until the last fault was undone); covered by then: %s; %d without their events, %d reduced; %s; "+
		"%d lines replaced",
		plan.seed, faults, v.events, v.sequences, v.signals, v.lost, v.doubled,
		time.Since(began).Round(time.Second), r.failing.Round(time.Second), r.partial,
		v.withoutEvent, v.reduced, r.net.watcher, r.net.replaced)
}

// wantRight judges a round, and keeps its indices for whoever looks into what is wrong.
func (h *harness) wantRight(t *testing.T, r *round) *verdict {
	t.Helper()
	v, err := r.judge(t.Context(), h.pair.Client)
	if err != nil {
		t.Fatalf("seed %d: judge: %v\n%s", r.plan.seed, err, r.plan)
	}
	if len(v.wrong) > 0 {
		const enough = 20
		t.Errorf("seed %d: %d things are wrong:\n%s\n%s\nwhat the last run said:\n%s", r.plan.seed,
			len(v.wrong),
			strings.Join(v.wrong[:min(len(v.wrong), enough)], "\n"), r.plan, r.instances[0].said())
		return v
	}
	r.clean(t.Context())
	return v
}

// clean makes room for the next round.
func (r *round) clean(ctx context.Context) {
	answer, err := r.admin.do(ctx, "GET", "_cat/indices/"+r.prefix+"-*?h=index", nil)
	if err != nil {
		return
	}
	for index := range strings.FieldsSeq(string(answer)) {
		_, _ = r.admin.do(ctx, "DELETE", index, nil)
	}
	// The data stream stays: the test distribution has no API to delete one.
	_, _ = r.admin.do(ctx, "DELETE", "_index_template/"+r.prefix, nil)
}

func (h *harness) tell(t *testing.T) {
	t.Helper()
	lines := []string{fmt.Sprintf(
		"%d faults, %d events, %d signals, %d lost, %d doubled in %d rounds", h.faults, h.events,
		h.signals, h.lost, h.doubled, h.rounds)}
	for _, k := range slices.Sorted(maps.Keys(h.done)) {
		lines = append(lines, fmt.Sprintf("%6d %s", h.done[k], k))
	}
	t.Log(strings.Join(lines, "\n"))
}
