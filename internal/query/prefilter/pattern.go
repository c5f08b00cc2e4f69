package prefilter

import (
	"strings"

	"esrule/internal/elastic/dsl"
	"esrule/internal/event"
	"esrule/internal/query/cond"
)

// like handles the pattern operators. Patterns without wildcards are terms; those that begin with
// enough constant text become a prefix, which the index answers by going straight to the terms that
// begin so.
func (b *builder) like(x *cond.Like) dsl.Clause {
	fold := true
	switch x.Op {
	case cond.Colon, cond.LikeFold:
	case cond.LikeExact:
		fold = false
	case cond.Regex, cond.RegexFold:
		return b.omit(x, "a regular expression")
	}
	f, reason := b.field(x.Subject)
	if reason != "" {
		return b.omit(x, reason)
	}
	if f.Type == event.Unmapped {
		return dsl.Nothing()
	}
	var clauses []dsl.Clause
	for _, l := range x.Patterns {
		text, ok := constantText(l)
		if !ok {
			return b.omit(x, "a constant that an index may write otherwise")
		}
		if len(text) > longest {
			return b.omit(x, tooLong)
		}
		clause := pattern(f, text, fold)
		if clause.IsEverything() {
			return b.omit(x, early)
		}
		clauses = append(clauses, clause)
	}
	return dsl.Or(clauses...)
}

const early = "a wildcard too near the start of a pattern: the cluster would walk over every value"

// shortest is how many letters and digits a pattern must begin with to be worth a prefix query.
// "C:\" has one: nearly every Windows path begins so.
const shortest = 3

func pattern(f event.FieldMapping, text string, fold bool) dsl.Clause {
	wildcard := strings.IndexAny(text, "*?")
	if wildcard < 0 {
		return equal(f, text, fold)
	}
	if strings.Trim(text, "*") == "" {
		return dsl.Or(dsl.Exists(f.Exact), dsl.Ignored(f.Exact))
	}
	start := text[:wildcard]
	if backslash := strings.IndexByte(start, '\\'); f.Normalizer != nil && backslash >= 0 {
		start = start[:backslash] // a pattern is normalized in pieces, which end there; see match
	}
	if alphanumerics(start) < shortest {
		return dsl.Everything()
	}
	if !findable(f, start, fold) {
		return dsl.Or(dsl.Exists(f.Exact), dsl.Ignored(f.Exact))
	}
	return dsl.Or(dsl.Prefix(f.Exact, start, fold), dsl.Ignored(f.Exact))
}

func alphanumerics(text string) int {
	n := 0
	for _, r := range text {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' {
			n++
		}
	}
	return n
}
