package dsl

import (
	"unicode"
	"unicode/utf8"
)

// mergeTerms joins the exact terms of one field into one clause, in place of the first: it is one
// of the clauses that Elasticsearch counts, whatever the number of terms.
func mergeTerms(clauses []Clause) []Clause {
	var merged []Clause
	place := map[string]int{}      // by field, in merged
	terms := map[string][]string{} // by field, in their order
	known := map[[2]string]bool{}  // field and term
	for _, c := range flat(clauses) {
		more, exact := c.terms()
		if !exact {
			merged = append(merged, c)
			continue
		}
		if _, found := place[c.field]; !found {
			place[c.field] = len(merged)
			merged = append(merged, c)
		}
		for _, text := range more {
			if one := [2]string{c.field, text}; !known[one] {
				known[one] = true
				terms[c.field] = append(terms[c.field], text)
			}
		}
	}
	for field, at := range place {
		if len(terms[field]) > 0 {
			merged[at] = termsOf(field, terms[field])
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

func termsOf(field string, list []string) Clause {
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
