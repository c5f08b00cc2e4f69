package search

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"esrule/internal/elastic"
	"esrule/internal/event"
)

// Page is one answer of a search. It and all that it holds is valid until the next page is asked
// for, or no more.
type Page struct {
	Took time.Duration // on the cluster
	// Waited is the time from asking for the page until it was there, repeated requests and their
	// pauses included.
	Waited time.Duration
	// Failures are the indices that this page was not read whole of.
	Failures []Failure

	raw     []byte
	indices map[string]string // names seen, so that a name is made once and not for every hit
	quoted  []byte            // the last one, as it was written, and
	index   string            // its name

	split splitter // behind the hits that were given out
	state state
	lazy  bool // the hits are split as they are given out
	hit   Hit  // the one that was given out last
	given int
	after []byte // the place of the last hit that was given out
	start []byte // the place after which the page was asked to begin, nil for the first
	last  []byte // the place that the next hit must come after

	answer elastic.Answer // where the page came from
	head   portions
	total  *elastic.Total  // of all hits, nil where the answer does not say it
	seen   map[string]bool // the members of the answer and of its hits that came so far
}

// state is how far a page has been given out.
type state int

const (
	over     state = iota // there is no further hit
	starting              // none was given out yet
	between
	broken // what comes next is no hit, or not JSON
)

// Hit is a document that was found.
type Hit struct {
	Index string

	page  *Page
	parts portion
	read  bool // the [Reader] has read the document
}

// portion is the text of a hit's parts, nil where one is not there.
type portion struct{ index, id, source, fields, ignored, sort, matched []byte }

// ID is the document's name in its index.
func (h *Hit) ID() string {
	id, err := unquote(h.parts.id)
	if err != nil {
		return string(h.parts.id) // cannot be: the cluster writes it
	}
	return id
}

// Document returns the document's text as it was sent, without a Source where the cluster sent
// none. It is valid until the next page is asked for.
func (h *Hit) Document() event.Document {
	return event.Document{Source: h.parts.source, Fields: h.parts.fields,
		Ignored: h.parts.ignored, Matched: h.parts.matched, Begun: h.read}
}

// Reader reads the document, of a hit in an index, that a text begins with, and returns the
// document's length; -1 where it cannot, and the page has to find the document's end itself. So a
// document that is read as it is met is gone over once.
type Reader func(index string, text []byte) int

// Hits gives the page's hits in order, each valid until the next, and each once. read may be nil.
func (p *Page) Hits(read Reader) iter.Seq[*Hit] {
	return func(yield func(*Hit) bool) {
		for p.next(read) {
			if !yield(&p.hit) {
				return
			}
		}
	}
}

// Given is how many hits were given out so far.
func (p *Page) Given() int { return p.given }

// next makes hit the one that comes next; false where there is none.
func (p *Page) next(read Reader) bool {
	s := &p.split
	if p.state == over || p.state == broken {
		return false
	}
	if s.peek() == ']' {
		p.state = over
		return false
	}
	if p.state == between && !s.step(',') || p.readHit(read) != nil {
		p.state = broken
		return false
	}
	p.state, p.after, p.last = between, p.hit.parts.sort, p.hit.parts.sort
	p.given++
	return true
}

// readHit makes hit the one that begins here.
func (p *Page) readHit(read Reader) error {
	s, h := &p.split, &p.hit
	*h = Hit{page: p}
	if !s.step('{') {
		return errNotJSON
	}
	for first := true; ; first = false {
		key, ok, err := s.member(first)
		if err != nil {
			return err
		}
		if !ok {
			return h.whole()
		}
		if string(key) == "_source" && read != nil && h.parts.source == nil {
			if n := read(h.Index, s.text[s.at:]); n > 0 {
				h.read, h.parts.source = true, s.text[s.at:s.at+n]
				s.at += n
				continue
			}
		}
		value, err := s.value()
		if err != nil {
			return err
		}
		part := h.part(key)
		switch {
		case part == nil:
			continue
		case *part != nil:
			return elastic.Contradicts("a hit has %q twice", key)
		}
		*part = value
		if part == &h.parts.index {
			if h.Index, err = p.indexOf(value); err != nil {
				return err
			}
		}
	}
}

// part returns where the value of a hit's member is kept, nil for one that nobody reads.
func (h *Hit) part(key []byte) *[]byte {
	switch string(key) {
	case "_index":
		return &h.parts.index
	case "_id":
		return &h.parts.id
	case "_source":
		return &h.parts.source
	case "fields":
		return &h.parts.fields
	case "ignored_field_values":
		return &h.parts.ignored
	case "sort":
		return &h.parts.sort
	case "matched_queries":
		return &h.parts.matched
	}
	return nil
}

// whole returns an error where a hit lacks what every hit of a sorted search has, or does not come
// after the hit before it: the next page begins after the last hit.
func (h *Hit) whole() error {
	switch {
	case h.Index == "":
		return elastic.Lacks("_index of a hit")
	case len(h.parts.id) < len(`"x"`) || h.parts.id[0] != '"':
		return elastic.Lacks("_id of a hit")
	case h.parts.sort == nil:
		return elastic.Lacks("sort of a hit")
	}
	switch later, numbers := isLater(h.parts.sort, h.page.last); {
	case !numbers:
		return elastic.Lacks("number in the sort of a hit")
	case !later:
		return elastic.Contradicts("its hits are not in order: sort is %s after %s",
			h.parts.sort, h.page.last)
	}
	return nil
}

// errNotJSON: a document's text breaks the answer. Elasticsearch takes comments and a byte order
// mark in a document and gives them back as they came.
var errNotJSON = errors.New("the answer is not JSON")

// indexOf gives the name of an index that stands as a JSON string. Hits of one index come behind
// each other.
func (p *Page) indexOf(quoted []byte) (string, error) {
	if bytes.Equal(quoted, p.quoted) {
		return p.index, nil
	}
	name, ok := p.indices[string(quoted)]
	if !ok {
		var err error
		if name, err = unquote(quoted); err != nil {
			return "", fmt.Errorf("read the name of a hit's index: %w", err)
		}
		if p.indices == nil {
			p.indices = map[string]string{}
		}
		p.indices[string(quoted)] = name
	}
	p.quoted, p.index = append(p.quoted[:0], quoted...), name
	return name, nil
}

// unquote reads a JSON string, which hardly ever holds an escape.
func unquote(quoted []byte) (text string, err error) {
	if n := len(quoted); n >= 2 && quoted[0] == '"' && bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : n-1]), nil
	}
	err = json.Unmarshal(quoted, &text)
	return text, err
}
