package event

import (
	"unicode"
	"unicode/utf8"
)

// Normalizer is what an index does to the values of a keyword field before it indexes them, and to
// the constants of a query before it looks for them.
type Normalizer struct {
	// Name is the mapping's, and Definition stands for what the normalizer does: indices define
	// theirs under the same name differently.
	Name, Definition string
	// Constants holds what the server makes of each of a rule's texts.
	Constants map[string]string
	// Lowercase: the normalizer is known to do nothing but [Lowercase].
	Lowercase bool
}

// Constant returns a constant as the index looks for it.
func (n *Normalizer) Constant(text string) string {
	if normalized, ok := n.Constants[text]; ok {
		return normalized
	}
	return string(n.appendValue(nil, []byte(text)))
}

// appendValue appends a value as the index has it. What only the server can normalize is appended
// as it is: the search's `fields` hold it normalized already, but for values that are too long for
// the index.
func (n *Normalizer) appendValue(into, text []byte) []byte {
	if !n.Lowercase {
		return append(into, text...)
	}
	return Lowercase(into, text)
}

// Lowercase appends text in lower case as Lucene's LowerCaseFilter does, which is Elasticsearch's
// normalizer of that name: each character by itself, so that neither the end of a word nor the
// language makes a difference.
func Lowercase(into, text []byte) []byte {
	for len(text) > 0 {
		if c := text[0]; c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			into, text = append(into, c), text[1:]
			continue
		}
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 {
			into = append(into, text[0]) // half a character, or no UTF-8
		} else {
			into = utf8.AppendRune(into, unicode.ToLower(r))
		}
		text = text[size:]
	}
	return into
}
