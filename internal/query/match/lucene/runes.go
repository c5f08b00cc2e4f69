package lucene

import (
	"slices"
	"unicode/utf8"
)

// runes is a set of characters as sorted ranges that neither overlap nor touch.
type runes []runeRange

type runeRange struct{ from, to rune }

func (s runes) with(more runes) runes {
	all := slices.Concat(s, more)
	slices.SortFunc(all, func(a, b runeRange) int { return int(a.from - b.from) })
	var merged runes
	for _, r := range all {
		if n := len(merged); n > 0 && r.from <= merged[n-1].to+1 {
			merged[n-1].to = max(merged[n-1].to, r.to)
			continue
		}
		merged = append(merged, r)
	}
	return merged
}

func (s runes) inverted() runes {
	var rest runes
	next := rune(0)
	for _, r := range s {
		if r.from > next {
			rest = append(rest, runeRange{next, r.from - 1})
		}
		next = r.to + 1
	}
	if next <= utf8.MaxRune {
		rest = append(rest, runeRange{next, utf8.MaxRune})
	}
	return rest
}

func (s runes) holds(c rune) bool {
	_, found := slices.BinarySearchFunc(s, c, func(r runeRange, c rune) int {
		switch {
		case r.to < c:
			return -1
		case r.from > c:
			return 1
		}
		return 0
	})
	return found
}

// alphabet divides all characters into classes that no set of an expression tells apart.
type alphabet struct {
	starts []rune      // the first character of each class, ascending; the first is 0
	ascii  [128]uint16 // class of each
}

func newAlphabet(sets []runes) *alphabet {
	starts := []rune{0}
	for _, s := range sets {
		for _, r := range s {
			starts = append(starts, r.from)
			if r.to < utf8.MaxRune {
				starts = append(starts, r.to+1)
			}
		}
	}
	slices.Sort(starts)
	a := &alphabet{starts: slices.Compact(starts)}
	for c := range a.ascii {
		a.ascii[c] = uint16(a.search(rune(c)))
	}
	return a
}

func (a *alphabet) search(c rune) int {
	at, found := slices.BinarySearch(a.starts, c)
	if !found {
		at--
	}
	return at
}
