// Package ahocorasick finds which of many texts stand in another, in one pass over it.
//
// The automaton is a table in which each byte of the text costs one step, however many texts are
// looked for. Finding allocates nothing. Letters A to Z are found in either case, which is what
// Elasticsearch's case-insensitive operators mean (eql.md §4).
package ahocorasick

// Automaton finds texts. It is safe for concurrent use; the zero value finds nothing.
type Automaton struct {
	classes int        // how many classes of bytes are told apart
	class   [256]uint8 // of each byte; 0 stands in none of the texts
	// next is the table, a row of classes for each state: twice the place where the next state's
	// row begins, and 1 more where texts end in that state.
	next  []uint32
	found []uint32 // by state: where its texts begin in texts; they end where the next's begin
	texts []int32
}

// start is the state in which nothing of any text was read.
const start = 0

// New returns an automaton for texts in lower case, none of them empty.
func New(texts []string) *Automaton {
	a := &Automaton{classes: 1}
	for _, text := range texts {
		for i := range len(text) {
			if b := text[i]; a.class[b] == 0 {
				a.class[b] = uint8(a.classes) // 230 of 256 bytes at most: A to Z share theirs
				a.classes++
			}
		}
	}
	for b := 'A'; b <= 'Z'; b++ {
		a.class[b] = a.class[b+'a'-'A']
	}
	t := a.plant(texts)
	t.join()
	a.next = make([]uint32, len(t.next)) // of t there is more
	for i, state := range t.next {
		a.next[i] = 2 * state * uint32(a.classes)
		if len(t.ends[state]) > 0 {
			a.next[i]++
		}
	}
	for _, here := range t.ends {
		a.found = append(a.found, uint32(len(a.texts)))
		a.texts = append(a.texts, here...)
	}
	a.found = append(a.found, uint32(len(a.texts)))
	return a
}

// Find calls visit for each place of a text, with the text's number; for one that stands at several
// places several times.
func (a *Automaton) Find(in []byte, visit func(text int)) {
	if len(a.next) == 0 {
		return
	}
	row := uint32(start)
	for _, b := range in {
		step := a.next[row+uint32(a.class[b])]
		row = step / 2
		if step%2 == 0 {
			continue
		}
		state := row / uint32(a.classes)
		for _, text := range a.texts[a.found[state]:a.found[state+1]] {
			visit(int(text))
		}
	}
}

// trie is the automaton in the making: at first the tree of all beginnings of the texts.
type trie struct {
	classes int
	next    []uint32
	ends    [][]int32 // by state: the texts that end there
}

func (a *Automaton) plant(texts []string) *trie {
	most := 1 // states
	for _, text := range texts {
		most += len(text)
	}
	t := &trie{classes: a.classes, next: make([]uint32, 0, most*a.classes)}
	t.grow()
	for n, text := range texts {
		state := uint32(start)
		for i := range len(text) {
			at := int(state)*t.classes + int(a.class[text[i]])
			if t.next[at] == start {
				grown := t.grow()
				t.next[at] = grown
			}
			state = t.next[at]
		}
		t.ends[state] = append(t.ends[state], int32(n))
	}
	return t
}

// grow adds a state.
func (t *trie) grow() uint32 {
	t.next = t.next[:len(t.next)+t.classes] // there is room for all states
	t.ends = append(t.ends, nil)
	return uint32(len(t.ends) - 1)
}

// join makes an automaton of the tree. Where no text goes on, the longest end of what was read that
// begins a text does: the state that stands for it is known, since states are gone through from
// short to long.
func (t *trie) join() {
	fallback := make([]uint32, len(t.ends))
	queue := []uint32{start}
	for len(queue) > 0 {
		state := queue[0]
		queue = queue[1:]
		for class := range t.classes {
			at := int(state)*t.classes + class
			child := t.next[at]
			shorter := uint32(start)
			if state != start {
				shorter = t.next[int(fallback[state])*t.classes+class]
			}
			if child == start {
				t.next[at] = shorter
				continue
			}
			fallback[child] = shorter
			t.ends[child] = append(t.ends[child], t.ends[shorter]...)
			queue = append(queue, child)
		}
	}
}
