package lint

import (
	"regexp"
	"strings"

	"esrule/internal/finding"
	"esrule/internal/query/cond"
)

// idiom is something that other regular expressions have and Lucene's have not: it is legal, and
// stands for something else.
type idiom struct {
	form            *regexp.Regexp
	message, advice string
}

// idioms are looked for in the expression without its escaped characters and its classes.
func idioms() []idiom {
	const plainGroup = "Write a plain group: (…)."
	return []idiom{
		{
			regexp.MustCompile(`\(\?[a-zA-Z-]*i[a-zA-Z-]*[):]`),
			"(?i) is no flag here: it stands for the text ?i",
			"Write regex~ to ignore letter case, and leave (?i) out.",
		},
		{
			regexp.MustCompile(`\(\?(<?[=!])`),
			"there is no look-around here: (?= and the like stand for text",
			"Write a second condition, with not where the text must be absent.",
		},
		{
			regexp.MustCompile(`\(\?(P?<|')`),
			"there are no named groups here: (?<name> stands for text", plainGroup,
		},
		{
			regexp.MustCompile(`\(\?`),
			"there are no groups of kinds here: (? stands for text", plainGroup,
		},
		{
			regexp.MustCompile(`(^|[(|])\^|\$([)|]|$)`),
			"^ and $ stand for themselves in a regular expression, so this fits hardly any value",
			"A regular expression is compared with the whole value here: leave ^ and $ out.",
		},
		{
			regexp.MustCompile(`[*+?}]\?`),
			"there are no lazy quantifiers here: the ? makes what is before it optional",
			"The whole value is compared, so lazy and greedy are the same: leave the ? out.",
		},
	}
}

// regexIdioms looks for idioms of other regular expressions; Lucene refuses some more, such as \b.
func (l *linter) regexIdioms(p *cond.Literal) {
	plain, classes := withoutClasses(p.Text)
	for _, class := range classes {
		if strings.Contains(class, "[:") {
			l.doubt(p, finding.RegexIdiom, "Write the characters: [A-Za-z] for [[:alpha:]], "+
				"[0-9] or \\d for [[:digit:]].",
				"there are no POSIX classes here: [:alpha:] stands for its letters")
			break
		}
	}
	for _, one := range idioms() {
		if one.form.MatchString(plain) {
			l.doubt(p, finding.RegexIdiom, one.advice, "%s", one.message)
			// So that no more general idiom finds it again.
			plain = one.form.ReplaceAllString(plain, "x")
		}
	}
}

// withoutClasses returns a regular expression with x in place of each escaped character, quoted
// text and class, and the classes.
func withoutClasses(text string) (plain string, classes []string) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			b.WriteByte('x')
			i++
		case '"':
			end := strings.IndexByte(text[i+1:], '"')
			if end < 0 {
				return b.String(), classes
			}
			b.WriteByte('x')
			i += end + 1
		case '[':
			end := classEnd(text, i)
			classes = append(classes, text[i:end])
			b.WriteByte('x')
			i = end - 1
		default:
			b.WriteByte(text[i])
		}
	}
	return b.String(), classes
}

// classEnd is the place after a class that begins at start. A ] ends it, but not as the first
// character.
func classEnd(text string, start int) int {
	i := start + 1
	for first := true; i < len(text) && (first || text[i] != ']'); first = false {
		if text[i] == '\\' {
			i++
		}
		i++
	}
	return min(i+1, len(text))
}
