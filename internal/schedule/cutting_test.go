package schedule_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"esrule/internal/query/rule"
)

// newRandom returns chance, and the seed that repeats it: that of ESRULE_TEST_SEED, if there is
// one.
func newRandom(t *testing.T) (random *rand.Rand, seed uint64) {
	seed = rand.Uint64()
	if text := os.Getenv("ESRULE_TEST_SEED"); text != "" {
		seed, _ = strconv.ParseUint(text, 10, 64)
	}
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0)), seed
}

// cut lets time pass in steps. In each, some events are made, and the rules may be polled, or their
// run killed. At the end everything was searched.
func (w *world) cut(random *rand.Rand, rules []*rule.Rule, makeOne func(step time.Duration)) {
	w.t.Helper()
	for range 8 {
		step := time.Duration(1+random.IntN(40)) * time.Minute
		w.clock = w.clock.Add(step)
		for range 2 + random.IntN(12) {
			makeOne(step)
		}
		if random.IntN(3) == 0 {
			w.killBehind(random.IntN(3))
			w.runAll(rules...)
			w.opening, w.ending = nil, nil
		}
		if random.IntN(4) > 0 {
			w.runAll(rules...)
		}
	}
	w.clock = w.clock.Add(time.Hour)
	w.runAll(rules...)
}
