package signal

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// parseWellFormed reads one JSON value of valid UTF-8 and nothing beside it, many times as fast as
// encoding/json. Whatever else a text is, ok is false and encoding/json decides: what it accepts
// and how it reads it is part of the identities of events (FuzzParse).
func (p *parser) parseWellFormed(source []byte) (n *node, ok bool) {
	if !utf8.Valid(source) {
		return nil, false
	}
	p.in, p.at, p.depth, p.isBad = string(source), 0, 0, false
	p.hasControls, p.hasSeparators = hasControls(source), hasSeparators(p.in)
	p.members, p.elems, p.escaped = p.members[:0], p.elems[:0], p.escaped[:0]
	p.unquoted, p.written = p.unquoted[:0], p.written[:0]
	p.nodes.reset()
	p.ofMembers.reset()
	p.ofElems.reset()
	n = p.value()
	if p.next(); p.isBad || p.at < len(p.in) {
		return nil, false
	}
	all := string(p.unquoted)
	for _, e := range p.escaped {
		e.node.text = all[e.from:e.to]
	}
	return n, true
}

// hasControls reports whether a text has a character below the blank.
func hasControls(text []byte) bool {
	const ones = 0x0101010101010101
	for ; len(text) >= 8; text = text[8:] {
		if x := binary.LittleEndian.Uint64(text); (x-ones*' ')&^x&(ones*0x80) != 0 {
			return true
		}
	}
	for _, c := range text {
		if c < ' ' {
			return true
		}
	}
	return false
}

// hasSeparators reports whether a text has one of the two characters beyond ASCII that are escaped
// where they are written.
func hasSeparators(text string) bool {
	return strings.Contains(text, "\u2028") || strings.Contains(text, "\u2029")
}

// parser makes nodes of a text. Their texts are parts of it, and the rest of them is in memory that
// the next text is read into.
type parser struct {
	in            string
	at            int // what is read next
	depth         int
	isBad         bool // it is not what parseWellFormed reads; the result says nothing
	hasControls   bool
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

// node returns a node. What it is written as follows.
func (p *parser) node(k kind, text string) *node {
	made := &p.nodes.take(1)[0] // set one by one: it costs less than to copy a whole node
	made.kind, made.text, made.elems, made.members = k, text, nil, nil
	return made
}

// value reads a value; nil where the text is bad.
func (p *parser) value() *node {
	first, from := p.next(), len(p.written)
	n := p.valueOf(first)
	if p.isBad {
		return nil
	}
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
		n := p.node(text, plain)
		if from < len(p.unquoted) {
			p.escaped = append(p.escaped, escapedText{n, from, len(p.unquoted)})
		}
		return n
	case 'n':
		p.word("null")
		return p.node(null, "")
	case 't':
		return p.node(boolean, p.word("true"))
	case 'f':
		return p.node(boolean, p.word("false"))
	default:
		return p.node(number, p.number())
	}
}

// next skips blanks and returns the character after them, 0 at the end.
func (p *parser) next() byte {
	for ; p.at < len(p.in); p.at++ {
		switch c := p.in[p.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// take takes a character that has to come next.
func (p *parser) take(c byte) {
	if p.next() != c {
		p.isBad = true
		return
	}
	p.at++
	p.written = append(p.written, c)
}

func (p *parser) word(word string) string {
	if !strings.HasPrefix(p.in[p.at:], word) {
		p.isBad = true
	}
	p.at += len(word)
	p.written = append(p.written, word...)
	return word
}

// number reads a number, as it is written.
func (p *parser) number() string {
	from := p.at
	p.oneOf("-")
	if p.oneOf("0") == 0 {
		p.digits()
	}
	if p.oneOf(".") > 0 {
		p.digits()
	}
	if p.oneOf("eE") > 0 {
		p.oneOf("+-")
		p.digits()
	}
	number := p.in[from:p.at]
	p.written = append(p.written, number...)
	return number
}

// oneOf takes one of some characters where it comes next, and returns how many it took.
func (p *parser) oneOf(characters string) int {
	if p.at == len(p.in) || strings.IndexByte(characters, p.in[p.at]) < 0 {
		return 0
	}
	p.at++
	return 1
}

func (p *parser) digits() {
	from := p.at
	for p.at < len(p.in) && p.in[p.at] >= '0' && p.in[p.at] <= '9' {
		p.at++
	}
	p.isBad = p.isBad || p.at == from
}

// key reads the name of a member.
func (p *parser) key() string {
	if p.next() != '"' {
		p.isBad = true
		return ""
	}
	key, from := p.text()
	if from < len(p.unquoted) {
		key = string(p.unquoted[from:])
	}
	return key
}

func (p *parser) object() *node {
	from := len(p.members)
	p.enter('{')
	for isFirst := true; p.next() != '}' && !p.isBad; isFirst = false {
		if !isFirst {
			p.take(',')
		}
		key := p.key()
		p.take(':')
		p.members = append(p.members, member{key, p.value()})
	}
	p.leave('}')
	n := p.node(object, "")
	n.members = p.ofMembers.keep(p.members[from:])
	p.members = p.members[:from]
	return n
}

func (p *parser) array() *node {
	from := len(p.elems)
	p.enter('[')
	for isFirst := true; p.next() != ']' && !p.isBad; isFirst = false {
		if !isFirst {
			p.take(',')
		}
		p.elems = append(p.elems, p.value())
	}
	p.leave(']')
	n := p.node(array, "")
	n.elems = p.ofElems.keep(p.elems[from:])
	p.elems = p.elems[:from]
	return n
}

func (p *parser) enter(bracket byte) {
	p.take(bracket)
	p.depth++
	p.isBad = p.isBad || p.depth > maxDepth
}

func (p *parser) leave(bracket byte) {
	p.take(bracket)
	p.depth--
}
