package pushdown

import (
	"errors"
	"strings"

	"esrule/internal/query/cond"
)

// like translates the operators with patterns.
func (t translator) like(x *cond.Like) (Query, error) {
	s, err := t.text(x.Subject)
	if err != nil {
		return nil, refuse(x, errors.Unwrap(err))
	}
	patterns := make([]string, len(x.Patterns))
	for i, l := range x.Patterns {
		if l.Kind != cond.String {
			return nil, refuse(x, errors.New("a pattern has to be a string"))
		}
		patterns[i] = l.Text
	}
	switch x.Op {
	case cond.Regex, cond.RegexFold:
		return s.regex(strings.Join(patterns, "|"), x.Op == cond.RegexFold), nil
	case cond.Colon, cond.LikeFold, cond.LikeExact:
	}
	queries := make([]Query, len(patterns))
	for i, p := range patterns {
		queries[i] = s.pattern(p, x.Op != cond.LikeExact)
	}
	return anyOf(queries), nil
}

func (s subject) pattern(p string, fold bool) Query {
	switch {
	case !strings.ContainsAny(p, "*?"):
		return term(s.exact, p, fold)
	case strings.Trim(p, "*") == "":
		return exists(s.path)
	}
	// In EQL a backslash is a letter like others; in Lucene it takes the next one literally.
	return wildcard(s.exact, strings.ReplaceAll(p, `\`, `\\`), fold)
}

func wildcard(field, pattern string, fold bool) Query {
	return Query{"wildcard": Query{field: options(Query{"wildcard": pattern}, fold)}}
}

func (s subject) regex(expression string, fold bool) Query {
	if expression == ".*" || expression == "@" {
		return exists(s.path)
	}
	if text, ok := onlyText(expression); ok {
		return term(s.exact, text, fold)
	}
	const everySyntax = 255
	return Query{"regexp": Query{s.exact: options(Query{"value": expression,
		"flags_value": everySyntax}, fold)}}
}

// onlyText gives the one text that a regular expression without metacharacters stands for.
func onlyText(expression string) (string, bool) {
	var text strings.Builder
	escaped := false
	for _, r := range expression {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		switch {
		case escaped && letter: // a class such as \d, or an error
			return "", false
		case escaped:
			escaped = false
			text.WriteRune(r)
		case r == '\\':
			escaped = true
		case strings.ContainsRune(`.?+*|{}[]()"#@&<>~`, r):
			return "", false
		default:
			text.WriteRune(r)
		}
	}
	return text.String(), !escaped
}
