package lint

import (
	"regexp"
	"slices"
	"strings"

	"esrule/internal/finding"
	"esrule/internal/query/cond"
)

// kuery looks at a leaf of KQL.
func (l *linter) kuery(x cond.Expr) {
	switch x := x.(type) {
	case *cond.Is:
		if x.Quoted {
			l.quotedStar(x)
		} else {
			l.unquoted(x, []string{x.Value.Text})
		}
		l.escapes(x)
		l.backslashes(x.Value)
		l.value(x.Value, x.Value.Text, x.Field, false)
	case *cond.Wildcard:
		l.unquoted(x, x.Pieces)
		l.escapes(x)
	}
}

// quotedStar looks for a pattern in quotes, where a star is a star. A star alone, and the name of a
// share on any host, are values of their own.
func (l *linter) quotedStar(x *cond.Is) {
	text := x.Value.Text
	if strings.Contains(text, "*") && text != "*" && !strings.HasPrefix(text, `\\*\`) {
		l.doubt(x.Value, finding.QuotedWildcard,
			"Write a pattern without quotes; a blank in it stays, other signs need a backslash.",
			"a * in quotes is a star, not a wildcard")
	}
}

// unquoted looks at what KQL reads as a part of an unquoted value, and other languages do not.
func (l *linter) unquoted(x cond.Expr, pieces []string) {
	text := strings.Join(pieces, "*")
	last := strings.ToLower(text[strings.LastIndexAny(text, " \n")+1:])
	switch {
	case strings.Contains(text, "\n") && strings.Contains(l.written(x), "\n"):
		l.doubt(x, finding.LineBreak, "Write `or` between values, or put the value on one line.",
			"the line break is a part of the value")
	case last != strings.ToLower(text) && slices.Contains([]string{"and", "or"}, last):
		l.doubt(x, finding.ForeignSyntax, "Write what comes after it, or take the word away.",
			"the word %s at the end is a part of the value", last)
	case len(text) > 1 && strings.HasPrefix(text, "'") && strings.HasSuffix(text, "'"):
		l.doubt(x, finding.ForeignSyntax, `KQL quotes with ".`,
			"the single quotes are a part of the value")
	case len(text) > 2 && strings.HasPrefix(text, "/") && strings.HasSuffix(text, "/") &&
		strings.ContainsAny(text, "*+[|?^$"):
		l.doubt(x, finding.ForeignSyntax, "Write a pattern with *.",
			"KQL has no regular expressions: this is a value that begins and ends with /")
	case regexp.MustCompile(`^\[.+ TO .+\]$`).MatchString(text):
		l.doubt(x, finding.ForeignSyntax, "Write field >= 1 and field <= 5.",
			"KQL has no ranges in brackets: this is a value")
	case len(pieces) > 1 && strings.Contains(text, "?") && !isURLQuery(text):
		l.doubt(x, finding.ForeignSyntax, "Write * for any characters.",
			"a ? is a question mark, not a wildcard")
	}
}

// isURLQuery excuses a question mark that begins a URL's query.
func isURLQuery(text string) bool {
	return regexp.MustCompile(`/.*\?[\w.]+(=|\*$)`).MatchString(text)
}

// escapes looks for escapes that make a control character, where the name of a folder was meant.
func (l *linter) escapes(x cond.Expr) {
	written := l.written(x)
	for i := 0; i+1 < len(written); i++ {
		if written[i] != '\\' {
			continue
		}
		i++
		name := map[byte]string{'t': "tab", 'r': "carriage return", 'n': "line feed"}[written[i]]
		if name != "" {
			l.doubt(x, finding.ControlCharacter, `Write \\ for a backslash.`,
				`\%c is a %s`, written[i], name)
			return
		}
	}
}

// glob looks at the wildcard clause of a filter, where a backslash makes the letter after it that
// letter. It has no place in the query.
func (l *linter) glob(x cond.Expr) bool {
	g, ok := x.(*cond.Glob)
	if !ok {
		return true
	}
	escapes := regexp.MustCompile(`\\.`).FindAllString(g.Pattern, -1)
	for _, escape := range escapes {
		if regexp.MustCompile(`[A-Za-z0-9]`).MatchString(escape) {
			l.doubt(x, finding.EscapedLetter, `Write \\ for a backslash.`,
				"in the filter over %s, %s is the letter alone, without a backslash", g.Field.Path,
				escape)
			return false
		}
	}
	return true
}

// written returns a node as the query has it.
func (l *linter) written(x cond.Expr) string {
	r := x.Range()
	if r.Start < 0 || r.End > len(l.text) {
		return ""
	}
	return l.text[r.Start:r.End]
}
