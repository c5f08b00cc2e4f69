package lint

import (
	"slices"
	"strings"

	"esrule/internal/event"
	"esrule/internal/finding"
	"esrule/internal/query/cond"
	"esrule/internal/query/match/words"
)

// onWords looks at a leaf of KQL over a field whose words are compared, or are in some index.
func (l *linter) onWords(x cond.Expr) {
	switch x := x.(type) {
	case *cond.Is:
		if x.Field.Wild || !slices.ContainsFunc(l.fields.mapped(x.Field.Path), isWords) {
			return
		}
		text := x.Value.Text
		switch {
		case !x.Quoted && len(words.Split(text)) > 1:
			l.doubt(x, finding.SplitWords, "Write it in quotes for the words in this order.",
				"%s is a text there, so any word of the value suffices", x.Field.Path)
		case x.Quoted && len(text) > 1 && strings.ContainsRune(".:'_", rune(text[0])) &&
			len(words.Split(text)) > 0:
			l.doubt(x, finding.JoinedWord, "Write the whole word, or a pattern: *.pst.",
				"%s is a text there, where %s is not found within a word such as x%s", x.Field.Path,
				l.print(x.Value), text)
		}
	case *cond.Wildcard:
		l.splitPattern(x)
	}
}

func isWords(m event.FieldMapping) bool { return m.Type == event.Text }

// splitPattern looks at a pattern that Kibana splits at its blanks: over a field that is a keyword
// and nothing else it does not.
func (l *linter) splitPattern(x *cond.Wildcard) {
	if x.Field.Wild || !slices.ContainsFunc(x.Pieces, func(piece string) bool {
		return strings.ContainsAny(piece, " \t\n")
	}) {
		return
	}
	mappings := l.fields.mapped(x.Field.Path)
	isKeyword := func(m event.FieldMapping) bool { return m.Name == "keyword" }
	switch {
	case slices.ContainsFunc(mappings, isWords):
		l.doubt(x, finding.SplitPattern, "Write a pattern for one word, or a phrase in quotes.",
			"%s is a text there: the pattern is split at its blanks, and one part suffices",
			x.Field.Path)
	case slices.ContainsFunc(mappings, func(m event.FieldMapping) bool { return !isKeyword(m) }):
		l.doubt(x, finding.SplitPattern, "",
			"%s is of type %s there: Kibana splits the pattern at its blanks, esrule does not",
			x.Field.Path, names(mappings))
	}
}

// pattern looks at a pattern over a field that holds no texts.
func (l *linter) pattern(x cond.Expr, f *cond.Field) {
	mappings := l.fields.mapped(f.Path)
	hasTexts := func(m event.FieldMapping) bool {
		switch m.Type {
		case event.Integer, event.Unsigned, event.Float, event.Boolean, event.Date,
			event.DateNanos, event.IP:
			return false
		case event.Unmapped, event.Keyword, event.Text, event.Version, event.Object, event.Other,
			event.Untyped:
		}
		return true
	}
	if !f.Wild && len(mappings) > 0 && !slices.ContainsFunc(mappings, hasTexts) {
		l.doubt(x, finding.ValueNeverFits, patternAdvice(mappings[0]),
			"no event satisfies this: %s is of type %s there, which takes no pattern", f.Path,
			names(mappings))
	}
}

func patternAdvice(m event.FieldMapping) string {
	switch m.Type {
	case event.IP:
		return "Write a block of addresses: 10.0.0.0/8."
	case event.Integer, event.Unsigned, event.Float, event.Date, event.DateNanos:
		return "Write a range: field >= 1 and field < 5."
	case event.Unmapped, event.Keyword, event.Text, event.Boolean, event.Version, event.Object,
		event.Other, event.Untyped:
	}
	return ""
}
