package rule

import (
	"fmt"
	"strings"
	"unicode"
)

// maxPattern is Elasticsearch's limit for an index name, in bytes.
const maxPattern = 255

// CheckPattern says why a pattern that does not come from a rule file cannot be searched; it is empty where it
// can. The command line's patterns are held to what rules are held to.
func CheckPattern(pattern string) string {
	if fault, advice := patternFault(pattern); fault != "" {
		return fault + ". " + advice
	}
	return patternUnsupported(pattern)
}

// patternFault says what is wrong with an index pattern and what to write instead; both are empty for a
// good one. The rules are those of Elasticsearch's index names, with `*` as the only wildcard: whatever
// else an index expression can say (exclusions, date math, lists) would not stay one pattern.
func patternFault(pattern string) (fault, advice string) {
	const noName = "No index can have such a name; a pattern is an index name in lower case, with * for any characters."
	switch {
	case pattern == "":
		return "is empty", "Remove it, or write a pattern such as \"winlogbeat-*\"."
	case strings.HasPrefix(pattern, "<"):
		return "is date math", "Write * in place of the date, for example \"logs-*\"; the time window keeps the search small."
	case pattern == "_all":
		return "stands for every index", "Name the patterns that hold the rule's events, or write \"*\"."
	case strings.HasPrefix(pattern, "-"):
		return "excludes indices", "Exclusions are not supported: write only the patterns that are to be searched."
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

// patternUnsupported says why a pattern that Elasticsearch knows is not searched, empty where it is.
func patternUnsupported(pattern string) string {
	switch {
	case strings.Contains(pattern, "::"):
		return fmt.Sprintf("index pattern %q selects a part of a data stream, which is not supported", pattern)
	case strings.Contains(pattern, ":"):
		return fmt.Sprintf("index pattern %q names a remote cluster, and only the cluster that esrule talks to is searched; "+
			"run esrule against that cluster", pattern)
	}
	return ""
}
