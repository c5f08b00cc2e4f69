package estest

import (
	"slices"
	"testing"
)

func TestSeeds(t *testing.T) {
	take := func(most int) (got []uint64) {
		for seed := range Seeds(t) {
			if got = append(got, seed); len(got) == most {
				break
			}
		}
		return got
	}
	is := func(seed, fuzzTime string, most int, distinct int, first ...uint64) {
		t.Helper()
		t.Setenv("ESTEST_SEED", seed)
		t.Setenv("ESTEST_FUZZTIME", fuzzTime)
		got := take(most)
		if len(slices.Compact(slices.Clone(got))) != distinct || len(first) > 0 &&
			got[0] != first[0] {
			t.Errorf("ESTEST_SEED=%q ESTEST_FUZZTIME=%q: got %d, want %d distinct ones beginning with %d", seed, fuzzTime, got, distinct, first)
		}
	}
	is("", "", 9, 1)
	is("7", "", 9, 1, 7)
	is("", "0s", 9, 1)
	is("7", "0s", 9, 1, 7)
	is("", "1h", 9, 9)
	is("18446744073709551615", "1h", 9, 9, 18446744073709551615)
}
