package eql

import (
	"fmt"
	"strings"

	"github.com/agext/levenshtein"

	"esrule/internal/query/cond"
)

// signature is what is known of a function.
type signature struct {
	name string
	// least and most count the arguments; most is -1 where there is no end.
	least, most int
	// fold:  the function compares text and may ignore letter case: name~.
	fold      bool
	result    cond.Type
	arguments []parameter // the last is that of all that follow too
}

// parameter is what a function takes for an argument.
type parameter struct {
	kind     cond.Type
	whole    bool // a whole number
	constant bool
	address  bool // a field of type ip
}

func (s signature) argument(i int) parameter { return s.arguments[min(i, len(s.arguments)-1)] }

// String describes the parameter in a message.
func (p parameter) String() string {
	switch {
	case p.address:
		return "a field of type ip"
	case p.constant:
		return "a constant string"
	case p.whole:
		return "a whole number"
	}
	return p.kind.String()
}

// signatures are Elasticsearch's EQL functions, all of them (eql.md §6).
func signatures() []signature {
	anything, text, number, whole := parameter{}, parameter{
		kind: cond.Text,
	}, parameter{
		kind: cond.Number,
	}, parameter{
		kind:  cond.Number,
		whole: true,
	}
	numbers := []parameter{number, number}
	texts := []parameter{text, text}
	return []signature{
		{"add", 2, 2, false, cond.Number, numbers},
		{"between", 3, 4, true, cond.Text, []parameter{text, text, text, {kind: cond.Boolean}}},
		{"cidrMatch", 2, -1, false, cond.Boolean,
			[]parameter{{address: true}, {kind: cond.Text, constant: true}}},
		{"concat", 1, -1, false, cond.Text, []parameter{anything}},
		{"divide", 2, 2, false, cond.Number, numbers},
		{"endsWith", 2, 2, true, cond.Boolean, texts},
		{"indexOf", 2, 3, true, cond.Number, []parameter{text, text, whole}},
		{"length", 1, 1, false, cond.Number, texts},
		{"modulo", 2, 2, false, cond.Number, numbers},
		{"multiply", 2, 2, false, cond.Number, numbers},
		{"number", 1, 2, false, cond.Number, []parameter{text, whole}},
		{"startsWith", 2, 2, true, cond.Boolean, texts},
		{"string", 1, 1, false, cond.Text, []parameter{anything}},
		{"stringContains", 2, 2, true, cond.Boolean, texts},
		{"substring", 2, 3, false, cond.Text, []parameter{text, whole, whole}},
		{"subtract", 2, 2, false, cond.Number, numbers},
	}
}

// lookUp finds a function by its name in any letter case.
func lookUp(name string) (signature, bool) {
	for _, s := range signatures() {
		if strings.EqualFold(s.name, name) {
			return s, true
		}
	}
	return signature{}, false
}

// functionAdvice says what to write instead of a function that does not exist.
func functionAdvice(name string) string {
	switch word := strings.ReplaceAll(strings.ToLower(name), "_", ""); word {
	case "wildcard":
		return `wildcard() is gone from EQL. Write field : "pattern" or field like "pattern".`
	case "match", "matches", "regexmatch", "regexp", "rlike", "matchregex":
		return `EQL has no such function. Write field regex "pattern" or field regex~ "pattern".`
	case "lower", "tolower", "upper", "toupper", "lowercase", "uppercase", "lcase", "ucase":
		return `Letter case is ignored by :, in~, like~, regex~ and functions with ~: field : "text".`
	case "len", "strlen", "size", "count", "charlength":
		return "Write length(field)."
	case "now", "ago", "datediff", "dateadd":
		return `Date math is written in quotes: @timestamp > "now-1h".`
	case "tostring", "str", "cast", "text":
		return "Write string(field)."
	case "int", "tonumber", "tolong", "toint", "parseint", "float", "double":
		return "Write number(field)."
	default:
		if advice := wordAdvice(word, "field", `"text"`, ""); advice != "" && word != "between" {
			return advice
		}
	}
	names := make([]string, 0, len(signatures()))
	for _, s := range signatures() {
		names = append(names, s.name)
	}
	if near := nearest(name, names); near != "" {
		return fmt.Sprintf("Did you mean %s?", near)
	}
	return "The functions are: " + strings.Join(names, ", ") + "."
}

// nearest returns the name that was probably meant, or "".
func nearest(name string, names []string) string {
	best, distance := "", 1+max(1, len(name)/3)
	for _, n := range names {
		if d := levenshtein.Distance(strings.ToLower(name), strings.ToLower(n), nil); d < distance {
			best, distance = n, d
		}
	}
	return best
}

// usage is how the function is called.
func (s signature) usage() string {
	var b strings.Builder
	b.WriteString(s.name + "(")
	for i := range max(s.least, s.most) {
		text := strings.TrimPrefix(strings.TrimPrefix(s.argument(i).String(), "a "), "whole ")
		if s.argument(i).kind == cond.Any && !s.argument(i).address {
			text = "value"
		}
		if i > 0 {
			text = ", " + text
		}
		if i >= s.least {
			text = "[" + text + "]"
		}
		b.WriteString(text)
	}
	if s.most < 0 {
		b.WriteString(", …")
	}
	return b.String() + ")"
}

// count says how many arguments the function takes.
func (s signature) count() string {
	switch {
	case s.most < 0 && s.least == 1:
		return "at least 1 argument"
	case s.most < 0:
		return fmt.Sprintf("at least %d arguments", s.least)
	case s.least < s.most:
		return fmt.Sprintf("%d or %d arguments", s.least, s.most)
	case s.least == 1:
		return "1 argument"
	}
	return fmt.Sprintf("%d arguments", s.least)
}
