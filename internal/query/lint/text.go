package lint

import (
	"regexp"
	"slices"
	"strings"

	"esrule/internal/finding"
	"esrule/internal/query/cond"
)

// isRaw reports whether a constant is written """…""".
func (l *linter) isRaw(c *cond.Literal) bool {
	return strings.HasPrefix(l.text[min(c.Start, len(l.text)):], `"""`)
}

// backslashes looks for doubled backslashes in the value of a constant that is compared as it is:
// in a raw string, or doubled once too often. A share's name begins with two, wherever a text holds
// it.
func (l *linter) backslashes(c *cond.Literal) {
	doubled := false
	for _, run := range regexp.MustCompile(`\\+`).FindAllStringIndex(c.Text, -1) {
		if run[1]-run[0] != 2 {
			return
		}
		doubled = doubled || run[0] > 0 && !strings.ContainsRune(" \t*?=\"',;@",
			rune(c.Text[run[0]-1]))
	}
	if !doubled {
		return
	}
	advice := `Write \\ for one backslash.`
	if l.isRaw(c) {
		advice = `Write one backslash: a raw string """…""" knows no escapes.`
	}
	l.doubt(c, finding.DoubledBackslash, advice,
		"the value has two backslashes in a row wherever it has one")
}

// rawRegex looks for doubled backslashes in a regular expression written raw, where \\d is a
// backslash and a d. A path may have \\ for its backslash.
func (l *linter) rawRegex(c *cond.Literal) {
	twice := regexp.MustCompile(`\\\\([dwsDWS]([+*{?\])]|$)|\.[A-Za-z0-9]|[.*+?(){}|\[\]]($|\|))`)
	if l.isRaw(c) && twice.MatchString(c.Text) {
		l.doubt(c, finding.DoubledBackslash,
			`Write one backslash: a raw string """…""" knows no escapes.`,
			`\\ stands for a backslash in the value here, so what follows it is not escaped`)
	}
}

// percent looks for a wildcard of SQL.
func (l *linter) percent(p *cond.Literal) {
	if strings.Count(p.Text, "%") != 1 || strings.ContainsAny(p.Text, "*?") {
		return
	}
	if strings.HasPrefix(p.Text, "%") || strings.HasSuffix(p.Text, "%") {
		l.doubt(p, finding.PercentWildcard, "Write * for any text, ? for any character.",
			"%% is no wildcard, so this is compared as it is")
	}
}

// subFields are what people call the fields that index another field's values once more.
func subFields() []string {
	return []string{"keyword", "raw", "text", "caseless", "lower", "lowercase", "wildcard",
		"exact", "untouched", "analyzed", "not_analyzed", "string"}
}

// MultiFieldOf returns the field that a name such as process.name.keyword indexes once more.
func MultiFieldOf(path string) (parent string, ok bool) {
	dot := strings.LastIndexByte(path, '.')
	if dot <= 0 || !slices.Contains(subFields(), path[dot+1:]) {
		return "", false
	}
	return path[:dot], true
}

// isText reports whether a sub-field indexes its values for another search than that for whole
// values.
func isText(path string) bool {
	return strings.HasSuffix(path, ".text") || strings.HasSuffix(path, ".caseless")
}

// subtraction looks for names and dates that read as a subtraction: host-name, 2026-01-01.
func (l *linter) subtraction(x *cond.Binary) bool {
	if x.Op != cond.Subtract {
		return false
	}
	if meant, ok := cond.Hyphenated(l.text, x); ok {
		l.doubt(x, finding.ReadAsSubtraction, "A name with - goes into backquotes: `"+meant+
			"`. A subtraction is written "+
			"with blanks.", "%s is read as a subtraction", meant)
		return true
	}
	span := x.Range()
	written := l.text[span.Start:span.End]
	if regexp.MustCompile(`^\d{4}-\d{1,2}(-\d{1,2})?$`).MatchString(written) {
		l.doubt(x, finding.ReadAsSubtraction, `Write the date in quotes: "`+written+`".`,
			"%s is read as a subtraction",
			written)
		return true
	}
	return false
}
