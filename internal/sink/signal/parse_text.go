package signal

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// text reads a text without escapes. One that has some is appended to p.unquoted from a place on,
// which is the end where it has none.
func (p *parser) text() (plain string, from int) {
	from = len(p.unquoted)
	length := strings.IndexByte(p.in[p.at+1:], '"')
	if length < 0 {
		p.isBad = true
		return "", from
	}
	begin := p.at
	isUsual := true // written as it is here
	if plain = p.in[begin+1 : begin+1+length]; strings.IndexByte(plain, '\\') < 0 {
		p.at += length + 2
	} else {
		plain, isUsual = "", p.unescape()
	}
	quoted := p.in[begin:p.at]
	if p.isBad || p.hasControls && strings.ContainsFunc(quoted, isControl) {
		p.isBad = true
		return "", from
	}
	if isUsual && (!p.hasSeparators || !hasSeparators(quoted)) {
		p.written = append(p.written, quoted...)
		return plain, from
	}
	if from < len(p.unquoted) {
		plain = string(p.unquoted[from:])
	}
	p.rewriting.Reset()
	_ = p.rewriting.text(plain) // a string can be written
	p.written = append(p.written, p.rewriting.Bytes()...)
	return plain, from
}

func isControl(r rune) bool { return r < ' ' }

// unescape appends a text with escapes to p.unquoted. It reports whether all of them are usual:
// those that are written too.
func (p *parser) unescape() bool {
	from, begin, in := len(p.unquoted), p.at, p.in
	at := begin + 1 // what is not appended yet
	for end := at; end < len(in); end++ {
		switch in[end] {
		case '"':
			p.unquoted = append(p.unquoted, in[at:end]...)
			p.at = end + 1
			return true
		case '\\':
			p.unquoted = append(p.unquoted, in[at:end]...)
			end++
			c := byte(0)
			if end < len(in) {
				c = in[end]
			}
			switch c {
			case '"', '\\':
			case 'n':
				c = '\n'
			case 'r':
				c = '\r'
			case 't':
				c = '\t'
			default:
				p.unquoted = p.unquoted[:from]
				p.unescapeAny(begin, end)
				return false
			}
			p.unquoted = append(p.unquoted, c)
			at = end + 1
		}
	}
	p.isBad = true
	return false
}

// unescapeAny is unescape for a text with any escapes. What is before a place is looked at.
func (p *parser) unescapeAny(begin, end int) {
	for end++; end < len(p.in) && p.in[end] != '"'; end++ {
		if p.in[end] == '\\' {
			end++
		}
	}
	if end >= len(p.in) {
		p.isBad = true
		return
	}
	p.at = end + 1
	var err error
	p.unquoted, err = jsontext.AppendUnquote(p.unquoted, p.in[begin:p.at])
	p.isBad = p.isBad || err != nil
}
