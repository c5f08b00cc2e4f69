package ahocorasick_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"esrule/internal/query/match/ahocorasick"
)

// found returns the numbers of the texts that stand in another, sorted, each once.
func found(a *ahocorasick.Automaton, in string) []int {
	var numbers []int
	a.Find([]byte(in), func(text int) { numbers = append(numbers, text) })
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

func TestFind(t *testing.T) {
	texts := []string{"he", "she", "his", "hers", "e", "é", "he", "zz"}
	a := ahocorasick.New(texts)
	f := func(in string, want ...int) {
		t.Helper()
		if got := found(a, in); !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v of %q", in, got, want, texts)
		}
	}
	f("")
	f("xyz")
	f("ushers", 0, 1, 3, 4, 6)
	f("USHERS", 0, 1, 3, 4, 6)
	f("hi", []int{}...)
	f("his", 2)
	f("caf\u00e9", 5)
	f("CAF\u00c9") // letters beyond ASCII keep their case
	f("z\x00zz", 7)
	if got := found(&ahocorasick.Automaton{}, "he"); got != nil {
		t.Errorf("the zero value: got %v, want nothing", got)
	}
}

// What the automaton finds is what looking for each text finds.
func FuzzFind(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 1))
		text := func(most int) string {
			b := make([]byte, 1+r.IntN(most))
			for i := range b {
				b[i] = "abcé\x00\xff"[r.IntN(7)]
			}
			return string(b)
		}
		texts := make([]string, 1+r.IntN(8))
		for i := range texts {
			texts[i] = text(4)
		}
		a := ahocorasick.New(texts)
		for range 20 {
			in := text(12)
			var want []int
			for n, one := range texts {
				if bytes.Contains([]byte(in), []byte(one)) {
					want = append(want, n)
				}
			}
			if got := found(a, in); !slices.Equal(got, want) {
				t.Fatalf("seed %d, %q in %q: got %v, want %v", seed, texts, in, got, want)
			}
		}
	})
}

func TestFindAllocatesNothing(t *testing.T) {
	a := ahocorasick.New([]string{"powershell", "-enc", "downloadstring"})
	line, n := []byte(`C:\Windows\System32\PowerShell.exe -enc AAAA`), 0
	if got := testing.AllocsPerRun(100, func() { a.Find(line, func(int) { n++ }) }); got != 0 {
		t.Errorf("got %v allocations, want none", got)
	}
}
