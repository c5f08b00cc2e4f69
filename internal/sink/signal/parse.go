package signal

import (
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// parseWellFormed reads one JSON value of valid UTF-8 and nothing beside it, many times as fast as
// encoding/json. Whatever else a text is, ok is false and encoding/json decides: what it accepts
// and how it reads it is part of the identities of events (FuzzParse).
func (p *parser) parseWellFormed(source []byte) (n *node, ok bool) {
	if !jsontext.Value(source).IsValid(jsontext.AllowDuplicateNames(true)) {
		return nil, false
	}
	p.rest = string(source)
	p.members, p.elems = p.members[:0], p.elems[:0]
	p.nodes.reset()
	p.ofMembers.reset()
	p.ofElems.reset()
	return p.value(), true
}

// parser makes nodes of a text that is known to be JSON. Their texts are parts of it, and the rest
// of them is in memory that the next text is read into.
type parser struct {
	rest    string
	unusual int      // what was read that would be written in another way
	members []member // of the objects that are being read, the inner ones last
	elems   []*node

	unquoted  []byte // the last text that was
	nodes     arena[node]
	ofMembers arena[member]
	ofElems   arena[*node]
}

func (p *parser) node(n node) *node {
	made := &p.nodes.take(1)[0]
	*made = n
	return made
}

func (p *parser) value() *node {
	first := p.next()
	source, unusual := p.rest, p.unusual
	n := p.valueOf(first)
	if p.unusual == unusual {
		n.source = source[:len(source)-len(p.rest)]
	}
	return n
}

func (p *parser) valueOf(first byte) *node {
	switch first {
	case '{':
		return p.object()
	case '[':
		return p.array()
	case '"':
		return p.node(node{kind: text, text: p.text()})
	case 'n':
		p.word()
		return p.node(node{kind: null})
	case 't', 'f':
		return p.node(node{kind: boolean, text: p.word()})
	default:
		return p.node(node{kind: number, text: p.word()})
	}
}

// next returns the character that the next value begins with, or an object or array ends with.
func (p *parser) next() byte {
	at := 0
	for c := p.rest[at]; c <= ' ' || c == ',' || c == ':'; c = p.rest[at] {
		if c <= ' ' {
			p.unusual++
		}
		at++
	}
	p.rest = p.rest[at:]
	return p.rest[0]
}

// take returns the next characters.
func (p *parser) take(n int) (taken string) {
	taken, p.rest = p.rest[:n], p.rest[n:]
	return taken
}

// word reads a scalar that is no text, as it is written.
func (p *parser) word() string {
	end := 1
	for end < len(p.rest) && p.rest[end] > ' ' && p.rest[end] != ',' && p.rest[end] != ']' &&
		p.rest[end] != '}' {
		end++
	}
	return p.take(end)
}

func (p *parser) text() string {
	end, isEscaped, isBeyond := 1, false, false
	for c := p.rest[end]; c != '"'; c = p.rest[end] {
		if c == '\\' {
			isEscaped = true
			end++
			if c = p.rest[end]; c != '\\' && c != '"' {
				p.unusual++
			}
		}
		isBeyond = isBeyond || c >= utf8.RuneSelf
		end++
	}
	quoted := p.take(end + 1)
	if isBeyond && strings.ContainsAny(quoted, "\u2028\u2029") {
		p.unusual++
	}
	if !isEscaped {
		return quoted[1:end]
	}
	p.unquoted, _ = jsontext.AppendUnquote(p.unquoted[:0], quoted) // it is a JSON string
	return string(p.unquoted)
}

func (p *parser) object() *node {
	p.take(len("{"))
	from := len(p.members)
	for p.next() != '}' {
		key := p.text()
		p.members = append(p.members, member{key, p.value()})
	}
	p.take(len("}"))
	n := p.node(node{kind: object, members: p.ofMembers.keep(p.members[from:])})
	p.members = p.members[:from]
	return n
}

func (p *parser) array() *node {
	p.take(len("["))
	from := len(p.elems)
	for p.next() != ']' {
		p.elems = append(p.elems, p.value())
	}
	p.take(len("]"))
	n := p.node(node{kind: array, elems: p.ofElems.keep(p.elems[from:])})
	p.elems = p.elems[:from]
	return n
}
