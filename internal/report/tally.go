package report

import (
	"cmp"
	"slices"
)

// facet is one of the ways in which signals are counted.
type facet int

// The first three are read from each signal; rules and techniques are the rule's.
const (
	hosts facet = iota
	users
	processes
	perSignal // how many of them a signal carries itself
)

// manyNames bounds the different names of a facet, so that hostile events cannot fill the memory;
// what comes after them is counted under one name.
const manyNames = 20_000

const otherNames = "(others, too many to list)"

// tally counts signals by name. A name is known by its number, in the order in which it came.
type tally struct {
	number map[string]int
	names  []string
	counts []int
	limit  int
	none   int // signals without any
}

func newTally() *tally { return &tally{number: map[string]int{}, limit: manyNames} }

// add counts one signal under each of its names and gives their numbers.
func (t *tally) add(names []string) []int {
	if len(names) == 0 {
		t.none++
	}
	numbers := make([]int, 0, len(names))
	for _, name := range names {
		n := t.numberOf(name)
		if slices.Contains(numbers, n) {
			continue
		}
		t.counts[n]++
		numbers = append(numbers, n)
	}
	return numbers
}

func (t *tally) numberOf(name string) int {
	n, ok := t.number[name]
	if !ok && len(t.names) >= t.limit {
		name = otherNames
		n, ok = t.number[name]
	}
	if !ok {
		n = len(t.names)
		t.number[name] = n
		t.names = append(t.names, name)
		t.counts = append(t.counts, 0)
	}
	return n
}

// count is a name with its number of signals.
type count struct {
	Number  int
	Name    string
	Signals int
	Percent int // of the largest, at least 1
}

// top gives the names with the most signals, the name deciding among equals.
func (t *tally) top(limit int) []count {
	all := make([]count, 0, len(t.names))
	for i, name := range t.names {
		if t.counts[i] > 0 {
			all = append(all, count{Number: i, Name: name, Signals: t.counts[i]})
		}
	}
	slices.SortFunc(all, func(a, b count) int {
		return cmp.Or(cmp.Compare(b.Signals, a.Signals), cmp.Compare(a.Name, b.Name))
	})
	all = all[:min(limit, len(all))]
	for i := range all {
		all[i].Percent = max(1, 100*all[i].Signals/all[0].Signals)
	}
	return all
}
