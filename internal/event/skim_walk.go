package event

import "bytes"

// value passes over the value at a place in the text, notes what lies there for k, and gives the
// place behind it; -1 is not plain. k is nil where nothing is wanted.
func (s *skimmer) value(at int, k *key, depth int) int {
	switch s.text[at] {
	case '{':
		end := s.object(at+1, k, depth+1)
		if end >= 0 && k != nil && k.found != nothing && s.found[k.found].leaves {
			s.note(k.found, s.text[at:end])
			s.learning = false // a shape has the places of scalars only
		}
		return end
	case '[':
		return s.array(at+1, k, depth+1)
	}
	m := mark{begin: at, end: s.scalar(at), found: nothing, round: s.round}
	if m.end < 0 {
		return -1
	}
	if k != nil && k.found != nothing {
		m.found = k.found
		s.note(m.found, s.text[m.begin:m.end])
	}
	if s.learning {
		s.marks = append(s.marks, m)
		s.learning = len(s.marks) < mostGaps // an event of more is not learned
	}
	return m.end
}

// scalar gives the place behind the text, number or word at a place; -1 is none of these.
func (s *skimmer) scalar(at int) int {
	text := s.text
	if at == len(text) {
		return -1
	}
	switch text[at] {
	case '"':
		return stringEnd(text, at+1)
	case 't':
		return literal(text, at, "true")
	case 'f':
		return literal(text, at, "false")
	case 'n':
		return literal(text, at, "null")
	}
	return numberEnd(text, at)
}

func (s *skimmer) note(found int, value []byte) {
	f := &s.found[found]
	if s.rounds[found] != s.round {
		s.rounds[found], f.values = s.round, f.values[:0]
		s.noted = append(s.noted, found)
	}
	f.values = append(f.values, value)
}

// object passes over an object from behind its brace.
func (s *skimmer) object(at int, k *key, depth int) int {
	s.objects++
	text, object := s.text, s.objects
	if at = space(text, at); at < len(text) && text[at] == '}' {
		return at + 1
	}
	for depth <= mostSkimmedDepth && at < len(text) && text[at] == '"' {
		name, end := keyAt(text, at+1)
		if at = valueAt(text, end); at < 0 {
			return -1
		}
		var inner *key
		if k != nil && k.inside != nil {
			var ok bool
			if inner, ok = k.enter(name, object); !ok {
				return -1
			}
		}
		// a hit: what was noted so far is no part of the event
		if inner == s.source && text[at] == '{' {
			s.hit = true
			s.round++
			inner, k = s.event, nil
		}
		var ended bool
		if at, ended = next(text, s.value(at, inner, depth), '}'); ended {
			return at
		}
	}
	return -1
}

// array passes over an array from behind its bracket; k is wanted of each item.
func (s *skimmer) array(at int, k *key, depth int) int {
	text := s.text
	if at = space(text, at); at < len(text) && text[at] == ']' {
		return at + 1
	}
	for depth <= mostSkimmedDepth && at < len(text) {
		var ended bool
		if at, ended = next(text, s.value(at, k, depth), ']'); ended {
			return at
		}
	}
	return -1
}

// next gives the place of what follows a value of an object or array, and whether that ended there;
// -1 is not plain.
func next(text []byte, at int, closing byte) (behind int, ended bool) {
	if at < 0 {
		return -1, true
	}
	if at = space(text, at); at == len(text) {
		return -1, true
	}
	switch text[at] {
	case closing:
		return at + 1, true
	case ',':
		return space(text, at+1), false
	}
	return -1, true
}

// valueAt gives the place of the value behind a key; -1 is not plain.
func valueAt(text []byte, at int) int {
	if at = space(text, at); at == len(text) || text[at] != ':' {
		return -1
	}
	if at = space(text, at+1); at == len(text) {
		return -1
	}
	return at
}

// keyAt gives the key from behind its quote, as it is written, and the place behind it. Keys are
// short: there is no gain in IndexByte.
func keyAt(text []byte, from int) (name []byte, end int) {
	at := from
	for at < len(text) && text[at] != '"' {
		at++
	}
	if at < len(text) && text[at-1] != '\\' {
		return text[from:at], at + 1
	}
	if end = stringEnd(text, from); end < 0 {
		return nil, len(text)
	}
	return text[from : end-1], end
}

// stringEnd gives the place behind the quote that ends a string.
func stringEnd(text []byte, at int) int {
	for begin := at; ; {
		n := bytes.IndexByte(text[at:], '"')
		if n < 0 {
			return -1
		}
		at += n + 1
		backslashes := at - 1
		for backslashes > begin && text[backslashes-1] == '\\' {
			backslashes--
		}
		if (at-1-backslashes)%2 == 0 {
			return at
		}
	}
}

// numberEnd takes part of what the parser takes for a number.
func numberEnd(text []byte, at int) int {
	if text[at] == '-' {
		at++
	}
	if at == len(text) || text[at] < '0' || text[at] > '9' {
		return -1
	}
	for at < len(text) && (text[at] >= '0' && text[at] <= '9' || text[at] == '.' ||
		text[at] == '-' || text[at] == '+' || text[at]|0x20 == 'e') {
		at++
	}
	return at
}

func literal(text []byte, at int, word string) int {
	if len(text)-at < len(word) || string(text[at:at+len(word)]) != word {
		return -1
	}
	return at + len(word)
}

func space(text []byte, at int) int {
	for at < len(text) && text[at] <= ' ' && (text[at] == ' ' || text[at] == '\n' ||
		text[at] == '\t' || text[at] == '\r') {
		at++
	}
	return at
}
