package date

import (
	"bytes"
	"strings"
)

// pattern is a date pattern as java.time writes them, compiled: "yyyy/MM/dd HH:mm:ss[.SSS][ XXX]".
type pattern struct{ parts []part }

// part is one element of a pattern: one of these is set.
type part struct {
	number   *numbers
	text     *texts
	zone     *zoneForm
	literal  string
	optional []part
}

// compilePattern is not ok for a pattern with letters that are not read; see compileLetter.
func compilePattern(text string) (*pattern, bool) {
	parts, rest, ok := compileParts(text, false, 0)
	if !ok || rest != "" || len(parts) == 0 {
		return nil, false
	}
	return &pattern{parts: parts}, true
}

func compileParts(text string, section bool, depth int) (parts []part, rest string, ok bool) {
	if depth > 20 {
		return nil, "", false
	}
	for text != "" {
		c := text[0]
		switch {
		case c == '\'':
			literal, after, closed := quoted(text)
			if !closed {
				return nil, "", false
			}
			parts, text = append(parts, part{literal: literal}), after
		case c == '[':
			inner, after, ok := compileParts(text[1:], true, depth+1)
			if !ok {
				return nil, "", false
			}
			if len(inner) > 0 {
				parts = append(parts, part{optional: inner})
			}
			text = after
		case c == ']':
			reserve(parts)
			return parts, text[1:], section
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
			n := len(text) - len(strings.TrimLeft(text, text[:1]))
			p, ok := compileLetter(c, n)
			if !ok {
				return nil, "", false
			}
			parts, text = append(parts, p), text[n:]
		case c == '{' || c == '}' || c == '#':
			return nil, "", false
		default:
			parts, text = append(parts, part{literal: text[:1]}), text[1:]
		}
	}
	reserve(parts)
	return parts, "", !section
}

// quoted takes a literal in single quotes, in which two stand for one.
func quoted(text string) (literal, rest string, ok bool) {
	var b strings.Builder
	for text = text[1:]; ; text = text[1:] {
		before, after, closed := strings.Cut(text, "'")
		if !closed {
			return "", "", false
		}
		b.WriteString(before)
		if text = after; !strings.HasPrefix(text, "'") {
			break
		}
		b.WriteByte('\'')
	}
	if b.Len() == 0 {
		return "'", text, true // '' outside of quotes
	}
	return b.String(), text, true
}

func (p *pattern) read(text []byte, up bool) (Instant, bool) {
	s := scanner{text: text, strict: true}
	var f fields
	if !s.parts(p.parts, &f) || len(s.text) > 0 {
		return Instant{}, false
	}
	c, ok := f.resolve()
	if !ok {
		return Instant{}, false
	}
	if up {
		// Where Elasticsearch cannot say where such a constant ends, it ends where it begins.
		if last, ok := f.resolveLast(); ok {
			c = last
		}
	}
	return c.instant(false)
}

func (s *scanner) parts(list []part, f *fields) bool {
	for i := range list {
		p := &list[i]
		ok := true
		switch {
		case p.optional != nil:
			before, values := *s, *f
			if !s.parts(p.optional, f) {
				*s, *f = before, values
			}
		case p.number != nil:
			var value int64
			value, ok = s.number(p.number)
			ok = ok && f.set(p.number.field, value)
		case p.text != nil:
			var value int64
			value, ok = s.word(p.text)
			ok = ok && f.set(p.text.field, value)
		case p.zone != nil:
			ok = s.zoneForm(p.zone, f)
		default:
			ok = bytes.HasPrefix(s.text, []byte(p.literal))
			if ok {
				s.text = s.text[len(p.literal):]
			}
		}
		if !ok {
			return false
		}
	}
	return true
}
