package words

import (
	"bytes"

	"esrule/internal/event"
)

// Index has the words of one text, in their order. It is read again and again without new memory.
type Index struct {
	text  []byte // of the words, in lower case, one after the other
	words []word
	heads []int32 // by hash: the first of the words with it, plus 1; 0 for none
}

// word is one word of the text, at its place.
type word struct {
	begin, end int32
	hash       uint32
	next       int32 // the next word in the chain of its hash, plus 1
}

// Read makes x the index of a text.
func (x *Index) Read(text []byte) {
	x.text, x.words = x.text[:0], x.words[:0]
	s := splitter{rest: text}
	for w := s.next(); w != nil; w = s.next() {
		begin := len(x.text)
		x.text = event.Lowercase(x.text, w)
		x.words = append(x.words, word{begin: int32(begin), end: int32(len(x.text)),
			hash: hash(x.text[begin:])})
	}
	x.chain()
}

// chain sorts the words by their hashes. It goes from the last to the first, so that each chain has
// the order of the text.
func (x *Index) chain() {
	size := 16
	for size < 2*len(x.words) {
		size *= 2
	}
	if cap(x.heads) < size {
		x.heads = make([]int32, size)
	}
	x.heads = x.heads[:size]
	clear(x.heads)
	for i := len(x.words) - 1; i >= 0; i-- {
		head := &x.heads[x.words[i].hash&uint32(size-1)]
		x.words[i].next, *head = *head, int32(i+1)
	}
}

// HasPhrase reports whether the words of a phrase follow each other in the text. No phrase is in no
// text.
func (x *Index) HasPhrase(phrase []Word) bool {
	if len(phrase) == 0 || len(x.words) < len(phrase) {
		return false
	}
	head := x.heads[phrase[0].hash&uint32(len(x.heads)-1)]
	for i := head; i > 0; i = x.words[i-1].next {
		if x.hasAt(int(i-1), phrase) {
			return true
		}
	}
	return false
}

func (x *Index) hasAt(at int, phrase []Word) bool {
	if len(x.words)-at < len(phrase) {
		return false
	}
	for i := range phrase {
		w := &x.words[at+i]
		if w.hash != phrase[i].hash || !bytes.Equal(x.text[w.begin:w.end], phrase[i].Text) {
			return false
		}
	}
	return true
}

// HasAny reports whether one of some words is in the text.
func (x *Index) HasAny(some []Word) bool {
	for i := range some {
		if x.HasPhrase(some[i : i+1]) {
			return true
		}
	}
	return false
}

// Some reports whether a word of the text passes a test.
func (x *Index) Some(passes func(word []byte) bool) bool {
	for i := range x.words {
		if passes(x.text[x.words[i].begin:x.words[i].end]) {
			return true
		}
	}
	return false
}
