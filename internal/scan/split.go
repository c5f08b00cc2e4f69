package scan

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
)

// isNotLines reports whether a text that begins like this is not one document a line: it is an
// array, it is pretty-printed, or it is the answer to a search, which may be one line of any size.
func isNotLines(start []byte) bool {
	start = bytes.TrimLeft(start, " \t\r\n")
	if len(start) == 0 {
		return false
	}
	if start[0] == '[' {
		return true
	}
	if start[0] != '{' {
		return false
	}
	inner := bytes.TrimLeft(start[1:], " \t")
	if len(inner) > 0 && (inner[0] == '\n' || inner[0] == '\r') {
		return true
	}
	key, ok := bytes.CutPrefix(inner, []byte(`"`))
	if !ok {
		return false
	}
	key, _, _ = bytes.Cut(key, []byte(`"`))
	return slices.Contains(answerKeys, string(key))
}

// answerKeys are those that the answer to a search can begin with. An event that begins so is
// judged all the same.
var answerKeys = []string{
	"took", "timed_out", "_scroll_id", "pit_id", "_shards", "_clusters", "hits", "responses",
	"response",
	"rawResponse", "num_reduce_phases", "terminated_early", "id", "is_partial", "is_running",
}

// hitLists are where hits are in the answers of _search, _msearch, _async_search and in what
// Kibana shows.
var hitLists = []string{"hits.hits", "responses", "response.hits.hits", "rawResponse.hits.hits"}

// splitter gives documents one a line: those that are pretty-printed, those of arrays, and the
// hits of answers to searches. It holds one document, or an answer's beginning, at a time. A
// document's line is the one on which it begins, where no line holds two.
type splitter struct {
	from *bufio.Reader
	out  []byte // whole lines, to be given out
	err  error

	open  []byte // of the lists and answers around the documents: '[' or '{'
	skip  int    // how deep in a part of an answer that is no hit
	doc   []byte // begun and not ended, without its line ends
	depth int    // in doc
	path  []string
	key   []byte // the last string of doc
	first string // the first

	inString, escaped bool
	started           int // where in doc the last string began
	owed              int // line ends of the input to leave out, since documents got their own
	line              int // line ends that were read
	answers           []answer
	pages             pages
	held              int // line ends within doc
}

func (s *splitter) Read(p []byte) (int, error) {
	for len(s.out) == 0 && s.err == nil {
		c, err := s.from.ReadByte()
		if err != nil {
			s.end(err)
			break
		}
		s.put(c)
		if c == '\n' {
			s.line++
		}
	}
	if len(s.out) == 0 {
		return 0, s.err
	}
	n := copy(p, s.out)
	s.out = s.out[:copy(s.out, s.out[n:])]
	return n, nil
}

// end gives out a document that was cut off: as a line it says so itself. So does the end of a
// list.
func (s *splitter) end(err error) {
	s.err = err
	if len(s.doc) > 0 {
		s.give()
	}
	if errors.Is(err, io.EOF) && len(s.open) > 0 {
		s.err = io.ErrUnexpectedEOF
	}
	if partial := s.pages.missing(); partial != nil && errors.Is(s.err, io.EOF) {
		s.err = partial
	}
}

func (s *splitter) put(c byte) {
	switch {
	case s.inString:
		s.putInString(c)
	case s.depth > 0:
		s.putInDocument(c)
	case s.isAnswer():
		s.putInAnswer(c)
	default:
		s.putBetween(c)
	}
}

// isAnswer reports whether the innermost container around is an answer, of which all hits were
// given.
func (s *splitter) isAnswer() bool { return len(s.open) > 0 && s.open[len(s.open)-1] == '{' }

func (s *splitter) putInString(c byte) {
	s.lineEnd(c)
	if c == '\n' || c == '\r' {
		c = 0 // JSON allows neither in a string, and the line says so
	}
	if s.depth > 0 || !s.isAnswer() {
		s.doc = append(s.doc, c)
	} else {
		s.keep(c)
	}
	switch {
	case s.escaped:
		s.escaped = false
	case c == '\\':
		s.escaped = true
	case c == '"':
		s.inString = false
		if s.depth > 0 && s.started < len(s.doc) {
			s.key = append(s.key[:0], s.doc[s.started:len(s.doc)-1]...)
			if s.first == "" {
				s.first = string(s.key)
			}
		}
	}
}

func (s *splitter) lineEnd(c byte) {
	if c == '\n' {
		s.held++
	}
}

func (s *splitter) putInDocument(c byte) {
	if c == '\n' || c == '\r' {
		s.lineEnd(c)
		c = ' '
	}
	s.doc = append(s.doc, c)
	switch c {
	case '"':
		s.inString, s.started = true, len(s.doc)
	case '{', '[':
		s.enter(c)
	case '}', ']':
		s.depth--
		s.path = s.path[:max(len(s.path)-1, 0)]
		if s.depth == 0 {
			s.give()
		}
	}
}

// enter begins a container in doc. Where it is a list of hits, doc is an answer and its hits are
// documents.
func (s *splitter) enter(c byte) {
	path := string(s.key)
	if s.depth > 1 && len(s.path) > 0 {
		path = s.path[len(s.path)-1] + "." + path
	}
	isHits := slices.Contains(answerKeys, s.first) && slices.Contains(hitLists, path)
	if c == '[' && isHits && len(s.open) < 4 {
		s.answers = append(s.answers, answer{
			line: s.line + 1, around: len(s.open), text: slices.Clone(s.doc),
		})
		for range s.depth {
			s.open = append(s.open, '{')
		}
		s.open = append(s.open, '[')
		s.doc, s.path, s.depth = s.doc[:0], s.path[:0], 0
		s.release()
		return
	}
	if c == '[' {
		path += "[]"
	}
	s.path = append(s.path, path)
	s.depth++
}

func (s *splitter) putInAnswer(c byte) {
	s.keep(c)
	switch c {
	case '\n':
		s.newline()
	case '"':
		s.inString = true
	case '{', '[':
		s.skip++
	case '}', ']':
		if s.skip > 0 {
			s.skip--
			return
		}
		s.open = s.open[:len(s.open)-1]
		s.endAnswer()
	}
}

// keep adds to what is known of the answer at hand, but for what is deep in it.
func (s *splitter) keep(c byte) {
	closes := !s.inString && (c == '}' || c == ']')
	deep := s.skip > 2 || s.skip == 2 && !closes
	if n := len(s.answers); n > 0 && !deep {
		a := &s.answers[n-1]
		a.text = append(a.text, c)
	}
}

// endAnswer notes what an answer says of itself where all of it was read.
func (s *splitter) endAnswer() {
	n := len(s.answers)
	if n == 0 || len(s.open) > s.answers[n-1].around {
		return
	}
	s.pages.add(s.answers[n-1])
	s.answers = s.answers[:n-1]
}

// putBetween takes what is around documents: separators, the ends of lists, and values that are
// none.
func (s *splitter) putBetween(c byte) {
	if len(s.doc) > 0 && (c == ',' || c == '\n' || c == ']' || c == '{' || c == '[') {
		s.give() // a number or a text, which the line says is no event
	}
	switch c {
	case '\n':
		s.newline()
	case ' ', '\t', '\r', ',':
	case '{':
		s.doc, s.depth = append(s.doc, c), 1
		s.path, s.key, s.first = s.path[:0], s.key[:0], ""
	case '[':
		s.open = append(s.open, '[')
	case ']':
		if len(s.open) > 0 {
			s.open = s.open[:len(s.open)-1]
			if s.isAnswer() {
				s.keep(c)
			}
			return
		}
		s.doc = append(s.doc, c)
	case '"':
		s.inString, s.started = true, 0
		s.doc = append(s.doc, c)
	default:
		s.doc = append(s.doc, c)
	}
}

// give ends doc as a line.
func (s *splitter) give() {
	if n := len(s.answers); n > 0 {
		s.answers[n-1].hits++
	}
	s.out = append(append(s.out, s.doc...), '\n')
	s.doc, s.depth = s.doc[:0], 0
	s.owed++
	s.release()
}

// release gives out the line ends that were held, so that lines keep their numbers.
func (s *splitter) release() {
	for ; s.held > 0; s.held-- {
		s.newline()
	}
}

func (s *splitter) newline() {
	if s.owed > 0 {
		s.owed--
		return
	}
	s.out = append(s.out, '\n')
}
