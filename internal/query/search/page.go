package search

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/valyala/fastjson"

	"esrule/internal/query/event"
)

// Page is one answer of a search. It and all that it holds is valid until the next page is asked for, or no more.
type Page struct {
	Hits []Hit
	Took time.Duration // on the cluster
	// Waited is the time from asking for the page until it was there, repeated requests and their pauses included.
	Waited time.Duration
	// Failures are the indices that this page was not read whole of.
	Failures []Failure

	raw     []byte
	indices map[string]string // names seen, so that a name is made once and not for every hit
	// One hit at a time is parsed, so that a page takes little more memory than its text.
	source, fields, ignored fastjson.Parser
}

// Hit is a document that was found.
type Hit struct {
	Index string
	// What ReadSource and ReadFields give, valid until that of another hit is read, behind the last page too. Source is the document as it was sent; nil where it comes as Deep.
	Source *fastjson.Value
	// Fields are the values of the fields asked for, by path, those too long for the index among them; nil
	// where there are none.
	Fields *fastjson.Value
	// Deep is the document's text where it is nested more deeply than the parser of Source reads.
	Deep []byte

	page  *Page
	parts portion
}

// portion is the text of a hit's parts, nil where one is not there.
type portion struct{ id, source, fields, ignored, sort []byte }

// ReadSource parses the document: what Source, or Deep, holds.
func (h *Hit) ReadSource() {
	h.Source, h.Deep = parseWith(&h.page.source, h.parts.source), nil
	if h.Source == nil && h.parts.source != nil {
		h.Deep = h.parts.source
	}
}

// ReadFields parses what Fields holds, and gives it.
func (h *Hit) ReadFields() *fastjson.Value {
	p := h.page
	h.Fields = withIgnored(parseWith(&p.fields, h.parts.fields), parseWith(&p.ignored, h.parts.ignored))
	return h.Fields
}

// ID is the document's name in its index.
func (h *Hit) ID() string {
	id, err := unquote(h.parts.id)
	if err != nil {
		return string(h.parts.id) // cannot be: the cluster writes it
	}
	return id
}

// Text is the document's text as it was sent, nil where the cluster gave none. It is valid until the next page is asked for.
func (h *Hit) Text() []byte { return h.parts.source }

// SourceJSON gives the document's text as it was sent. It is the caller's own.
func (h *Hit) SourceJSON() []byte { return bytes.Clone(h.parts.source) }

// FieldsJSON gives the text of the fields asked for, nil where there are none. It is the caller's own.
func (h *Hit) FieldsJSON() []byte { return bytes.Clone(h.parts.fields) }

// answer is a search's answer but for its hits.
type answer struct {
	id       string
	timedOut bool
	failed   int
	shards   []shardFailure
	after    json.RawMessage // the last hit's place
}

// portions is the part of an answer that is no hit.
type portions struct {
	ID       string `json:"pit_id"`
	Took     int64  `json:"took"`
	TimedOut bool   `json:"timed_out"`
	Shards   struct {
		Failed   int            `json:"failed"`
		Failures []shardFailure `json:"failures"`
	} `json:"_shards"`
}

func (p *portions) answer() answer {
	return answer{id: p.ID, timedOut: p.TimedOut, failed: p.Shards.Failed, shards: p.Shards.Failures}
}

// errNotJSON: a document's text breaks the answer. Elasticsearch takes comments and a byte order mark in
// a document and gives them back as they came.
var errNotJSON = errors.New("the answer is not JSON")

// parse takes a search's answer, whose memory the page keeps.
func (p *Page) parse(raw []byte) (answer, error) {
	p.raw, p.Hits, p.Failures = raw, p.Hits[:0], nil
	var head portions
	into := map[string]any{"pit_id": &head.ID, "took": &head.Took, "timed_out": &head.TimedOut, "_shards": &head.Shards}
	s := &splitter{text: raw}
	err := s.object(func(key []byte) error {
		if string(key) == "hits" {
			return s.object(func(key []byte) error {
				if string(key) == "hits" {
					return s.array(func() error { return p.addHit(s) })
				}
				_, err := s.value()
				return err
			})
		}
		value, err := s.value()
		if err != nil || into[string(key)] == nil {
			return err
		}
		if err := json.Unmarshal(value, into[string(key)]); err != nil {
			return fmt.Errorf("read %s of the answer: %w", key, err)
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	p.Took = time.Duration(head.Took) * time.Millisecond
	a := head.answer()
	if n := len(p.Hits); n > 0 {
		a.after = bytes.Clone(p.Hits[n-1].parts.sort)
	}
	return a, nil
}

// addHit takes the hit that comes next.
func (p *Page) addHit(s *splitter) error {
	hit := Hit{page: p}
	err := s.object(func(key []byte) error {
		value, err := s.value()
		if err != nil {
			return err
		}
		switch string(key) {
		case "_index":
			hit.Index, err = p.index(value)
		case "_id":
			hit.parts.id = value
		case "_source":
			hit.parts.source = value
		case "fields":
			hit.parts.fields = value
		case "ignored_field_values":
			hit.parts.ignored = value
		case "sort":
			hit.parts.sort = value
		}
		return err
	})
	p.Hits = append(p.Hits, hit)
	return err
}

// parseEmpty makes the page one without hits.
func (p *Page) parseEmpty() error {
	_, err := p.parse([]byte(`{}`))
	return err
}

// parseWith gives nil where the text is empty or the parser refuses it.
func parseWith(parser *fastjson.Parser, text []byte) *fastjson.Value {
	if len(text) == 0 {
		return nil
	}
	v, err := parser.ParseBytes(event.MendSurrogates(text))
	if err != nil {
		return nil
	}
	return v
}

// withIgnored adds to the fields of a hit their values that are not in the index, being too long for
// it: `fields` leaves them out, and the answer gives them apart.
func withIgnored(fields, ignored *fastjson.Value) *fastjson.Value {
	if ignored == nil {
		return fields
	}
	if fields == nil {
		return ignored
	}
	ignored.GetObject().Visit(func(key []byte, values *fastjson.Value) {
		path := string(key)
		there := fields.Get(path)
		if there == nil || there.Type() != fastjson.TypeArray {
			fields.Set(path, values)
			return
		}
		for _, v := range values.GetArray() {
			there.SetArrayItem(len(there.GetArray()), v)
		}
	})
	return fields
}

// index gives the name of an index that stands as a JSON string.
func (p *Page) index(quoted []byte) (string, error) {
	if known, ok := p.indices[string(quoted)]; ok {
		return known, nil
	}
	if p.indices == nil {
		p.indices = map[string]string{}
	}
	name, err := unquote(quoted)
	if err != nil {
		return "", fmt.Errorf("read the name of a hit's index: %w", err)
	}
	p.indices[string(quoted)] = name
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
