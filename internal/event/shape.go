package event

// shapes are the ways in which the events of one place were written: the texts around their scalar
// values, as a tree, since events of one source differ by little. An event of a known shape is
// passed by comparing those texts, and no key is looked up: keys, nesting and order are what they
// were when the shape was walked, so what is found is the same.
//
// A shape is only learned from an event that was plain, so one that passes is plain too, up to its
// values, which are read here as they are there.
type shapes struct {
	first *gap // those that an event can begin with
	gaps  int
	bytes int // of their texts
	tries int
	known int // the tries that found their shape
}

// gap is the text in front of a value, or behind the last one: keys, punctuation, space.
type gap struct {
	text   string
	found  int  // the finding of the value behind it, or nothing
	enters bool // a hit's event begins in this text: what was noted before is no part of it
	last   bool // the event ends with this text
	behind *gap // those that were seen behind the value
	other  *gap // another that was seen here
}

// mark is where a value stands in a text that was walked.
type mark struct {
	begin, end int
	found      int
	round      uint64 // at the value
}

const (
	// Where keys are ever new, or an event is huge, there is nothing to learn, and it must not cost
	// memory without end.
	mostGaps     = 4096
	mostGapBytes = 1 << 20
	// Each of them is compared with the text, one after the other.
	mostOthers = 8
	// After so many tries it is clear whether the events are alike.
	triesToTell = 1000
)

// pass goes over an event of a known shape from its brace on and gives the place behind it; -1
// where the shape is new.
func (s *skimmer) pass(known *shapes, at int) int {
	text := s.text
	for g := known.first; g != nil; {
		begin := at + len(g.text)
		if begin > len(text) || string(text[at:begin]) != g.text {
			g = g.other
			continue
		}
		if g.enters {
			s.hit = true
			s.round++
		}
		if g.last {
			return begin
		}
		end := s.scalar(begin)
		if end < 0 { // the gap is longer here: a bracket follows
			g = g.other
			continue
		}
		if g.found != nothing {
			s.note(g.found, text[begin:end])
		}
		at, g = end, g.behind
	}
	return -1
}

// worthTrying is false once the events turned out to be unlike each other.
func (k *shapes) worthTrying() bool {
	return k.tries < triesToTell || 2*k.known > k.tries
}

// learn enters the event that was walked from one place of the text to another.
func (k *shapes) learn(s *skimmer, at, end int) {
	place, entered := &k.first, !s.hit
	for _, m := range s.marks {
		enters := !entered && m.round == s.round
		there := k.add(place, s.text[at:m.begin], gap{found: m.found, enters: enters})
		if there == nil {
			return
		}
		place, at, entered = &there.behind, m.end, entered || enters
	}
	k.add(place, s.text[at:end], gap{found: nothing, enters: !entered, last: true})
}

// add gives the gap of a text that is in a place already, or adds g with that text; nil where there
// is no room.
func (k *shapes) add(place **gap, text []byte, g gap) *gap {
	others := 0
	for ; *place != nil; place = &(*place).other {
		if (*place).text == string(text) {
			return *place
		}
		others++
	}
	if k.gaps == mostGaps || others == mostOthers || k.bytes+len(text) > mostGapBytes {
		return nil
	}
	g.text = string(text)
	k.gaps++
	k.bytes += len(text)
	*place = &g
	return &g
}
