package lucene

import "errors"

// maxStates is how many states an automaton may have, Elasticsearch's max_determinized_states.
const maxStates = 10_000

// maxWork bounds the nodes that are looked at to make one automaton, and so the time to compile it.
const maxWork = 1_000_000

var errTooLarge = errors.New("the automaton is too large")

// automaton is a deterministic automaton over the classes of an alphabet.
type automaton struct {
	alphabet *alphabet
	classes  int
	next     []uint16 // by state and class
	accepts  []bool   // by state
	// stuck and done are the states in which nothing, and everything, that may follow is accepted;
	// -1 for none.
	stuck, done int
}

// determinizer makes an automaton whose states are the derivatives of an expression.
type determinizer struct {
	*builder
	alphabet *alphabet
	memory   map[derivation]*node
}

type derivation struct {
	node  uint32
	class uint16
}

func determinize(b *builder, root *node, maxStates int) (*automaton, error) {
	d := &determinizer{builder: b, alphabet: newAlphabet(b.sets), memory: map[derivation]*node{}}
	if len(d.alphabet.starts) > 1<<15 {
		return nil, errTooLarge
	}
	b.work = 0
	a := &automaton{alphabet: d.alphabet, classes: len(d.alphabet.starts), stuck: -1, done: -1}
	states := map[*node]uint16{root: 0}
	list := []*node{root}
	for at := 0; at < len(list); at++ {
		n := list[at]
		a.accepts = append(a.accepts, n.nullable)
		switch n {
		case b.nothing:
			a.stuck = at
		case b.all:
			a.done = at
		}
		for class := range a.classes {
			target, err := d.derive(n, uint16(class))
			if err != nil {
				return nil, err
			}
			if b.work > maxWork {
				return nil, errTooLarge
			}
			state, known := states[target]
			if !known {
				if len(list) == maxStates {
					return nil, errTooLarge
				}
				state = uint16(len(list))
				states[target] = state
				list = append(list, target)
			}
			a.next = append(a.next, state)
		}
	}
	return a, nil
}

// derive gives the expression for what may follow a character of the class.
func (d *determinizer) derive(n *node, class uint16) (*node, error) {
	switch n.kind {
	case ofNothing, ofEpsilon:
		return d.nothing, nil
	case ofClass:
		if n.set.holds(d.alphabet.starts[class]) {
			return d.epsilon, nil
		}
		return d.nothing, nil
	}
	key := derivation{n.id, class}
	if known, ok := d.memory[key]; ok {
		return known, nil
	}
	if d.work++; d.work > maxWork {
		return nil, errTooLarge
	}
	derived, err := d.compute(n, class)
	if err != nil {
		return nil, err
	}
	d.memory[key] = derived
	return derived, nil
}

func (d *determinizer) compute(n *node, class uint16) (*node, error) {
	operands := make([]*node, len(n.operands))
	for i, operand := range n.operands {
		if n.kind == ofSequence && i == 1 && !n.operands[0].nullable {
			operands[1] = d.nothing
			break
		}
		var err error
		if operands[i], err = d.derive(operand, class); err != nil {
			return nil, err
		}
	}
	switch n.kind {
	case ofSequence:
		return d.union(d.then(operands[0], n.operands[1]), operands[1]), nil
	case ofUnion:
		return d.union(operands...), nil
	case ofIntersection:
		return d.intersection(operands...), nil
	case ofComplement:
		return d.complement(operands[0]), nil
	case ofRepeat:
		least, most := max(n.least-1, 0), n.most
		if most != unlimited {
			most--
		}
		return d.then(operands[0], d.repeat(n.operands[0], least, most)), nil
	case ofNothing, ofEpsilon, ofClass:
	}
	return d.nothing, nil
}
