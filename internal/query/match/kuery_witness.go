package match

import (
	"bytes"
	"strings"
	"time"
	"unicode/utf8"

	"esrule/internal/date"
	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/match/ahocorasick"
	"esrule/internal/query/match/words"
)

// fieldWitness is that the field has a value. The values of a pattern of paths are found by reading
// the whole event, so they are no witnesses.
func fieldWitness(f *cond.Field) (witness, bool) {
	if f.Wild {
		return nil, false
	}
	return present(f), true
}

// isWitness is the whole text for a value that is compared as a whole, and for one that is compared
// by its words one of those words, of a phrase the longest.
func isWitness(x *cond.Is) (witness, bool) {
	text, asText := comparedAsText(x.Value)
	if x.Field.Wild || !asText {
		return fieldWitness(x.Field)
	}
	whole := wholeValue(x.Field, text)
	whole.number = mayBeNumber(text)
	list := words.Split(text)
	if x.Quoted && len(list) > 0 {
		list = []words.Word{longestWord(list)}
	}
	return append(witness{whole}, wordAtoms(x.Field, list)...), true
}

// mayBeNumber reports whether a text may be compared as a number or as a date.
func mayBeNumber(text string) bool {
	_, isNumber := event.Number([]byte(text))
	_, _, _, isDate := date.New("").Range(text, time.UnixMilli(0))
	return isNumber || isDate
}

func longestWord(list []words.Word) (longest words.Word) {
	for _, w := range list {
		if len(w.Text) > len(longest.Text) {
			longest = w
		}
	}
	return longest
}

func wordAtoms(f *cond.Field, list []words.Word) (w witness) {
	for _, one := range list {
		w = append(w, atom{field: f.Path, text: string(one.Text), words: true})
	}
	return w
}

// wildcardWitness is the longest piece for a value that is compared as a whole; for one that is
// compared by its words, one of each part between blanks.
func wildcardWitness(x *cond.Wildcard) (witness, bool) {
	longest := longestOf(x.Pieces)
	if x.Field.Wild || longest == "" {
		return fieldWitness(x.Field)
	}
	w := witness{atom{field: x.Field.Path, text: folded(longest)}}
	for _, part := range partsOf(x.Pieces) {
		piece := longestOf(part.pieces)
		switch {
		case part.pattern == nil && !part.any:
			w = append(w, wordAtoms(x.Field, part.some)...)
		case piece == "":
			return fieldWitness(x.Field)
		default:
			w = append(w, atom{field: x.Field.Path, text: piece, words: true})
		}
	}
	return w, true
}

func longestOf(pieces []string) (longest string) {
	for _, piece := range pieces {
		if len(piece) > len(longest) {
			longest = piece
		}
	}
	return longest
}

// wordIndex looks up the matchers that the words of a field's values are witnesses of.
type wordIndex struct {
	any     bitset // all that have such an atom of the field; nil for none
	beyond  bitset // all that have one with characters beyond ASCII
	pieces  []string
	find    *ahocorasick.Automaton
	ofPiece []numbers
}

func (x *wordIndex) add(a atom, matchers []int32, size int) {
	if x.any == nil {
		x.any, x.beyond = make(bitset, size), make(bitset, size)
	}
	x.any.setAll(numbers{few: matchers})
	if isBeyondASCII(a.text) {
		x.beyond.setAll(numbers{few: matchers})
		return
	}
	x.pieces = append(x.pieces, a.text)
	x.ofPiece = append(x.ofPiece, newNumbers(matchers, size))
}

// look adds the matchers that a value is a witness of. A word that the value holds is found without
// looking for where words end.
func (x *wordIndex) look(text []byte, into bitset) {
	if foldsToASCII(text) {
		into.join(x.any)
		return
	}
	into.join(x.beyond)
	if x.find != nil {
		x.find.Find(text, func(piece int) { into.setAll(x.ofPiece[piece]) })
	}
}

func isBeyondASCII(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf })
}

// foldsToASCII reports whether a text has one of the two characters beyond ASCII whose lower case
// is in it: the Kelvin sign and the capital I with a dot.
func foldsToASCII(text []byte) bool {
	return bytes.Contains(text, []byte("\u212a")) || bytes.Contains(text, []byte("\u0130"))
}
