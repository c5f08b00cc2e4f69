package lucene

import (
	"encoding/binary"
	"slices"
	"unicode/utf8"
)

// node is an expression. Equal expressions are one node, so that the derivatives of an expression,
// of which there are finitely many, can serve as the states of its automaton.
type node struct {
	id       uint32
	kind     kind
	set      runes   // ofClass
	operands []*node // one or more
	least    int     // ofRepeat
	most     int     // ofRepeat; unlimited
	nullable bool    // it fits the empty text
}

type kind uint8

const (
	ofNothing  kind = iota // no text
	ofEpsilon              // the empty text
	ofClass                // one character of a set
	ofSequence             // the first operand, then the second
	ofUnion
	ofIntersection
	ofComplement
	ofRepeat
)

const unlimited = -1

// builder makes nodes, each once, and simplifies them while it does: without that an automaton
// would have many states that differ in writing only.
type builder struct {
	nodes    map[string]*node
	sets     []runes
	nothing  *node
	epsilon  *node
	any, all *node // one character, any text
	// work counts what was done; beyond maxWork an automaton is too large.
	work int
	// beyond is set once complement or intersection was met: Go's regexp has neither.
	beyond bool
}

func newBuilder() *builder {
	b := &builder{nodes: map[string]*node{}}
	b.nothing = b.make(node{kind: ofNothing})
	b.epsilon = b.make(node{kind: ofEpsilon, nullable: true})
	b.any = b.class(runes{{0, utf8.MaxRune}})
	b.all = b.make(node{kind: ofRepeat, operands: []*node{b.any}, most: unlimited, nullable: true})
	return b
}

func (b *builder) make(n node) *node {
	key := []byte{byte(n.kind)}
	key = binary.AppendVarint(key, int64(n.least))
	key = binary.AppendVarint(key, int64(n.most))
	for _, r := range n.set {
		key = binary.AppendVarint(binary.AppendVarint(key, int64(r.from)), int64(r.to))
	}
	for _, operand := range n.operands {
		key = binary.LittleEndian.AppendUint32(key, operand.id)
	}
	if known, ok := b.nodes[string(key)]; ok {
		return known
	}
	n.id = uint32(len(b.nodes))
	if n.kind == ofClass {
		b.sets = append(b.sets, n.set)
	}
	made := &n
	b.nodes[string(key)] = made
	return made
}

func (b *builder) class(set runes) *node {
	if len(set) == 0 {
		return b.nothing
	}
	return b.make(node{kind: ofClass, set: set})
}

func (b *builder) sequence(operands []*node) *node {
	n := b.epsilon
	for _, operand := range slices.Backward(operands) {
		n = b.then(operand, n)
	}
	return n
}

// then keeps sequences leaning to the right: (ab)c is a(bc).
func (b *builder) then(first, second *node) *node {
	switch {
	case first == b.nothing || second == b.nothing:
		return b.nothing
	case first == b.epsilon:
		return second
	case second == b.epsilon:
		return first
	case first.kind == ofSequence:
		return b.then(first.operands[0], b.then(first.operands[1], second))
	case first == b.all && (second == b.all || second.kind == ofSequence &&
		second.operands[0] == b.all):
		return second
	}
	return b.make(node{kind: ofSequence, operands: []*node{first, second},
		nullable: first.nullable && second.nullable})
}

func (b *builder) union(operands ...*node) *node {
	list := b.flat(ofUnion, operands)
	var set runes
	classes := 0
	for _, n := range list {
		if n == b.all {
			return b.all
		}
		if n.kind == ofClass {
			set = set.with(n.set)
			classes++
		}
	}
	if classes > 1 {
		list = slices.DeleteFunc(list, func(n *node) bool { return n.kind == ofClass })
		list = b.flat(ofUnion, append(list, b.class(set)))
	}
	list = slices.DeleteFunc(list, func(n *node) bool { return n == b.nothing })
	switch len(list) {
	case 0:
		return b.nothing
	case 1:
		return list[0]
	}
	nullable := slices.ContainsFunc(list, func(n *node) bool { return n.nullable })
	return b.make(node{kind: ofUnion, operands: list, nullable: nullable})
}

func (b *builder) intersection(operands ...*node) *node {
	if len(operands) > 1 {
		b.beyond = true
	}
	list := b.flat(ofIntersection, operands)
	if slices.Contains(list, b.nothing) {
		return b.nothing
	}
	list = slices.DeleteFunc(list, func(n *node) bool { return n == b.all })
	switch len(list) {
	case 0:
		return b.all
	case 1:
		return list[0]
	}
	nullable := !slices.ContainsFunc(list, func(n *node) bool { return !n.nullable })
	return b.make(node{kind: ofIntersection, operands: list, nullable: nullable})
}

// flat takes the operands of operands of the same kind, sorted, each once.
func (b *builder) flat(k kind, operands []*node) []*node {
	var list []*node
	for _, n := range operands {
		if b.work += len(n.operands) + 1; b.work > maxWork {
			return list // given up; what is made from here on is not used
		}
		if n.kind == k {
			list = append(list, n.operands...)
		} else {
			list = append(list, n)
		}
	}
	slices.SortFunc(list, func(x, y *node) int { return int(x.id) - int(y.id) })
	return slices.Compact(list)
}

func (b *builder) complement(n *node) *node {
	b.beyond = true
	switch {
	case n.kind == ofComplement:
		return n.operands[0]
	case n == b.nothing:
		return b.all
	case n == b.all:
		return b.nothing
	}
	return b.make(node{kind: ofComplement, operands: []*node{n}, nullable: !n.nullable})
}

func (b *builder) repeat(n *node, least, most int) *node {
	if n.nullable {
		least = 0
	}
	switch {
	case most == 0 || n == b.epsilon:
		return b.epsilon
	case n == b.nothing && least == 0 && most != unlimited:
		return b.epsilon
	case n == b.nothing:
		return b.nothing // #* too, in Lucene
	case least == 1 && most == 1:
		return n
	case n.kind == ofRepeat && n.least == 0 && n.most == unlimited:
		return n
	case least == 0 && most == 1 && n.nullable:
		return n
	}
	return b.make(node{kind: ofRepeat, operands: []*node{n}, least: least, most: most,
		nullable: least == 0})
}

// numbers are the texts of digits from low to high, which have one length.
func (b *builder) numbers(low, high string) *node {
	if low == "" {
		return b.epsilon
	}
	digit := func(from, to byte) *node { return b.class(runes{{rune(from), rune(to)}}) }
	if low[0] == high[0] {
		return b.then(digit(low[0], low[0]), b.numbers(low[1:], high[1:]))
	}
	rest := len(low) - 1
	zeros, nines := make([]byte, rest), make([]byte, rest)
	for i := range rest {
		zeros[i], nines[i] = '0', '9'
	}
	list := []*node{
		b.then(digit(low[0], low[0]), b.numbers(low[1:], string(nines))),
		b.then(digit(high[0], high[0]), b.numbers(string(zeros), high[1:])),
	}
	if high[0]-low[0] > 1 {
		list = append(list, b.then(digit(low[0]+1, high[0]-1),
			b.repeat(digit('0', '9'), rest, rest)))
	}
	return b.union(list...)
}
