package match

import (
	"slices"
	"strings"

	"esrule/internal/ascii"
	"esrule/internal/event"
	"esrule/internal/query/cond"
	"esrule/internal/query/match/lucene"
)

// like compiles the pattern operators: `:`, like, like~, regex, regex~.
func (c *compiler) like(x *cond.Like) predicate {
	l := c.leaf(x)
	fits, fold := l.patterns(x, asIs)
	computedFits := l.normalized(x, fits, fold)
	if field, ok := x.Subject.(*cond.Field); ok {
		// then a text in lower case is compared as one that is not
		isSimple := fold && !slices.ContainsFunc(x.Patterns, func(literal *cond.Literal) bool {
			return isBeyondASCII(literal.Text)
		})
		return anyValue(l.slot(field), func(e *Evaluation, v *event.Value) bool {
			if !v.IsPlainText() && (!isSimple || !v.IsLowercase()) {
				return computedFits(e, v)
			}
			if fold {
				return fits(e.Lower(v))
			}
			return fits(v.Text)
		})
	}
	value := l.subject(x.Subject)
	return l.any(func(e *Evaluation) bool {
		v := value(e)
		return v.Kind != event.KindNull && computedFits(e, &v)
	})
}

// normalized tests values of any kind: those of a field with a normalizer against patterns that it
// has changed.
func (l *leaf) normalized(x *cond.Like, fits func([]byte) bool, fold bool) func(*Evaluation,
	*event.Value) bool {
	var normal byNormalizer[func([]byte) bool]
	anew := &leaf{compiler: l.compiler, folding: true} // what is wrong in a pattern was said
	return func(e *Evaluation, v *event.Value) bool {
		test := fits
		if n := v.Normalizer(); n != nil {
			test = normal.get(n, func() func([]byte) bool {
				fits, _ := anew.patterns(x, n.Constant)
				return fits
			})
		}
		return test(computedText(e, v, fold))
	}
}

// fitting is a pattern operator with its three outcomes.
func (l *leaf) fitting(x *cond.Like) evaluator {
	fits, fold := l.patterns(x, asIs)
	value := l.value(x.Subject)
	return func(e *Evaluation) event.Value {
		v := value(e)
		if v.Kind == event.KindNull {
			return event.Value{}
		}
		return boolean(fits(computedText(e, &v, fold)))
	}
}

// computedText is the text of a value that is not a plain text, or was computed.
func computedText(e *Evaluation, v *event.Value, fold bool) []byte {
	b := textOf(e, v)
	if fold {
		b = foldASCII(e, b)
	}
	return b
}

// patterns compiles a list of patterns, changed by a normalizer, into one test of a text; with
// fold, of the text in lower case. null among them is dropped.
func (l *leaf) patterns(x *cond.Like,
	normal func(string) string) (fits func([]byte) bool, fold bool) {
	switch x.Op {
	case cond.Regex, cond.RegexFold:
		return l.expressions(x, normal), false
	case cond.LikeExact:
	case cond.Colon, cond.LikeFold:
		fold = true
	}
	exact := map[string]bool{}
	var patterns []Pattern
	for _, literal := range x.Patterns {
		if literal.Kind == cond.Null {
			continue
		}
		if hasWildcards(literal.Text) {
			l.notePattern(literal.Text)
			patterns = append(patterns,
				*NewPattern(normalizedPattern(literal.Text, normal), fold))
			continue
		}
		l.note(literal.Text)
		text := normal(literal.Text)
		if fold {
			text = string(ascii.AppendLower(nil, []byte(text)))
		}
		exact[text] = true
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

// expressions compiles regular expressions. Letter case is part of each of them, since ranges keep
// theirs.
//
// Elasticsearch normalizes an expression like any other constant, so that lower case makes `\w` of
// `\W`. What is no expression any more fits nothing.
func (l *leaf) expressions(x *cond.Like, normal func(string) string) func([]byte) bool {
	var expressions []*lucene.Regexp
	for _, literal := range x.Patterns {
		if literal.Kind == cond.Null {
			continue
		}
		l.note(literal.Text)
		r, err := lucene.Compile(normal(literal.Text), x.Op == cond.RegexFold)
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

const regexAdvice = "The syntax is Lucene's: the whole value has to fit; there are no anchors, " +
	"word boundaries (\\b), lookarounds or back references, " +
	`and in "…" every backslash is written twice.`

// hasWildcards tells whether a pattern holds a `*` or a `?`; one that does not is compared for
// equality.
func hasWildcards(pattern string) bool { return strings.ContainsAny(pattern, "*?") }
