package match

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/match/ahocorasick"
)

// Set is many matchers over the same fields, asked together. An event's values look up the matchers
// that could accept it, by necessary conditions of each, its witnesses; only those judge it. The
// answer is that of every matcher asked alone (TestSet, FuzzSet).
//
// It is safe for concurrent use, each worker with an [Evaluation] of its own.
type Set struct {
	// A bitset holds the matchers once for each of their witnesses, one round after the other: a
	// matcher is a candidate where it is found in every round.
	words   int    // of a round
	always  bitset // the matchers without a witness of the round
	indexes []fieldIndex
	ofSlot  []int // by slot: the place of the field's index, or none
}

// none is no index of a set.
const none = -1

// mostWitnesses is how many necessary conditions of a matcher are looked up.
const mostWitnesses = 6

// fieldIndex looks up the matchers that a field's values are witnesses of.
type fieldIndex struct {
	slot    event.Slot
	any     bitset             // all that have an atom of the field
	present bitset             // all that ask only that the field has a value; nil for none
	beyond  bitset             // all that have an atom with characters beyond ASCII
	wholes  map[string]numbers // the matchers by the whole value in lower case
	longest int                // of the keys of wholes
	pieces  *ahocorasick.Automaton
	ofPiece []numbers // the matchers by the number of a piece
	number  bitset    // all that have an atom that is compared as a number; nil for none
	words   wordIndex
}

// NewSet returns the set of matchers that were compiled over fields.
func NewSet(fields *event.Fields, matchers []*Matcher) *Set {
	s := &Set{words: len(newBitset(len(matchers)))}
	witnesses, rounds := witnessesOf(matchers)
	s.always = make(bitset, rounds*s.words)
	byField := map[string]*fieldAtoms{}
	var paths []string // in the order in which they were met, so that sets are made alike
	for i := range matchers {
		for round := range rounds {
			number := round*s.words*64 + i
			if round >= len(witnesses[i]) {
				s.always.set(number)
				continue
			}
			for _, a := range witnesses[i][round] {
				f := byField[a.field]
				if f == nil {
					f = &fieldAtoms{any: make(bitset, len(s.always)), matchers: map[atom][]int32{}}
					byField[a.field] = f
					paths = append(paths, a.field)
				}
				f.add(a, number)
			}
		}
	}
	for i, path := range paths {
		slot := fields.Add(path)
		for len(s.ofSlot) <= int(slot) {
			s.ofSlot = append(s.ofSlot, none)
		}
		s.ofSlot[slot] = i
		s.indexes = append(s.indexes, byField[path].index(slot))
	}
	return s
}

// HasWitness reports whether a set looks a matcher up by what an event holds. One that it does not
// judges every event.
func (m *Matcher) HasWitness() bool {
	_, ok := witnessOf(m.root, func(atom) float64 { return 0 })
	return ok
}

// witnessesOf chooses the witnesses of each matcher, the best first, and returns the largest number
// of them. An atom is worth more the longer its text and the fewer the matchers that have it: half
// of a catalogue asks for the same category and operating system. Where the best of a matcher is
// still true of most events, such as a system's name, others beside it are not: they are taken too
// where it costs little to look them up.
func witnessesOf(matchers []*Matcher) (all [][]witness, most int) {
	shared := map[atom]int{}
	for _, m := range matchers {
		eachAtom(m.root, func(a atom) { shared[a]++ })
	}
	rate := func(a atom) float64 {
		worth := float64(min(len(a.text), 16))
		switch {
		case a.isPresence():
			worth -= 100
		case a.whole:
			worth += 8
		}
		return worth - 4*math.Log2(float64(shared[a]))
	}
	all = make([][]witness, len(matchers))
	most = 1
	for i, m := range matchers {
		all[i] = rankedWitnesses(m.root, rate)
		most = max(most, len(all[i]))
	}
	return all, most
}

// rankedWitnesses returns the best witnesses of a condition, the best first.
func rankedWitnesses(x cond.Expr, rate func(atom) float64) (all []witness) {
	if or, ok := x.(*cond.Or); ok {
		return alternativeWitnesses(or, rate)
	}
	if _, ok := x.(*cond.And); !ok {
		if w, ok := witnessOf(x, rate); ok {
			all = append(all, w)
		}
		return all
	}
	for _, operand := range conjuncts(x) {
		all = append(all, rankedWitnesses(operand, rate)...)
	}
	slices.SortStableFunc(all, func(a, b witness) int {
		return cmp.Compare(rateAll(b, rate), rateAll(a, rate))
	})
	return all[:min(len(all), mostWitnesses)]
}

// alternativeWitnesses returns those of alternatives: each has an atom of every one of them, as
// long as one has more witnesses.
func alternativeWitnesses(or *cond.Or, rate func(atom) float64) (all []witness) {
	ranked := make([][]witness, len(or.Operands))
	most := 0
	for i, operand := range or.Operands {
		if ranked[i] = rankedWitnesses(operand, rate); len(ranked[i]) == 0 {
			return nil
		}
		most = max(most, len(ranked[i]))
	}
	for round := range most {
		var w witness
		for _, its := range ranked {
			w = append(w, its[min(round, len(its)-1)]...)
		}
		all = append(all, w)
	}
	return all
}

// conjuncts returns what a condition asks for at the same time.
func conjuncts(x cond.Expr) (all []cond.Expr) {
	and, ok := x.(*cond.And)
	if !ok {
		return []cond.Expr{x}
	}
	for _, operand := range and.Operands {
		all = append(all, conjuncts(operand)...)
	}
	return all
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
	x := fieldIndex{slot: slot, any: f.any, beyond: make(bitset, len(f.any)),
		wholes: map[string]numbers{}, longest: -1}
	wholes := map[string][]int32{} // EQL and KQL have atoms of their own for a text
	var pieces []string
	for _, a := range f.order {
		if a.words {
			x.words.add(a, f.matchers[a], len(f.any))
			continue
		}
		if isBeyondASCII(a.text) {
			x.beyond.setAll(numbers{few: f.matchers[a]})
		}
		if a.number {
			if x.number == nil {
				x.number = make(bitset, len(f.any))
			}
			x.number.setAll(numbers{few: f.matchers[a]})
		}
		if a.isPresence() {
			x.present = make(bitset, len(f.any))
			x.present.setAll(numbers{few: f.matchers[a]})
			continue
		}
		if a.whole {
			wholes[a.text] = append(wholes[a.text], f.matchers[a]...)
			x.longest = max(x.longest, len(a.text))
			continue
		}
		pieces = append(pieces, a.text)
		x.ofPiece = append(x.ofPiece, newNumbers(f.matchers[a], len(f.any)))
	}
	for text, list := range wholes {
		x.wholes[text] = newNumbers(list, len(f.any))
	}
	if len(pieces) > 0 {
		x.pieces = ahocorasick.New(pieces)
	}
	if len(x.words.pieces) > 0 {
		x.words.find = ahocorasick.New(x.words.pieces)
	}
	return x
}

// Candidates calls visit for each matcher that could accept the event, in order. The matcher itself
// has yet to be asked.
func (s *Set) Candidates(e *Evaluation, visit func(i int)) {
	e.candidates = append(e.candidates[:0], s.always...)
	s.lookUp(e)
	every := e.candidates[:s.words]
	for rest := e.candidates[s.words:]; len(rest) > 0; rest = rest[s.words:] {
		every.keep(rest)
	}
	every.each(visit)
}

// lookUp adds the matchers that the values of the event are witnesses of.
func (s *Set) lookUp(e *Evaluation) {
	var known bool
	if e.present, known = e.MayHave(e.present[:0]); !known {
		for i := range s.indexes {
			s.indexes[i].look(e)
		}
		return
	}
	for _, slot := range e.present {
		if int(slot) < len(s.ofSlot) && s.ofSlot[slot] != none {
			s.indexes[s.ofSlot[slot]].look(e)
		}
	}
}

// look adds the matchers that the values of the field are witnesses of.
func (x *fieldIndex) look(e *Evaluation) {
	values := e.Values(x.slot)
	if len(values) > 0 && x.present != nil {
		e.candidates.join(x.present)
	}
	for i := range values {
		v := &values[i]
		if v.IndexHasWords() || !v.IsPlainText() && !v.IsLowercase() {
			e.candidates.join(x.any)
			return
		}
		if x.pieces == nil || v.Bare || x.words.any != nil {
			x.find(e, v, e.candidates)
			continue
		}
		e.seen.find(x, e, v)
	}
}

// find adds the matchers that a value, which is a text, is a witness of.
func (x *fieldIndex) find(e *Evaluation, v *event.Value, into bitset) {
	if !v.IsPlainText() { // more than A to Z is folded in what it is compared with
		into.join(x.beyond)
	}
	if x.number != nil && (v.Bare || looksDated(v.Text)) {
		into.join(x.number)
	}
	if x.words.any != nil && v.HasWords() {
		x.words.look(v.Text, into)
	}
	if len(v.Text) <= x.longest {
		into.setAll(x.wholes[string(e.Lower(v))])
	}
	if x.pieces != nil {
		x.pieces.Find(v.Text, func(piece int) { into.setAll(x.ofPiece[piece]) })
	}
}

// bitset is a set of small numbers.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) set(i int) { b[i/64] |= 1 << (i % 64) }

func (b bitset) setAll(n numbers) {
	for _, i := range n.few {
		b[i/64] |= 1 << (i % 64)
	}
	b.join(n.many)
}

// numbers are numbers of matchers, in the form that is added to a bitset faster.
type numbers struct {
	few  []int32
	many bitset
}

func newNumbers(list []int32, words int) numbers {
	if len(list) <= words {
		return numbers{few: list}
	}
	many := make(bitset, words)
	many.setAll(numbers{few: list})
	return numbers{many: many}
}

func (b bitset) join(other bitset) {
	for i, word := range other {
		b[i] |= word
	}
}

// keep leaves what is in the beginning of other too.
func (b bitset) keep(other bitset) {
	for i := range b {
		b[i] &= other[i]
	}
}

func (b bitset) each(visit func(i int)) {
	for at, word := range b {
		for ; word != 0; word &= word - 1 {
			visit(at*64 + bits.TrailingZeros64(word))
		}
	}
}
