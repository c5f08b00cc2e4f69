package match

import (
	"strings"

	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/match/words"
)

// wildcard compiles `field : a*b`. On a text it is read as Kibana sends it: as a query string,
// which is parts between blanks. One part suffices; one with a star is for single words, and others
// are compared as `field : part` is.
func (c *compiler) wildcard(x *cond.Wildcard) predicate {
	l := c.leaf(x)
	for _, piece := range x.Pieces {
		kueryChunks(piece, func(chunk string, literal bool) {
			if literal {
				l.note(chunk)
			}
		})
	}
	whole := kueryPattern(x.Pieces)
	var normal byNormalizer[Pattern]
	parts := partsOf(x.Pieces)
	return l.anyKuery(x, func(_ *Evaluation, v *event.Value) bool {
		if !v.HoldsText() {
			return false
		}
		pattern := whole
		if n := v.Normalizer(); n != nil {
			pattern = normal.get(n, func() Pattern {
				return kueryPattern(normalizedPieces(x.Pieces, n.Constant))
			})
		}
		return pattern.Match(v.Text)
	}, func(text *words.Index) bool {
		for i := range parts {
			if parts[i].isIn(text) {
				return true
			}
		}
		return false
	})
}

// kueryPattern is the pattern of pieces with any run of characters between them. Unlike in EQL, a
// question mark is one.
func kueryPattern(pieces []string) Pattern {
	var p Pattern
	for _, piece := range pieces {
		p.segments = append(p.segments, segment{text: []byte(piece)})
	}
	return p
}

// kueryChunks calls visit for the parts of a piece that Elasticsearch normalizes one by one: what
// is between the characters that Kibana escapes.
func kueryChunks(piece string, visit func(chunk string, literal bool)) {
	for len(piece) > 0 {
		end := strings.IndexAny(piece, `+-=&|><!(){}[]^"~*?:\/`)
		switch end {
		case -1:
			visit(piece, true)
			return
		case 0:
			visit(piece[:1], false)
			piece = piece[1:]
		default:
			visit(piece[:end], true)
			piece = piece[end:]
		}
	}
}

func normalizedPieces(pieces []string, normal func(string) string) []string {
	normalized := make([]string, len(pieces))
	for i, piece := range pieces {
		kueryChunks(piece, func(chunk string, literal bool) {
			if literal {
				chunk = normal(chunk)
			}
			normalized[i] += chunk
		})
	}
	return normalized
}

// wordPart is a part of a wildcard pattern on a text: either a pattern of single words, or words of
// which any suffices, or nothing but a star.
type wordPart struct {
	pattern *Pattern
	pieces  []string // of the pattern
	some    []words.Word
	any     bool
}

func (p *wordPart) isIn(text *words.Index) bool {
	switch {
	case p.any:
		return true
	case p.pattern != nil:
		return text.Some(p.pattern.Match)
	}
	return text.HasAny(p.some)
}

// partsOf splits a wildcard pattern at its blanks.
func partsOf(pieces []string) (parts []wordPart) {
	var part []string // the pieces of the part that has begun; the last is open
	end := func() {
		switch {
		case len(part) == 1 && part[0] == "":
		case len(part) == 1:
			parts = append(parts, wordPart{some: words.Split(part[0])})
		case len(part) == 2 && part[0] == "" && part[1] == "":
			parts = append(parts, wordPart{any: true})
		default:
			for i, piece := range part {
				part[i] = string(event.Lowercase(nil, []byte(piece)))
			}
			pattern := kueryPattern(part)
			parts = append(parts, wordPart{pattern: &pattern, pieces: part})
		}
		part = nil
	}
	for i, piece := range pieces {
		if i > 0 {
			part = append(part, "")
		}
		for j, text := range splitBlanks(piece) {
			if j > 0 {
				end()
			}
			if len(part) == 0 {
				part = []string{""}
			}
			part[len(part)-1] = text
		}
	}
	end()
	return parts
}

// splitBlanks splits a text at each of the blanks that end a part of a query string.
func splitBlanks(text string) []string {
	var list []string
	for {
		at := strings.IndexAny(text, " \t\n\r\u3000")
		if at < 0 {
			return append(list, text)
		}
		list = append(list, text[:at])
		if text[at] < 0x80 {
			text = text[at+1:]
		} else {
			text = text[at+len("\u3000"):]
		}
	}
}
