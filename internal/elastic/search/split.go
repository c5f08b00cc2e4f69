package search

import "bytes"

// splitter walks over the text of an answer and finds its parts without reading them: a page holds
// a thousand documents, of which one at a time is looked at. It is no judge of JSON: what it steps
// over need only be balanced and free of comments, which Elasticsearch takes in a document and
// which could hide a bracket.
type splitter struct {
	text []byte
	at   int
}

// object visits the members of the object that comes next. visit must step over each value.
func (s *splitter) object(visit func(key []byte) error) error {
	if !s.step('{') {
		return errNotJSON
	}
	return s.members(true, visit)
}

// members visits the members of an object from here to its end; first says that none came before.
func (s *splitter) members(first bool, visit func(key []byte) error) error {
	for ; ; first = false {
		key, ok, err := s.member(first)
		if err != nil || !ok {
			return err
		}
		if err := visit(key); err != nil {
			return err
		}
	}
}

// member steps to the value of an object's next member; ok is false behind its end.
func (s *splitter) member(first bool) (key []byte, ok bool, err error) {
	switch c := s.peek(); {
	case c == '}':
		s.at++
		return nil, false, nil
	case c == ',' && !first:
		s.at++
	case !first:
		return nil, false, errNotJSON
	}
	if s.peek() != '"' {
		return nil, false, errNotJSON
	}
	start := s.at + 1
	if !s.skipString() {
		return nil, false, errNotJSON
	}
	key = s.text[start : s.at-1]
	if !s.step(':') {
		return nil, false, errNotJSON
	}
	s.peek()
	return key, true, nil
}

// step steps over a character, if it comes next.
func (s *splitter) step(over byte) bool {
	if s.peek() != over {
		return false
	}
	s.at++
	return true
}

// array visits the elements of the array that comes next. visit must step over each.
func (s *splitter) array(visit func() error) error {
	if !s.step('[') {
		return errNotJSON
	}
	if s.step(']') {
		return nil
	}
	for {
		if err := visit(); err != nil {
			return err
		}
		if s.step(']') {
			return nil
		}
		if !s.step(',') {
			return errNotJSON
		}
	}
}

// peek gives the next character that is no white space, 0 at the end.
func (s *splitter) peek() byte {
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// value steps over the value that comes next and gives its text.
func (s *splitter) value() ([]byte, error) {
	s.peek()
	start, depth := s.at, 0
	for s.at < len(s.text) {
		switch c := s.text[s.at]; {
		case c == '"':
			if !s.skipString() {
				return nil, errNotJSON
			}
		case c == '{' || c == '[':
			depth++
			s.at++
		case c == '}' || c == ']' || c == ',' && depth == 0:
			if depth == 0 { // of the list that the value is in
				return s.scalar(start)
			}
			depth--
			s.at++
		case plain[c]:
			s.at++
			continue
		default:
			return nil, errNotJSON
		}
		if depth == 0 {
			return s.text[start:s.at], nil
		}
	}
	return nil, errNotJSON
}

// scalar is the number or word between start and here.
func (s *splitter) scalar(start int) ([]byte, error) {
	text := bytes.TrimRight(s.text[start:s.at], " \t\r\n")
	if len(text) == 0 {
		return nil, errNotJSON
	}
	return text, nil
}

// skipString steps behind the string that begins here.
func (s *splitter) skipString() bool {
	for from := s.at + 1; ; {
		quote := bytes.IndexByte(s.text[from:], '"')
		if quote < 0 {
			return false
		}
		end := from + quote
		escapes := end
		for s.text[escapes-1] == '\\' {
			escapes--
		}
		if (end-escapes)%2 == 0 {
			s.at = end + 1
			return true
		}
		from = end + 1
	}
}

// plain are the characters that JSON has outside of strings, brackets left out.
var plain = func() (table [256]bool) {
	for _, c := range []byte(
		" \t\r\n0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-.:,") {
		table[c] = true
	}
	return table
}()
