package estest

import (
	"iter"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// Seeds gives what a test that makes its cases at random begins with, and prints each: one seed,
// ESTEST_SEED or a new one; or, with a duration in ESTEST_FUZZTIME, as many as begin within it,
// ESTEST_SEED first where it is set. No seed comes after one with which the test failed.
func Seeds(t testing.TB) iter.Seq[uint64] {
	t.Helper()
	next := rand.Uint64
	if text := os.Getenv("ESTEST_SEED"); text != "" {
		first, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("ESTEST_SEED: %v; write a seed that a test printed", err)
		}
		next = func() uint64 { next = rand.Uint64; return first }
	}
	var end time.Time
	if text := os.Getenv("ESTEST_FUZZTIME"); text != "" {
		duration, err := time.ParseDuration(text)
		if err != nil {
			t.Fatalf("ESTEST_FUZZTIME: %v; write a duration such as 30s", err)
		}
		end = time.Now().Add(duration)
	}
	return func(yield func(uint64) bool) {
		for {
			seed := next()
			t.Logf("seed %d (ESTEST_SEED=%[1]d repeats it)", seed)
			if !yield(seed) || t.Failed() || !time.Now().Before(end) {
				return
			}
		}
	}
}
