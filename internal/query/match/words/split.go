package words

import (
	"strings"
	"unicode"
	"unicode/utf8"

	uax29 "github.com/clipperhouse/uax29/v2/words"

	"esrule/internal/event"
)

// mostUnits is the greatest length of a word in UTF-16 units (max_token_length). What is longer is
// cut there, and the rest is split like a text of its own.
const mostUnits = 255

// splitter finds the words of a text one after the other.
type splitter struct {
	rest []byte
	pair []byte // see joins
}

// next returns the next word as it is written, nil at the end of the text.
func (s *splitter) next() []byte {
	for len(s.rest) > 0 {
		// Of a text without a boundary no more is read for each word than can be in it.
		segment := s.segment(s.rest[:min(len(s.rest), utf8.UTFMax*mostUnits)])
		if len(segment) > mostUnits && unitsOf(segment) > mostUnits {
			segment = s.segment(s.rest[:firstUnits(segment, mostUnits)])
		}
		s.rest = s.rest[len(segment):]
		if word := s.word(segment); word != nil {
			return word
		}
	}
	return nil
}

// segment returns what a text begins with up to its first word boundary. Unicode has a boundary
// between any two letters of a script that is written without blanks; Lucene takes adjoining ones
// for one word.
func (s *splitter) segment(text []byte) []byte {
	if end := plainEnd(text); end > 0 {
		return text[:end]
	}
	end, _, _ := uax29.SplitFunc(text, true) // it has no errors
	if text[0] < utf8.RuneSelf || !beginsComplex(text) {
		return text[:end]
	}
	for end < len(text) && beginsComplex(text[end:]) {
		n, _, _ := uax29.SplitFunc(text[end:], true)
		end += n
	}
	return text[:end]
}

// plainEnd returns the end of what most segments are, in a tenth of the time: a run of letters,
// digits and underscores, or one other character, where a character of ASCII follows that joins
// nothing. 0 is another segment (TestPlain).
func plainEnd(text []byte) int {
	end := 0
	for end < len(text) && isPlain(text[end]) {
		end++
	}
	switch {
	case end == len(text):
		return end
	case end > 0 && strings.IndexByte(".:;,'", text[end]) >= 0:
		return 0
	case end == 0:
		end++
	}
	if text[end-1] >= utf8.RuneSelf || end < len(text) && text[end] >= utf8.RuneSelf {
		return 0
	}
	return end
}

func isPlain(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '_'
}

// beginsComplex reports whether a text begins with a letter of a script whose words only a
// dictionary can tell apart (of the line break class "complex context").
func beginsComplex(text []byte) bool {
	r, _ := utf8.DecodeRune(text)
	return r >= 0x0e00 && unicode.In(r, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar,
		unicode.Tai_Le, unicode.New_Tai_Lue, unicode.Tai_Tham, unicode.Tai_Viet, unicode.Ahom) &&
		(unicode.IsLetter(r) || unicode.IsMark(r))
}

// word returns the word that a segment is; nil where it is what lies between words. A character
// that a ZERO WIDTH JOINER joins to a pictograph after it is no part of the word.
func (s *splitter) word(segment []byte) []byte {
	flags, start := 0, 0
	for i := 0; i < len(segment); {
		r, size := utf8.DecodeRune(segment[i:])
		switch {
		case r < utf8.RuneSelf:
			if r != '_' && isPlain(byte(r)) {
				return segment
			}
		case unicode.In(r, unicode.Letter, unicode.Nd, unicode.Han):
			return segment
		case isJoined(r):
		case unicode.Is(unicode.Regional_Indicator, r):
			flags++
		case s.joins("a", segment[i:i+size]): // a letter to Unicode, if not by its category
			return segment
		case isPictograph(r), s.joins(joiner, segment[i:i+size]):
			return segment[start:]
		}
		if start = i; r != '\u200d' {
			start += size
		}
		i += size
	}
	if flags == 2 || beginsComplex(segment) { // one half of a flag is no word
		return segment
	}
	return nil
}

const joiner = "\u200d"

// isJoined reports whether a character belongs to whatever is before it.
func isJoined(r rune) bool { return unicode.In(r, unicode.M, unicode.Cf, unicode.Pc) }

// joins reports whether there is no boundary between two characters. A ZERO WIDTH JOINER is joined
// to pictographs only, marks aside: to emoji and the symbols that count as such.
func (s *splitter) joins(first string, second []byte) bool {
	s.pair = append(append(s.pair[:0], first...), second...)
	end, _, _ := uax29.SplitFunc(s.pair, true)
	return end == len(s.pair)
}

// isPictograph reports whether a character was a pictograph in Unicode 12, which Elasticsearch's
// analyzer has, and is none any more.
func isPictograph(r rune) bool {
	switch {
	case r < 0x2600, r > 0x1f6ff:
		return false
	case r <= 0x2767:
		return r <= 0x2685 && r != 0x2606 && r != 0x2613 || r >= 0x2763 ||
			r >= 0x2690 && r <= 0x2712 && r != 0x2706 && r != 0x2707
	}
	return r >= 0x1f680 || r >= 0x1f249 && r <= 0x1f64f && !(0x1f3fa < r && r < 0x1f400) &&
		!(0x1f53d < r && r < 0x1f546)
}

// unitsOf counts UTF-16 units.
func unitsOf(text []byte) int {
	n := 0
	for i := 0; i < len(text); {
		_, size := utf8.DecodeRune(text[i:])
		i += size
		n += 1 + size/4
	}
	return n
}

// firstUnits returns how many bytes the first UTF-16 units of a text take, at most so many units.
func firstUnits(text []byte, most int) int {
	i := 0
	for i < len(text) {
		_, size := utf8.DecodeRune(text[i:])
		if most -= 1 + size/4; most < 0 {
			break
		}
		i += size
	}
	return i
}

// Word is a word of a constant, ready to be looked up.
type Word struct {
	Text []byte // in lower case
	hash uint32
}

// Split returns the words of a constant.
func Split(text string) []Word {
	var list []Word
	s := splitter{rest: []byte(text)}
	for w := s.next(); w != nil; w = s.next() {
		lower := event.Lowercase(nil, w)
		list = append(list, Word{Text: lower, hash: hash(lower)})
	}
	return list
}

// hash is FNV-1a.
func hash(text []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range text {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}
