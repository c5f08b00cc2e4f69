package match

import (
	"strings"

	"esrule/internal/query/eql"
	"esrule/internal/query/event"
	"esrule/internal/query/match/lucene"
)

// like compiles the pattern operators: `:`, like, like~, regex, regex~.
func (c *compiler) like(x *eql.Like) predicate {
	l := c.leaf(x)
	fits, fold := l.patterns(x)
	if field, ok := x.Subject.(*eql.Field); ok {
		return anyValue(l.slot(field), func(e *event.Event, v *event.Value) bool {
			if !v.IsPlainText() {
				return fits(computedText(e, v, fold))
			}
			if fold {
				return fits(e.Lower(v))
			}
			return fits(v.Text)
		})
	}
	value := l.value(x.Subject)
	return l.any(func(e *event.Event) bool {
		v := value(e)
		return v.Kind != event.KindNull && fits(computedText(e, &v, fold))
	})
}

// fitting is a pattern operator with its three outcomes.
func (l *leaf) fitting(x *eql.Like) evaluator {
	fits, fold := l.patterns(x)
	value := l.value(x.Subject)
	return func(e *event.Event) event.Value {
		v := value(e)
		if v.Kind == event.KindNull {
			return event.Value{}
		}
		return boolean(fits(computedText(e, &v, fold)))
	}
}

// computedText is the text of a value that is not a plain text, or was computed.
func computedText(e *event.Event, v *event.Value, fold bool) []byte {
	b := textOf(e, v)
	if fold {
		b = foldASCII(e, b)
	}
	return b
}

// patterns compiles a list of patterns into one test of a text; with fold, of the text in lower case. null
// among them is dropped.
func (l *leaf) patterns(x *eql.Like) (fits func([]byte) bool, fold bool) {
	switch x.Op {
	case eql.Regex, eql.RegexFold:
		return l.expressions(x), false
	case eql.LikeExact:
	case eql.Colon, eql.LikeFold:
		fold = true
	}
	exact := map[string]bool{}
	var patterns []Pattern
	for _, literal := range x.Patterns {
		switch {
		case literal.Kind == eql.Null:
		case Wildcards(literal.Text):
			patterns = append(patterns, NewPattern(literal.Text, fold))
		case fold:
			exact[string(lowerASCII([]byte(literal.Text)))] = true
		default:
			exact[literal.Text] = true
		}
	}
	if len(exact) == 0 {
		return func(text []byte) bool { return anyFits(patterns, text) }, fold
	}
	return func(text []byte) bool { return exact[string(text)] || anyFits(patterns, text) }, fold
}

func anyFits(patterns []Pattern, text []byte) bool {
	for i := range patterns {
		if patterns[i].Match(text) {
			return true
		}
	}
	return false
}

// expressions compiles regular expressions. Letter case is part of each of them, since ranges keep theirs.
func (l *leaf) expressions(x *eql.Like) func([]byte) bool {
	var expressions []*lucene.Regexp
	for _, literal := range x.Patterns {
		if literal.Kind == eql.Null {
			continue
		}
		r, err := lucene.Compile(literal.Text, x.Op == eql.RegexFold)
		if err != nil {
			if !l.folding {
				l.refuse(literal, err.Error(), regexAdvice)
			}
			continue
		}
		expressions = append(expressions, r)
	}
	return func(text []byte) bool {
		for _, r := range expressions {
			if r.Match(text) {
				return true
			}
		}
		return false
	}
}

const regexAdvice = "The syntax is Lucene's: the whole value has to fit; there are no anchors, word boundaries (\\b), lookarounds or back references, " +
	`and in "…" every backslash is written twice.`

// Wildcards tells whether a pattern holds a `*` or a `?`; one that does not is compared for equality.
func Wildcards(pattern string) bool { return strings.ContainsAny(pattern, "*?") }
