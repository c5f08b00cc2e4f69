package dsl

import (
	"slices"
	"unicode"
	"unicode/utf8"
)

// mergeTerms joins the exact terms of one field into one clause, in place of the first: it is one
// of the clauses that Elasticsearch counts, whatever the number of terms.
func mergeTerms(clauses []Clause) []Clause {
	var merged []Clause
	place := map[string]int{} // by field, one more than in merged
	for _, c := range flat(clauses) {
		terms, exact := c.terms()
		at := place[c.field]
		switch {
		case !exact:
			merged = append(merged, c)
		case at == 0:
			merged = append(merged, c)
			place[c.field] = len(merged)
		default:
			before, _ := merged[at-1].terms()
			merged[at-1] = termsOf(c.field, before, terms)
		}
	}
	return merged
}

// flat replaces each `or` by its operands.
func flat(clauses []Clause) (list []Clause) {
	for _, c := range clauses {
		if c.kind == KindOr {
			list = append(list, c.operands...)
		} else {
			list = append(list, c)
		}
	}
	return list
}

// terms returns the texts that a clause looks up as they are.
func (c Clause) terms() (list []string, exact bool) {
	if c.kind == KindTerms {
		return c.values, true
	}
	text, ok := c.value.(string)
	return []string{text}, ok && c.kind == KindTerm && !c.fold
}

func termsOf(field string, before, more []string) Clause {
	list := slices.Clone(before)
	for _, text := range more {
		if !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	if len(list) == 1 {
		return Term(field, list[0], false)
	}
	return Terms(field, list)
}

// mostWords is how many words a text has at most: runs of ASCII letters and digits, which are cut
// after 255, and each character beyond ASCII.
func mostWords(text string) int {
	const longest = 255
	words, run := 0, 0
	for _, r := range text {
		isWord := r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r)
		switch {
		case r >= utf8.RuneSelf:
			words, run = words+1, 0
		case !isWord:
			run = 0
		case run%longest == 0:
			words, run = words+1, run+1
		default:
			run++
		}
	}
	return max(words, 1)
}
