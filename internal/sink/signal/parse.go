package signal

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// parseWellFormed reads one JSON value of valid UTF-8 and nothing beside it, several times as fast
// as encoding/json. Whatever else a text is, ok is false and encoding/json decides: what it accepts
// and how it reads it is part of the identities of events (FuzzParse).
func parseWellFormed(source []byte) (n *node, ok bool) {
	d := jsontext.NewDecoder(bytes.NewBuffer(source), jsontext.AllowDuplicateNames(true))
	p := parser{Decoder: d, source: string(source)}
	if n, ok = p.value(); !ok {
		return nil, false
	}
	_, err := d.ReadToken()
	return n, errors.Is(err, io.EOF)
}

// parser makes nodes whose texts are parts of one text, and makes the nodes many at a time.
type parser struct {
	*jsontext.Decoder

	source  string
	nodes   []node
	members []member // of the objects that are being read, the inner ones last
	elems   []*node
}

func (p *parser) node(n node) *node {
	if len(p.nodes) == 0 {
		p.nodes = make([]node, 32)
	}
	made := &p.nodes[0]
	p.nodes = p.nodes[1:]
	*made = n
	return made
}

func (p *parser) value() (n *node, ok bool) {
	switch k := p.PeekKind(); k {
	case '{':
		return p.object()
	case '[':
		return p.array()
	case '"':
		t, ok := p.text()
		return p.node(node{kind: text, text: t}), ok
	case '0':
		t, ok := p.raw()
		return p.node(node{kind: number, text: t}), ok
	case 't', 'f':
		t, ok := p.raw()
		return p.node(node{kind: boolean, text: t}), ok
	case 'n':
		_, ok := p.raw()
		return p.node(node{kind: null}), ok
	default:
		return nil, false
	}
}

// raw reads a scalar as it is written.
func (p *parser) raw() (string, bool) {
	v, err := p.ReadValue()
	end := int(p.InputOffset())
	return p.source[end-len(v) : end], err == nil
}

func (p *parser) text() (string, bool) {
	v, err := p.ReadValue()
	if err != nil {
		return "", false
	}
	if bytes.IndexByte(v, '\\') < 0 {
		end := int(p.InputOffset())
		return p.source[end-len(v)+1 : end-1], true
	}
	t, err := jsontext.AppendUnquote(make([]byte, 0, len(v)), v)
	return string(t), err == nil
}

func (p *parser) object() (*node, bool) {
	if _, err := p.ReadToken(); err != nil {
		return nil, false
	}
	from := len(p.members)
	for p.PeekKind() != '}' {
		key, ok := p.text()
		if !ok {
			return nil, false
		}
		value, ok := p.value()
		if !ok {
			return nil, false
		}
		p.members = append(p.members, member{key, value})
	}
	n := p.node(node{kind: object, members: append([]member(nil), p.members[from:]...)})
	p.members = p.members[:from]
	_, err := p.ReadToken()
	return n, err == nil
}

func (p *parser) array() (*node, bool) {
	if _, err := p.ReadToken(); err != nil {
		return nil, false
	}
	from := len(p.elems)
	for p.PeekKind() != ']' {
		value, ok := p.value()
		if !ok {
			return nil, false
		}
		p.elems = append(p.elems, value)
	}
	n := p.node(node{kind: array, elems: append([]*node(nil), p.elems[from:]...)})
	p.elems = p.elems[:from]
	_, err := p.ReadToken()
	return n, err == nil
}
