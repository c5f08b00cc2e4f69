package indexpattern

import (
	"fmt"
	"strings"
	"unicode"
)

// maxPattern is Elasticsearch's limit for an index name, in bytes.
const maxPattern = 255

// Check says why a pattern that does not come from a rule file cannot be searched; it is empty
// where it can. The command line's patterns are held to what rules are held to.
func Check(pattern string) string {
	if fault, advice := Fault(pattern); fault != "" {
		return fault + ". " + advice
	}
	return ""
}

// Fault says what is wrong with an index pattern and what to write instead; both are empty for a
// good one. The rules are those of Elasticsearch's index names, with `*` as the only wildcard, "-"
// before what is left out, and "cluster:" before what another cluster holds: whatever else an index
// expression can say (date math, lists) would not stay one pattern.
func Fault(pattern string) (fault, advice string) {
	const noName = "No index can have such a name; a pattern is an index name in lower case, " +
		"with * for any characters."
	if excluded, ok := strings.CutPrefix(pattern, "-"); ok {
		if strings.HasPrefix(excluded, "-") {
			return `begins with "--"`, "Write one - before what is to be left out."
		}
		if fault, advice = Fault(excluded); fault != "" {
			fault = "excludes a pattern that " + fault
		}
		return fault, advice
	}
	if index, _, ok := strings.Cut(pattern, "::"); ok {
		return Fault(index)
	}
	if cluster, index, ok := strings.Cut(pattern, ":"); ok && cluster != "" {
		return Fault(strings.TrimPrefix(index, "-"))
	}
	switch {
	case pattern == "":
		return "is empty", "Remove it, or write a pattern such as \"winlogbeat-*\"."
	case strings.HasPrefix(pattern, "<"):
		return "is date math", "Write * in place of the date, for example \"logs-*\"; the time " +
			"window keeps the search small."
	case pattern == "_all":
		return "stands for every index", "Name the patterns that hold the rule's events, or " +
			"write \"*\"."
	case strings.HasPrefix(pattern, "_"), strings.HasPrefix(pattern, "+"):
		return fmt.Sprintf("begins with %q", pattern[:1]), noName
	case strings.Contains(pattern, ","):
		return "holds a comma", "Write one pattern an entry: [\"a-*\", \"b-*\"]."
	case pattern == ".", pattern == "..":
		return "is no name", noName
	case len(pattern) > maxPattern:
		return fmt.Sprintf("is longer than %d bytes", maxPattern), noName
	}
	for _, r := range pattern {
		switch {
		case unicode.IsSpace(r):
			return "holds a space", noName
		case unicode.IsUpper(r):
			return fmt.Sprintf("holds the capital letter %q", r), noName
		case strings.ContainsRune(`\/?"<>|#`, r), !unicode.IsPrint(r):
			return fmt.Sprintf("holds the character %q", r), noName
		}
	}
	return "", ""
}

// NotSearched says why a pattern is not searched although Elasticsearch knows it; it is empty for
// one that is. What such a pattern stands for stays open under the pattern's name.
func NotSearched(pattern string) string {
	if strings.Contains(pattern, "::") {
		return "it selects a part of a data stream, which esrule does not search: " +
			"write the pattern without the part that begins with ::, or take it out of the rule"
	}
	return ""
}
