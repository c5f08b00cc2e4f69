package match

import (
	"bytes"
	"unicode/utf8"

	"esrule/internal/ascii"
)

// Pattern is an EQL wildcard pattern: `*` stands for any run of characters, line ends included, `?`
// for exactly one code point, and every other character, the backslash too, for itself (eql.md §2).
//
// It is compared segment by segment between the stars, in time proportional to the pattern's length
// times the value's at worst, and without allocation.
type Pattern struct {
	segments []segment // between the stars; at least one
	fold     bool
	// begins or ends is all of a pattern with one star and no `?`, at its end or its beginning.
	begins, ends string
}

// segment is a piece of a pattern without stars.
type segment struct {
	text []byte
	// questions tells whether text holds a `?`; without one, comparing is a plain byte comparison.
	questions bool
}

// NewPattern compiles a pattern. With fold, letters A to Z match either case, and the values given
// to Match must be in lower case already ([event.Event.Lower]).
func NewPattern(text string, fold bool) *Pattern {
	b := []byte(text)
	if fold {
		b = ascii.AppendLower(nil, b)
	}
	p := &Pattern{fold: fold}
	for _, s := range bytes.Split(b, []byte("*")) {
		p.segments = append(p.segments, segment{text: s, questions: bytes.IndexByte(s, '?') >= 0})
	}
	if len(p.segments) == 2 && bytes.IndexByte(b, '?') < 0 {
		if len(p.segments[1].text) == 0 {
			p.begins = string(p.segments[0].text)
		} else if len(p.segments[0].text) == 0 {
			p.ends = string(p.segments[1].text)
		}
	}
	return p
}

// Match tells whether the whole value fits.
func (p *Pattern) Match(value []byte) bool {
	switch n := len(value) - len(p.ends); {
	case p.begins != "":
		return len(value) >= len(p.begins) && string(value[:len(p.begins)]) == p.begins
	case p.ends != "":
		return n >= 0 && string(value[n:]) == p.ends
	}
	first := p.segments[0]
	n, ok := first.prefixOf(value)
	if !ok {
		return false
	}
	value = value[n:]
	if len(p.segments) == 1 {
		return len(value) == 0
	}
	last := len(p.segments) - 1
	n, ok = p.segments[last].suffixOf(value)
	if !ok {
		return false
	}
	value = value[:len(value)-n]
	// Taking the leftmost place of each segment in between leaves the most room for the next.
	for _, s := range p.segments[1:last] {
		end := s.find(value)
		if end < 0 {
			return false
		}
		value = value[end:]
	}
	return true
}

// prefixOf gives how many bytes of value the segment takes at its start.
func (s segment) prefixOf(value []byte) (n int, ok bool) {
	if !s.questions {
		return len(s.text), bytes.HasPrefix(value, s.text)
	}
	for _, c := range s.text {
		if n == len(value) {
			return 0, false
		}
		if c == '?' {
			_, size := utf8.DecodeRune(value[n:])
			n += size
			continue
		}
		if value[n] != c {
			return 0, false
		}
		n++
	}
	return n, true
}

// suffixOf gives how many bytes of value the segment takes at its end.
func (s segment) suffixOf(value []byte) (n int, ok bool) {
	if !s.questions {
		return len(s.text), bytes.HasSuffix(value, s.text)
	}
	end := len(value)
	for i := len(s.text) - 1; i >= 0; i-- {
		if end == 0 {
			return 0, false
		}
		if s.text[i] == '?' {
			_, size := utf8.DecodeLastRune(value[:end])
			end -= size
			continue
		}
		if value[end-1] != s.text[i] {
			return 0, false
		}
		end--
	}
	return len(value) - end, true
}

// find gives the end of the segment's leftmost place in value, or -1.
func (s segment) find(value []byte) int {
	if !s.questions {
		i := bytes.Index(value, s.text)
		if i < 0 {
			return -1
		}
		return i + len(s.text)
	}
	for start := 0; ; {
		if n, ok := s.prefixOf(value[start:]); ok {
			return start + n
		}
		if start == len(value) {
			return -1
		}
		_, size := utf8.DecodeRune(value[start:])
		start += size
	}
}
