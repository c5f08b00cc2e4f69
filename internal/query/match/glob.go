package match

import (
	"strings"
	"unicode/utf8"

	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/match/lucene"
	"esrule/internal/query/match/words"
)

// glob compiles the wildcard clause of a filter: the whole value fits, of a text one of its words,
// which are in lower case.
func (c *compiler) glob(x *cond.Glob) predicate {
	l := c.leaf(x)
	globParts(x.Pattern, func(part string, isText bool) {
		if isText {
			l.note(part)
		}
	})
	whole := l.globPattern(x, asIs)
	var normal byNormalizer[func([]byte) bool]
	return l.anyKuery(x, func(_ *Evaluation, v *event.Value) bool {
		if !v.HoldsText() {
			return false
		}
		fits := whole
		if n := v.Normalizer(); n != nil {
			fits = normal.get(n, func() func([]byte) bool { return l.globPattern(x, n.Constant) })
		}
		return fits(v.Text)
	}, func(text *words.Index) bool { return text.Some(whole) })
}

// globPattern compiles the pattern of a glob, changed by a normalizer, as a regular expression.
func (l *leaf) globPattern(x *cond.Glob, normal func(string) string) func([]byte) bool {
	var b strings.Builder
	globParts(x.Pattern, func(part string, isText bool) {
		switch {
		case isText:
			writeGlobText(&b, normal(part), x.Fold)
		case part == "*":
			b.WriteString(".*")
		case part == "?":
			b.WriteByte('.')
		default:
			writeGlobText(&b, part[1:], false)
		}
	})
	r, err := lucene.Compile(b.String(), false)
	if err != nil {
		if !l.folding {
			l.refuse(x, "the pattern "+x.Pattern+" of a filter: "+err.Error(), "")
		}
		return func([]byte) bool { return false }
	}
	return r.Match
}

// globParts calls visit for the parts of a pattern: a star, a question mark, a backslash with the
// character that it escapes, and what is between them, which is what Elasticsearch normalizes. A
// backslash at the end is text.
func globParts(pattern string, visit func(part string, isText bool)) {
	for pattern != "" {
		length := strings.IndexAny(pattern, `*?\`)
		isText := length != 0
		switch {
		case length < 0:
			length = len(pattern)
		case length > 0:
		case pattern[0] != '\\':
			length = 1
		case len(pattern) == 1:
			length, isText = 1, true
		default:
			_, n := utf8.DecodeRuneInString(pattern[1:])
			length = 1 + n
		}
		visit(pattern[:length], isText)
		pattern = pattern[length:]
	}
}

// writeGlobText writes a text as a regular expression; with fold, letters fit either case.
func writeGlobText(b *strings.Builder, text string, fold bool) {
	for _, r := range text {
		isLetter := 'a' <= r|0x20 && r|0x20 <= 'z'
		switch {
		case isLetter && fold:
			b.WriteString("[" + string(r|0x20) + string(r&^0x20) + "]")
		case isLetter, r >= utf8.RuneSelf, '0' <= r && r <= '9':
			b.WriteRune(r)
		default:
			b.WriteString(`\` + string(r))
		}
	}
}
