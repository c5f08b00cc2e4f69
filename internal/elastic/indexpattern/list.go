package indexpattern

import (
	"regexp"
	"slices"
	"strings"
)

// A list of index patterns is an expression of Elasticsearch's: a name or a pattern adds indices,
// and "-" before one takes out those that the patterns with * before it stand for.

// Excludes reports whether a pattern takes indices out of those before it: "-logs-1", "-remote:*",
// "remote:-logs-1".
func Excludes(pattern string) bool {
	_, index, remote := strings.Cut(pattern, ":")
	return strings.HasPrefix(pattern, "-") || remote && strings.HasPrefix(index, "-")
}

// Keep returns the patterns that keep accepts, with the exclusions that still have a pattern
// before them that they take out of: Elasticsearch takes others for names of indices.
func Keep(patterns []string, keep func(pattern string) bool) []string {
	var kept []string
	wild, remote := false, false
	for _, p := range patterns {
		switch {
		case !Excludes(p):
			if !keep(p) {
				continue
			}
			wild = wild || !IsRemote(p) && strings.Contains(p, "*")
			remote = remote || IsRemote(p)
		case IsRemote(p) && !remote, localExclusion(p) && !wild:
			continue
		}
		kept = append(kept, p)
	}
	return kept
}

// Union returns what stands for all that some lists stand for: a list itself where same, since all
// are alike, else the patterns of all, each once. It is not for different lists with exclusions.
func Union(lists [][]string) (all []string, same bool) {
	same = true
	for _, list := range lists {
		same = same && slices.Equal(list, lists[0])
		all = append(all, list...)
	}
	if same && len(lists) > 0 {
		return lists[0], true
	}
	slices.Sort(all)
	return slices.Compact(all), same
}

// Alone returns one pattern of a list with the exclusions that follow it.
func Alone(patterns []string, pattern string) []string {
	at := slices.Index(patterns, pattern)
	if at < 0 {
		return []string{pattern}
	}
	return Keep(patterns[at:], func(p string) bool { return p == pattern })
}

// Match reports whether a list of patterns stands for an index by its name.
func Match(patterns []string, index string) bool {
	stands := false
	for _, p := range patterns {
		excluded := localExclusion(p)
		if expression(strings.TrimPrefix(p, "-")).MatchString(index) {
			stands = !excluded
		}
	}
	return stands
}

// expression compiles a pattern of names.
func expression(pattern string) *regexp.Regexp {
	return regexp.MustCompile(`\A` + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, `.*`) +
		`\z`)
}

// Compile returns whether a pattern stands for an index by its name.
func Compile(pattern string) func(index string) bool { return expression(pattern).MatchString }

// Without returns the names that an exclusion, written without its "-", leaves of a list.
func Without(names []string, excluded string) []string {
	return slices.DeleteFunc(names, expression(excluded).MatchString)
}

// localExclusion reports whether a pattern takes out indices of the cluster that is searched.
func localExclusion(pattern string) bool {
	return Excludes(pattern) && !strings.Contains(pattern, ":")
}

// Adding returns the patterns of a list that stand for indices, without the exclusions.
func Adding(patterns []string) []string {
	return slices.DeleteFunc(slices.Clone(patterns), Excludes)
}

// CheckList says why a list of patterns, each of which is good, stands for nothing or for something
// else than it says; it is empty where it is good.
func CheckList(patterns []string) string {
	wild := false
	for _, p := range patterns {
		if localExclusion(p) && !wild {
			return "the exclusion \"" + p + "\" has no pattern with * before it, so there is " +
				"nothing that it could take out. " +
				"Write it after the pattern that it is about: [\"logs-*\", \"" + p + "\"]"
		}
		wild = wild || !Excludes(p) && !strings.Contains(p, ":") && strings.Contains(p, "*")
	}
	return ""
}

// TakesNothingOut says of an exclusion that names an alias or a data stream, written without its
// "-", what it does and what to write.
func TakesNothingOut(name string) string {
	return "the exclusion \"-" + name + "\" takes nothing out: " + name +
		" is an alias or a data stream, and " +
		"Elasticsearch excludes those only by a pattern with *. What is behind it is searched. " +
		"Exclude its indices by their names, or write \"-" + name + "*\""
}
