package prefilter

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"esrule/internal/elastic/dsl"
	"esrule/internal/event"
	"esrule/internal/query/cond"
)

// Text fields, of which KQL compares words. An index looks words up as exactly as whole values, and
// leaves none out.

// matchOnlyText is a type whose index knows no order of words: the server compares a phrase with
// `_source`, where a number is written in its own way (1e-9 as 1.0E-9).
const matchOnlyText = "match_only_text"

// words builds a leaf over a text field.
func (b *builder) words(x cond.Expr, f event.FieldMapping) dsl.Clause {
	switch {
	case f.Words == nil:
		return b.omit(x, "a text of which the words are not known")
	case f.Words.Field == "":
		return b.omit(x, "the field is not indexed")
	case f.Nested != "":
		return b.omit(x, unreachable(f))
	}
	switch x := x.(type) {
	case *cond.Exists:
		return dsl.Exists(f.Words.Field)
	case *cond.Is:
		return b.text(x, f.Words, x.Value.Text, x.Quoted && f.Name != matchOnlyText)
	case *cond.Wildcard:
		return b.wordPatterns(x, f.Words)
	}
	return b.omit(x, "a comparison by order of words: the cluster would walk over them")
}

// text accepts what has one of a text's words, or all of them as a phrase. Words of other analyzers
// than the standard one are judged by the index itself, by the same clause (see [Asked]).
func (b *builder) text(x cond.Expr, w *event.Words, text string, phrase bool) dsl.Clause {
	switch {
	case len(text) > longest:
		return b.omit(x, tooLong)
	case w.Standard && strings.IndexFunc(text, isDoubtful) >= 0:
		return b.omit(x, "characters of which servers make words differently")
	case phrase && !w.NoPhrases:
		return dsl.Phrase(w.Field, text)
	case phrase && !w.Standard:
		return b.omit(x, "a phrase, and the index does not know the order of words")
	}
	return dsl.Words(w.Field, text)
}

// isDoubtful reports whether versions of Unicode, and so servers, may differ on how a character
// belongs to words. Letters and digits of the languages in use do not.
func isDoubtful(r rune) bool {
	return r >= utf8.RuneSelf && !unicode.IsLetter(r) && !unicode.IsDigit(r) || r > 0xffff
}

// wordPatterns handles a pattern over a text. It is read in parts between blanks, of which one
// suffices: one with a star is for a single word, one without is words.
func (b *builder) wordPatterns(x *cond.Wildcard, w *event.Words) dsl.Clause {
	if !w.Standard {
		return b.omit(x, "a pattern of words of the analyzer "+w.Analyzer+
			": the cluster would walk over them; it is asked about each event that is read")
	}
	var clauses []dsl.Clause
	for _, part := range parts(x.Pieces) {
		start := string(event.Lowercase(nil, []byte(part[0])))
		var clause dsl.Clause
		switch {
		case len(part) == 1:
			clause = b.text(x, w, part[0], false)
		case strings.Join(part, "") == "":
			clause = dsl.Exists(w.Field)
		case len(start) > longest:
			clause = b.omit(x, tooLong)
		case alphanumerics(start) < shortest:
			clause = b.omit(x, early)
		default:
			clause = dsl.Prefix(w.Field, start, false)
		}
		if clause.IsEverything() {
			return clause
		}
		clauses = append(clauses, clause)
	}
	return dsl.Or(clauses...)
}

// parts splits a pattern, given as the pieces between its stars, at its blanks. A part of one piece
// has no star.
func parts(pieces []string) (list [][]string) {
	part := []string{""}
	end := func() {
		if len(part) > 1 || part[0] != "" {
			list = append(list, part)
		}
		part = []string{""}
	}
	for i, piece := range pieces {
		if i > 0 {
			part = append(part, "")
		}
		for _, r := range piece {
			if strings.ContainsRune(" \t\n\r\u3000", r) {
				end()
			} else {
				part[len(part)-1] += string(r)
			}
		}
	}
	end()
	return list
}
