package match

import (
	"math"
	"math/bits"

	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/match/ahocorasick"
)

// Set is many matchers over the same fields, asked together. An event's values look up the matchers
// that could accept it, by a necessary condition of each, its witness; only those judge it. The
// answer is that of every matcher asked alone (FuzzSet, TestSetOnServer).
//
// It is safe for concurrent use, each worker with an [Evaluation] of its own.
type Set struct {
	matchers []*Matcher
	always   bitset // the matchers without a witness
	indexes  []fieldIndex
}

// fieldIndex looks up the matchers that a field's values are witnesses of.
type fieldIndex struct {
	slot    event.Slot
	any     bitset             // all that have an atom of the field
	wholes  map[string][]int32 // the matchers by the whole value in lower case
	longest int                // of the keys of wholes
	pieces  *ahocorasick.Automaton
	ofPiece [][]int32 // the matchers by the number of a piece
}

// NewSet returns the set of matchers that were compiled over fields.
func NewSet(fields *event.Fields, matchers []*Matcher) *Set {
	s := &Set{matchers: matchers, always: newBitset(len(matchers))}
	witnesses := witnessesOf(matchers)
	byField := map[string]*fieldAtoms{}
	var paths []string // in the order in which they were met, so that sets are made alike
	for i := range matchers {
		w, ok := witnesses[i], witnesses[i] != nil
		if !ok {
			s.always.set(i)
		}
		for _, a := range w {
			f := byField[a.field]
			if f == nil {
				f = &fieldAtoms{any: newBitset(len(matchers)), matchers: map[atom][]int32{}}
				byField[a.field] = f
				paths = append(paths, a.field)
			}
			f.add(a, i)
		}
	}
	for _, path := range paths {
		s.indexes = append(s.indexes, byField[path].index(fields.Add(path)))
	}
	return s
}

// witnessesOf chooses the witnesses, nil where a matcher has none. An atom is worth more the longer
// its text and the fewer the matchers that have it: half of a catalogue asks for the same category
// and operating system.
func witnessesOf(matchers []*Matcher) []witness {
	shared := map[atom]int{}
	for _, m := range matchers {
		eachAtom(m.root, func(a atom) { shared[a]++ })
	}
	rate := func(a atom) float64 {
		worth := float64(min(len(a.text), 16))
		if a.whole {
			worth += 8
		}
		return worth - 4*math.Log2(float64(shared[a]))
	}
	witnesses := make([]witness, len(matchers))
	for i, m := range matchers {
		if w, ok := witnessOf(m.root, rate); ok {
			witnesses[i] = append(witness{}, w...)
		}
	}
	return witnesses
}

// eachAtom visits what could be part of a witness, each once.
func eachAtom(x cond.Expr, visit func(atom)) {
	seen := map[atom]bool{}
	cond.Walk(x, func(part cond.Expr) bool {
		switch part.(type) {
		case *cond.And, *cond.Or:
			return true
		}
		w, _ := witnessOf(part, func(atom) float64 { return 0 })
		for _, a := range w {
			if !seen[a] {
				seen[a] = true
				visit(a)
			}
		}
		return false
	})
}

// fieldAtoms are the atoms of one field, in the making of its index.
type fieldAtoms struct {
	any      bitset
	order    []atom
	matchers map[atom][]int32
}

func (f *fieldAtoms) add(a atom, matcher int) {
	f.any.set(matcher)
	if f.matchers[a] == nil {
		f.order = append(f.order, a)
	}
	f.matchers[a] = append(f.matchers[a], int32(matcher))
}

func (f *fieldAtoms) index(slot event.Slot) fieldIndex {
	x := fieldIndex{slot: slot, any: f.any, wholes: map[string][]int32{}, longest: -1}
	var pieces []string
	for _, a := range f.order {
		if a.whole {
			x.wholes[a.text] = f.matchers[a]
			x.longest = max(x.longest, len(a.text))
			continue
		}
		pieces = append(pieces, a.text)
		x.ofPiece = append(x.ofPiece, f.matchers[a])
	}
	if len(pieces) > 0 {
		x.pieces = ahocorasick.New(pieces)
	}
	return x
}

// Unwitnessed returns the numbers of the matchers that judge every event, since nothing about a
// text is necessary for them to accept one.
func (s *Set) Unwitnessed() (numbers []int) {
	s.always.each(func(i int) { numbers = append(numbers, i) })
	return numbers
}

// Candidates calls visit for each matcher that could accept the event, in order. The matcher itself
// has yet to be asked.
func (s *Set) Candidates(e *Evaluation, visit func(i int)) {
	e.candidates = append(e.candidates[:0], s.always...)
	for i := range s.indexes {
		s.indexes[i].look(e)
	}
	e.candidates.each(visit)
}

// Matches calls visit for each matcher that accepts the event, in order.
func (s *Set) Matches(e *Evaluation, visit func(i int)) {
	s.Candidates(e, func(i int) {
		if s.matchers[i].Match(e) {
			visit(i)
		}
	})
}

// look adds the matchers that the values of the field are witnesses of.
func (x *fieldIndex) look(e *Evaluation) {
	values := e.Values(x.slot)
	for i := range values {
		v := &values[i]
		if !v.IsPlainText() {
			e.candidates.join(x.any)
			return
		}
		if len(v.Text) <= x.longest {
			e.candidates.setAll(x.wholes[string(e.Lower(v))])
		}
		if x.pieces != nil {
			x.pieces.Find(v.Text, func(piece int) { e.candidates.setAll(x.ofPiece[piece]) })
		}
	}
}

// bitset is a set of small numbers.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) set(i int) { b[i/64] |= 1 << (i % 64) }

func (b bitset) setAll(numbers []int32) {
	for _, i := range numbers {
		b[i/64] |= 1 << (i % 64)
	}
}

func (b bitset) join(other bitset) {
	for i, word := range other {
		b[i] |= word
	}
}

func (b bitset) each(visit func(i int)) {
	for at, word := range b {
		for ; word != 0; word &= word - 1 {
			visit(at*64 + bits.TrailingZeros64(word))
		}
	}
}
