package search

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/valyala/fastjson"

	"esrule/internal/query/event"
)

// Page is one answer of a search. It and all that it holds is valid until the next page is asked for.
type Page struct {
	Hits []Hit
	Took time.Duration // on the cluster
	// Waited is the time from asking for the page until it was there, repeated requests and their pauses included.
	Waited time.Duration
	// Failures are the indices that this page was not read whole of.
	Failures []Failure

	raw     []byte
	parser  fastjson.Parser
	indices map[string]string // names seen, so that a name is made once and not for every hit

	split    sync.Once
	portions []portion
}

// Hit is a document that was found.
type Hit struct {
	Index string
	ID    string
	// Source is the document as it was sent; nil where it comes as Deep.
	Source *fastjson.Value
	// Fields are the values of the fields asked for, by path, those too long for the index among them; nil
	// where there are none.
	Fields *fastjson.Value
	// Deep is the document's text where it is nested more deeply than the parser of Source reads.
	Deep []byte

	page   *Page
	number int
}

// SourceJSON gives the document's text, as valid JSON. It is the caller's own.
func (h *Hit) SourceJSON() []byte { return h.page.portion(h.number).Source }

// FieldsJSON gives the text of the fields asked for, nil where there are none. It is the caller's own.
func (h *Hit) FieldsJSON() []byte { return h.page.portion(h.number).Fields }

// answer is a search's answer but for its hits.
type answer struct {
	id       string
	timedOut bool
	failed   int
	shards   []shardFailure
	after    json.RawMessage // the last hit's place
}

// portions is a search's answer with each hit's parts as text.
type portions struct {
	ID       string `json:"pit_id"`
	Took     int64  `json:"took"`
	TimedOut bool   `json:"timed_out"`
	Shards   struct {
		Failed   int            `json:"failed"`
		Failures []shardFailure `json:"failures"`
	} `json:"_shards"`
	Hits struct {
		Hits []portion `json:"hits"`
	} `json:"hits"`
}

func (p *portions) answer() answer {
	return answer{id: p.ID, timedOut: p.TimedOut, failed: p.Shards.Failed, shards: p.Shards.Failures}
}

type portion struct {
	Index   string          `json:"_index"`
	ID      string          `json:"_id"`
	Source  json.RawMessage `json:"_source"`
	Fields  json.RawMessage `json:"fields"`
	Ignored json.RawMessage `json:"ignored_field_values"`
	Sort    json.RawMessage `json:"sort"`
}

// errNotJSON: a document's text breaks the answer. Elasticsearch takes comments and a byte order mark in
// a document and gives them back as they came.
var errNotJSON = errors.New("the answer is not JSON")

// parse takes a search's answer, whose memory the page keeps.
func (p *Page) parse(raw []byte) (answer, error) {
	p.raw, p.Hits, p.Failures = raw, p.Hits[:0], nil
	p.split, p.portions = sync.Once{}, nil
	if root, err := p.parser.ParseBytes(event.MendSurrogates(raw)); err == nil {
		return p.fill(root)
	}
	// Too deep for the fast parser: each hit is parsed alone, and those that it still refuses are handed on.
	var whole portions
	if err := json.Unmarshal(raw, &whole); err != nil {
		return answer{}, fmt.Errorf("%w: %w", errNotJSON, err)
	}
	return p.fillApart(&whole), nil
}

// parseEmpty makes the page one without hits.
func (p *Page) parseEmpty() error {
	_, err := p.parse([]byte(`{}`))
	return err
}

func (p *Page) fill(root *fastjson.Value) (answer, error) {
	p.Took = time.Duration(root.GetInt64("took")) * time.Millisecond
	a := answer{id: string(root.GetStringBytes("pit_id")), timedOut: root.GetBool("timed_out"), failed: root.GetInt("_shards", "failed")}
	if list := root.Get("_shards", "failures"); list != nil {
		if err := json.Unmarshal(list.MarshalTo(nil), &a.shards); err != nil {
			return answer{}, fmt.Errorf("read the failed shards: %w", err)
		}
	}
	hits := root.GetArray("hits", "hits")
	for i, hit := range hits {
		fields := withIgnored(hit.Get("fields"), hit.Get("ignored_field_values"))
		p.Hits = append(p.Hits, Hit{
			Index: p.index(hit.GetStringBytes("_index")), ID: string(hit.GetStringBytes("_id")),
			Source: hit.Get("_source"), Fields: fields, page: p, number: i,
		})
	}
	if len(hits) > 0 {
		a.after = hits[len(hits)-1].Get("sort").MarshalTo(nil)
	}
	return a, nil
}

func (p *Page) fillApart(whole *portions) answer {
	p.split.Do(func() { p.portions = whole.Hits.Hits })
	p.Took = time.Duration(whole.Took) * time.Millisecond
	a := whole.answer()
	for i := range p.portions {
		part := &p.portions[i]
		hit := Hit{Index: part.Index, ID: part.ID, page: p, number: i, Fields: withIgnored(parseAlone(part.Fields), parseAlone(part.Ignored))}
		if hit.Source = parseAlone(part.Source); hit.Source == nil && part.Source != nil {
			hit.Deep = part.Source
		}
		p.Hits = append(p.Hits, hit)
		a.after = part.Sort
	}
	return a
}

// parseAlone gives nil where the text is empty or the fast parser refuses it.
func parseAlone(text []byte) *fastjson.Value {
	if len(text) == 0 {
		return nil
	}
	v, err := fastjson.ParseBytes(event.MendSurrogates(text))
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

func (p *Page) index(name []byte) string {
	if known, ok := p.indices[string(name)]; ok {
		return known
	}
	if p.indices == nil {
		p.indices = map[string]string{}
	}
	known := string(name)
	p.indices[known] = known
	return known
}

// portion gives the text of one hit. The page's text is cut into hits only when one is asked for: most
// pages hold no match. fastjson's own text is no substitute, for it writes strings as Go does
// ("\x1b"), which is not JSON.
func (p *Page) portion(number int) portion {
	p.split.Do(func() {
		var whole portions
		if err := json.Unmarshal(p.raw, &whole); err == nil {
			p.portions = whole.Hits.Hits
		}
	})
	if number >= len(p.portions) {
		return portion{} // not for an answer of Elasticsearch, whose strings are valid JSON
	}
	return p.portions[number]
}
