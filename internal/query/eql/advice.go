package eql

import (
	"fmt"
	"strings"

	"esrule/internal/query/cond"
)

// wordAdvice says what to write instead of a word that is an operator in another language (KQL,
// Lucene, SQL, SPL, Sigma) and a plain name in EQL; "" where it is none of these. subject and value
// are the operands as they are written, or names for them; after is the word that follows.
func wordAdvice(word, subject, value, after string) string {
	switch strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(word)) {
	case "contains", "icontains", "contain", "includes", "has", "containsall", "containsany":
		return fmt.Sprintf("Write stringContains(%s, %s), or stringContains~ to ignore letter "+
			"case.", subject, value)
	case "startswith", "istartswith", "beginswith", "hasprefix", "prefix":
		return fmt.Sprintf("Write startsWith(%s, %s), or startsWith~ to ignore letter case.",
			subject, value)
	case "endswith", "iendswith", "hassuffix", "suffix":
		return fmt.Sprintf("Write endsWith(%s, %s), or endsWith~ to ignore letter case.",
			subject, value)
	case "matches", "match", "rlike", "regexp", "re", "similar":
		return fmt.Sprintf("Write %s regex %s, or regex~ to ignore letter case.", subject, value)
	case "ilike", "wildcard", "glob":
		return fmt.Sprintf("Write %s : %s, which ignores letter case; * and ? are its wildcards.",
			subject, value)
	case "cidr", "insubnet", "ipinrange":
		return fmt.Sprintf("Write cidrMatch(%s, %s).", subject, value)
	case "is":
		return isAdvice(subject, value, after)
	case "isnull", "missing", "isempty", "notexists":
		return fmt.Sprintf("Write %s == null.", subject)
	case "isnotnull", "notnull", "exists", "exist", "isnotempty":
		return fmt.Sprintf("Write %s != null.", subject)
	case "eq", "equals", "equal":
		return fmt.Sprintf("Write %s == %s.", subject, value)
	case "ieq":
		return fmt.Sprintf("Write %s : %s.", subject, value)
	case "ne", "neq", "isnot":
		return fmt.Sprintf("Write %s != %s.", subject, value)
	case "gt":
		return fmt.Sprintf("Write %s > %s.", subject, value)
	case "gte", "ge":
		return fmt.Sprintf("Write %s >= %s.", subject, value)
	case "lt":
		return fmt.Sprintf("Write %s < %s.", subject, value)
	case "lte", "le":
		return fmt.Sprintf("Write %s <= %s.", subject, value)
	case "between":
		return fmt.Sprintf("Write %s >= low and %s <= high.", subject, subject)
	case "nin", "notin":
		return fmt.Sprintf("Write %s not in (…).", subject)
	case "xor":
		return "Write (a or b) and not (a and b)."
	case "then", "by", "groupby", "orderby", "having", "when":
		return "A query is one condition on single events; take it away."
	}
	return ""
}

func isAdvice(subject, value, after string) string {
	switch strings.ToLower(after) {
	case "null", "nil", "none", "missing", "empty":
		return fmt.Sprintf("Write %s == null.", subject)
	case "not":
		return fmt.Sprintf("Write %s != null, or != with another value.", subject)
	}
	return fmt.Sprintf("Write %s == %s.", subject, value)
}

const listAdvice = `A list is written in parentheses, with commas: ("a", "b").`

// afterOperand says what is wrong with the token that follows an operand where and, or, a bracket
// or the end has to.
func (p *parser) afterOperand(e cond.Expr) string {
	found := p.tok
	subject := p.subject(e)
	switch {
	case found.kind == tokDecimal && found.span.Start == p.last && found.text[0] == '.':
		end := found.span.Start + 1
		for end < len(p.text) && isIdentifierPart(p.text[end]) {
			end++
		}
		return "A part of a field's name that is not a plain name goes into backquotes: ." +
			name(p.text[found.span.Start+1:end]) + "."
	case found.kind == tokNot, found.kind == tokIdentifier && strings.EqualFold(found.text, "not"):
		return p.afterNot(e, subject)
	case p.staged && (found.kind == tokBy || found.kind == tokWith):
		return "Close the stage before it: [category where condition] by field."
	case found.kind == tokBy, found.kind == tokUntil, found.kind == tokWith:
		return "It belongs to sequence queries, which are not supported; take it away."
	case found.kind == tokOptional:
		return "EQL has no choice by ?; write (a and b) or (not a and c)."
	case found.kind == tokIdentifier:
		if advice := wordAdvice(found.text, subject, p.aheadValue(), p.ahead.text); advice != "" {
			return advice
		}
		if f, ok := e.(*cond.Field); ok && isExistence(f.Path) {
			return fmt.Sprintf("Write %s != null.", found.text)
		}
	}
	if found.span.Start == p.last && strings.HasSuffix(p.text[:p.last], `"`) {
		return `A quote inside a text is written \".`
	}
	if found.kind == tokString && !isValue(e) && p.last > 0 && p.text[p.last-1] == '"' {
		return listAdvice
	}
	switch found.kind {
	case tokString, tokInteger, tokDecimal, tokOpenParen, tokIdentifier, tokQuoted, tokTilde:
		if isValue(e) {
			return fmt.Sprintf("An operator is missing before it, such as %s == value.", subject)
		}
		return "The word `and` or `or` is missing before it."
	}
	return "Take it away, or join conditions with and, or."
}

// afterNot is about a not that follows an operand.
func (p *parser) afterNot(e cond.Expr, subject string) string {
	if !isValue(e) {
		return "The word `and` or `or` is missing before it."
	}
	switch p.ahead.kind {
	case tokEqual:
		return fmt.Sprintf("Write %s != value.", subject)
	case tokNull:
		return fmt.Sprintf("Write %s != null.", subject)
	case tokString, tokInteger, tokDecimal:
		return fmt.Sprintf("Write %s != %s.", subject, p.aheadValue())
	case tokIdentifier:
		if advice := wordAdvice(p.ahead.text, subject, `"value"`, ""); advice != "" {
			return advice + " Put not before it."
		}
	}
	return fmt.Sprintf("Write not before the field: not %s …", subject)
}

// isValue reports whether an operand is what an operator compares, and not a comparison itself.
func isValue(e cond.Expr) bool {
	switch e.(type) {
	case *cond.Field, *cond.Call, *cond.Literal, *cond.Binary, *cond.Negate:
		return true
	}
	return false
}

// subject is an operand as it is written, "field" where it is long.
func (p *parser) subject(e cond.Expr) string {
	span := e.Range()
	text := p.text[span.Start:span.End]
	if !isValue(e) || text == "" || len(text) > 60 || strings.ContainsAny(text, "\r\n") {
		return "field"
	}
	return text
}

// aheadValue is the value after the current token as EQL writes it.
func (p *parser) aheadValue() string {
	switch p.ahead.kind {
	case tokString:
		return clip(quote(p.ahead.text))
	case tokInteger, tokDecimal:
		return clip(p.ahead.text)
	case tokIdentifier:
		return quote(p.rawWord(p.ahead.span.Start))
	}
	return `"value"`
}

// wordEnds are what a value whose quotes are missing ends at.
const wordEnds = " \t\r\n,()[]{}\""

// rawWord is the text from a place up to white space, a comma or a bracket: a value whose quotes
// are missing.
func (p *parser) rawWord(at int) string {
	end := len(p.text)
	if i := strings.IndexAny(p.text[at:], wordEnds); i >= 0 {
		end = at + i
	}
	return clip(p.text[at:end])
}

// wordAround is the same with what is directly before the place.
func (p *parser) wordAround(at int) string {
	return p.rawWord(p.wordStart(at))
}

// wordStart is where the word begins that ends at a place.
func (p *parser) wordStart(at int) int { return strings.LastIndexAny(p.text[:at], wordEnds) + 1 }

// unquoted says what to write where a word is in place of a constant: most often a text whose
// quotes are missing.
func unquoted(word, op string) string {
	switch strings.ToLower(word) {
	case "true", "false", "null":
		return fmt.Sprintf("Keywords are lower-case: write %s.", strings.ToLower(word))
	case "nil", "none", "undefined", "missing", "na":
		return "Write null for a field without a value, or the text in quotes."
	case "now":
		return `Date math is written in quotes: "now", "now-1h".`
	}
	if len(word) > 2 && word[0] == '/' && word[len(word)-1] == '/' {
		return fmt.Sprintf("A regular expression is written in quotes after regex: field regex %s.",
			quote(word[1:len(word)-1]))
	}
	if strings.ContainsAny(word, "*?") && op != "" && op != ":" && !strings.HasPrefix(op, "like") {
		return fmt.Sprintf("A pattern is written in quotes after : or like: field : %s.",
			quote(word))
	}
	if strings.ContainsAny(word, "*?") {
		return fmt.Sprintf("A pattern is written in quotes: %s.", quote(word))
	}
	return fmt.Sprintf("EQL compares a field with constants only. If a text is meant, its "+
		"quotes are missing: %s.", quote(word))
}

// isExistence reports whether a name is what other languages ask with whether a field has a value.
func isExistence(word string) bool {
	switch strings.ToLower(strings.Trim(word, "_")) {
	case "exists", "exist", "isnotnull", "is_not_null", "has", "hasvalue":
		return true
	}
	return false
}

// existence is the advice where a bare * asks whether a field has a value.
func existence(subject string) string {
	return fmt.Sprintf("To ask whether it has a value, write %s != null. A pattern is written "+
		"in quotes: \"*.exe\".", subject)
}

// hyphenAdvice is the advice for such a name.
func hyphenAdvice(meant string) string {
	return fmt.Sprintf("It is read as a subtraction. A name with - goes into backquotes: `%s`.",
		meant)
}
