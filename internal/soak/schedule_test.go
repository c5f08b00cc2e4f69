package soak

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// kind is a way to fail.
type kind string

const (
	killed      kind = "kill -9"
	oneMore     kind = "one more instance"
	backfilling kind = "backfill beside polling"
	sweepDue    kind = "late sweep due"
	clockAhead  kind = "clock ahead"
	clockBehind kind = "clock behind"

	connectionReset   kind = "connections reset"
	connectionRefused kind = "connections refused"
	slowAnswers       kind = "slow answers"
	slowRequests      kind = "slow requests"
	narrow            kind = "little bandwidth"
	slowClose         kind = "slow close"
	cutAnswer         kind = "answer cut in the middle"
	cutRequest        kind = "request cut in the middle"
	blackHole         kind = "black hole"
	lostAnswers       kind = "answers lost"

	nodeLost     kind = "node lost"
	queueFull    kind = "write queue full"
	breakerOpen  kind = "circuit breaker"
	expired      kind = "point in time gone"
	readOnly     kind = "index read-only"
	readBlocked  kind = "index not readable"
	metaBlocked  kind = "index metadata blocked"
	closed       kind = "index closed"
	deleted      kind = "index deleted"
	rolledOver   kind = "index rolled over"
	conflict     kind = "mapping conflict"
	refreshApart kind = "refresh far apart"
	signalsStuck kind = "signals index read-only"
	stateStuck   kind = "state index read-only"

	nodeHangs     kind = "node hangs"
	oversized     kind = "event too large for the way"
	replacedIndex kind = "index replaced under another name"
	aliasBlocked  kind = "index behind an alias not readable"
	streamBlocked kind = "index of a data stream not readable"
	longClosed    kind = "index closed for seconds"
	rotated       kind = "password rotated"
	hollow        kind = "answers incomplete"
	signalsRefuse kind = "signals index refuses for its own fault"

	indicatorsHidden kind = "indicators closed or not readable"
)

// habit says how often a kind comes, and how long it lasts.
type habit struct {
	kind        kind
	weight      int
	least, most time.Duration
}

const ms = time.Millisecond

// habits are all kinds but nodeLost, which comes once a round at most: a node takes longer to come
// back than all others.
func habits() []habit {
	return []habit{
		{killed, 16, 0, 0},
		{oneMore, 5, 1000 * ms, 4000 * ms},
		{backfilling, 3, 1000 * ms, 4000 * ms},
		{sweepDue, 3, 0, 0},
		{clockAhead, 4, 200 * ms, 1500 * ms},
		{clockBehind, 4, 200 * ms, 1500 * ms},
		{connectionReset, 7, 100 * ms, 500 * ms},
		{connectionRefused, 3, 100 * ms, 500 * ms},
		{slowAnswers, 4, 200 * ms, 800 * ms},
		{slowRequests, 3, 200 * ms, 800 * ms},
		{narrow, 3, 200 * ms, 800 * ms},
		{slowClose, 2, 200 * ms, 800 * ms},
		{cutAnswer, 7, 100 * ms, 600 * ms},
		{cutRequest, 4, 100 * ms, 400 * ms},
		{blackHole, 4, 200 * ms, 800 * ms},
		{lostAnswers, 5, 200 * ms, 800 * ms},
		{queueFull, 4, 200 * ms, 600 * ms},
		{breakerOpen, 4, 100 * ms, 400 * ms},
		{expired, 6, 300 * ms, 300 * ms},
		{readOnly, 3, 200 * ms, 800 * ms},
		{readBlocked, 3, 100 * ms, 500 * ms},
		{metaBlocked, 3, 100 * ms, 500 * ms},
		{closed, 3, 200 * ms, 800 * ms},
		{deleted, 3, 0, 0},
		{rolledOver, 3, 0, 0},
		{conflict, 2, 0, 0},
		{refreshApart, 3, 500 * ms, 2500 * ms},
		{signalsStuck, 3, 100 * ms, 400 * ms},
		{stateStuck, 3, 100 * ms, 400 * ms},
		{nodeHangs, 1, 1500 * ms, 7000 * ms},
		{oversized, 2, 0, 0},
		{replacedIndex, 4, 20_000 * ms, 20_000 * ms},
		{aliasBlocked, 3, 200 * ms, 1500 * ms},
		{streamBlocked, 3, 200 * ms, 1500 * ms},
		{longClosed, 2, 1000 * ms, 4000 * ms},
		{rotated, 4, 0, 1500 * ms},
		{hollow, 5, 500 * ms, 2500 * ms},
		{signalsRefuse, 4, 200 * ms, 1500 * ms},
		{indicatorsHidden, 4, 200 * ms, 1500 * ms},
	}
}

// fault is one failure: it begins at a time after the round's start, holds, and is undone.
type fault struct {
	number int
	kind   kind
	at     time.Duration
	hold   time.Duration
	slot   int    // the instance it is about, where it is about one
	amount uint64 // how much, or which, in the kind's own terms
}

func (f fault) String() string {
	return fmt.Sprintf("%6.2fs #%d %s for %s (slot %d, amount %d)", f.at.Seconds(), f.number,
		f.kind, f.hold, f.slot, f.amount)
}

// schedule is what a seed stands for.
type schedule struct {
	seed   uint64
	faults []fault
	size   size
}

// size is how much a round does.
type size struct {
	faults   int
	every    time.Duration // the mean time between two faults
	lookBack time.Duration // how long before the start the events begin
	backlog  int           // events that are there before the start
	live     int           // events that come while it fails
	node     bool          // a node is lost too, which makes a round long
	rules    int           // at least fewestRules
}

// late is the instances' ESRULE_LATE: half the look back. What comes late is younger, so that a
// sweep finds what nothing else does: events without event.ingested that come hours late or are
// dated in the future. The older half of the backlog is found by no sweep: where an index was
// closed, blocked or replaced, its time must be open in the ledger.
func (s size) late() time.Duration { return s.lookBack / 2 }

const slots = 3 // instances at once; the last one only now and then

func newSchedule(seed uint64, s size) *schedule {
	random := rand.New(rand.NewPCG(seed, 1))
	plan := &schedule{seed: seed, size: s}
	deck := habits()
	total := 0
	for _, h := range deck {
		total += h.weight
	}
	length := time.Duration(s.faults) * s.every
	for nth := range s.faults {
		n := random.IntN(total)
		i := slices.IndexFunc(deck, func(h habit) bool { n -= h.weight; return n < 0 })
		if nth < len(deck) {
			i = nth // each kind comes at least once
		}
		h := deck[i]
		plan.faults = append(plan.faults, fault{
			kind: h.kind, at: span(random, length), hold: h.least + span(random, h.most-h.least+1),
			slot: random.IntN(slots - 1), amount: random.Uint64(),
		})
	}
	if s.node {
		plan.faults = append(plan.faults,
			fault{kind: nodeLost, at: length/20 + span(random, length/5),
				hold: 1500*ms + span(random, 2000*ms)})
	}
	slices.SortStableFunc(plan.faults, func(a, b fault) int { return int(a.at - b.at) })
	for i := range plan.faults {
		plan.faults[i].number = i + 1
	}
	return plan
}

func (s *schedule) String() string {
	lines := []string{fmt.Sprintf("schedule of seed %d:", s.seed)}
	for _, f := range s.faults {
		lines = append(lines, f.String())
	}
	return strings.Join(lines, "\n  ")
}

// A seed stands for one schedule, which has every kind.
func TestSeedRepeatsTheSchedule(t *testing.T) {
	s := size{faults: 50, every: 100 * ms, node: true}
	if a, b := newSchedule(7, s).String(), newSchedule(7, s).String(); a != b {
		t.Errorf("two schedules of one seed:\n%s\n%s", a, b)
	}
	there := map[kind]int{}
	for _, f := range newSchedule(7, s).faults {
		there[f.kind]++
	}
	for _, h := range append(habits(), habit{kind: nodeLost}) {
		if there[h.kind] == 0 {
			t.Errorf("%s: not among 50 faults", h.kind)
		}
	}
}

// span is a time from none up to d.
func span(random *rand.Rand, d time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(d)))
}
