package signal

import (
	"strings"

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
	p.hasSeparators = hasSeparators(p.rest)
	p.members, p.elems, p.escaped = p.members[:0], p.elems[:0], p.escaped[:0]
	p.unquoted, p.written = p.unquoted[:0], p.written[:0]
	p.nodes.reset()
	p.ofMembers.reset()
	p.ofElems.reset()
	n = p.value()
	all := string(p.unquoted)
	for _, e := range p.escaped {
		e.node.text = all[e.from:e.to]
	}
	return n, true
}

// hasSeparators reports whether a text has one of the two characters beyond ASCII that are escaped
// where they are written.
func hasSeparators(text string) bool {
	return strings.Contains(text, "\u2028") || strings.Contains(text, "\u2029")
}

// parser makes nodes of a text that is known to be JSON. Their texts are parts of it, and the rest
// of them is in memory that the next text is read into.
type parser struct {
	rest          string
	hasSeparators bool
	members       []member // of the objects that are being read, the inner ones last
	elems         []*node

	written   written // what was read as it is written
	rewriting jsonText
	unquoted  []byte // the texts with escapes, one after the other
	escaped   []escapedText
	nodes     arena[node]
	ofMembers arena[member]
	ofElems   arena[*node]
}

// escapedText is where a node's text is in parser.unquoted.
type escapedText struct {
	node     *node
	from, to int
}

func (p *parser) node(n node) *node {
	made := &p.nodes.take(1)[0]
	*made = n
	return made
}

func (p *parser) value() *node {
	first, from := p.next(), len(p.written)
	n := p.valueOf(first)
	n.written = p.written[from:len(p.written):len(p.written)]
	return n
}

func (p *parser) valueOf(first byte) *node {
	switch first {
	case '{':
		return p.object()
	case '[':
		return p.array()
	case '"':
		plain, from := p.text()
		n := p.node(node{kind: text, text: plain})
		if from < len(p.unquoted) {
			p.escaped = append(p.escaped, escapedText{n, from, len(p.unquoted)})
		}
		return n
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
	word := p.take(end)
	p.written = append(p.written, word...)
	return word
}

// text returns a text without escapes. One that has some is appended to p.unquoted from a place on,
// which is the end where it has none.
func (p *parser) text() (plain string, from int) {
	from = len(p.unquoted)
	end := 1 + strings.IndexByte(p.rest[1:], '"')
	backslash := strings.IndexByte(p.rest[:end], '\\')
	isUsual := true // written as it is here
	if backslash < 0 {
		plain = p.rest[1:end]
	} else {
		for end = backslash; p.rest[end] != '"'; end++ {
			if p.rest[end] == '\\' {
				end++
				isUsual = isUsual && strings.IndexByte(`\"nrt`, p.rest[end]) >= 0
			}
		}
	}
	quoted := p.take(end + 1)
	if backslash >= 0 {
		p.unquoted, _ = jsontext.AppendUnquote(p.unquoted, quoted) // it is a JSON string
	}
	if isUsual && (!p.hasSeparators || !hasSeparators(quoted)) {
		p.written = append(p.written, quoted...)
		return plain, from
	}
	p.rewriting.Reset()
	if backslash >= 0 {
		plain = string(p.unquoted[from:])
	}
	_ = p.rewriting.text(plain) // a string can be written
	p.written = append(p.written, p.rewriting.Bytes()...)
	return plain, from
}

// key reads the name of a member.
func (p *parser) key() string {
	key, from := p.text()
	if from < len(p.unquoted) {
		key = string(p.unquoted[from:])
	}
	return key
}

func (p *parser) object() *node {
	p.take(len("{"))
	p.written = append(p.written, '{')
	from := len(p.members)
	for p.next() != '}' {
		if len(p.members) > from {
			p.written = append(p.written, ',')
		}
		key := p.key()
		p.written = append(p.written, ':')
		p.members = append(p.members, member{key, p.value()})
	}
	p.take(len("}"))
	p.written = append(p.written, '}')
	n := p.node(node{kind: object, members: p.ofMembers.keep(p.members[from:])})
	p.members = p.members[:from]
	return n
}

func (p *parser) array() *node {
	p.take(len("["))
	p.written = append(p.written, '[')
	from := len(p.elems)
	for p.next() != ']' {
		if len(p.elems) > from {
			p.written = append(p.written, ',')
		}
		p.elems = append(p.elems, p.value())
	}
	p.take(len("]"))
	p.written = append(p.written, ']')
	n := p.node(node{kind: array, elems: p.ofElems.keep(p.elems[from:])})
	p.elems = p.elems[:from]
	return n
}
