package match

import (
	"strings"
	"sync/atomic"

	"esrule/internal/event"
)

// byNormalizer keeps what was made of a rule's constants for the normalizer that was met last. Most
// rules meet one.
type byNormalizer[T any] struct{ kept atomic.Pointer[madeFor[T]] }

type madeFor[T any] struct {
	normalizer *event.Normalizer
	made       T
}

func (b *byNormalizer[T]) get(n *event.Normalizer, build func() T) T {
	kept := b.kept.Load()
	if kept == nil || kept.normalizer != n {
		kept = &madeFor[T]{n, build()}
		b.kept.Store(kept)
	}
	return kept.made
}

// asIs is no normalizer.
func asIs(text string) string { return text }

// pieces calls visit for the parts of a pattern. Elasticsearch normalizes what is between wildcards
// and escaped characters piece by piece, and in its pattern each backslash of EQL's is escaped.
func pieces(pattern string, visit func(piece string, literal bool)) {
	for len(pattern) > 0 {
		end := strings.IndexAny(pattern, `*?\`)
		switch end {
		case -1:
			visit(pattern, true)
			return
		case 0:
			visit(pattern[:1], false)
			pattern = pattern[1:]
		default:
			visit(pattern[:end], true)
			pattern = pattern[end:]
		}
	}
}

func normalizedPattern(pattern string, normal func(string) string) string {
	var b strings.Builder
	pieces(pattern, func(piece string, literal bool) {
		if literal {
			piece = normal(piece)
		}
		b.WriteString(piece)
	})
	return b.String()
}

// Texts are the constants of the condition that are compared with texts, sorted: those that a
// normalizer may change. See [event.Normalizer].
func (m *Matcher) Texts() []string { return m.texts }

// note keeps a text for [Matcher.Texts].
func (c *compiler) note(text string) { c.texts[text] = true }

// note is that of the compiler. A leaf that is compiled once more has nothing new.
func (l *leaf) note(text string) {
	if !l.folding {
		l.compiler.note(text)
	}
}

// notePattern keeps the texts of a pattern.
func (l *leaf) notePattern(pattern string) {
	pieces(pattern, func(piece string, literal bool) {
		if literal {
			l.note(piece)
		}
	})
}
