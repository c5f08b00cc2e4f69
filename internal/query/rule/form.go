package rule

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// value is a value as a file has it, in whichever format: string, bool, int64, float64, []any,
// map[string]any, or a date.
type value = any

// form reports what is wrong with the value of a key that is there.
type form func(t *table, key string)

func text(t *table, key string) { textWhere(nil)(t, key) }

// textWhere is a text that fault finds nothing wrong with: it returns a message, or nothing.
func textWhere(fault func(key, given string) (message, advice string)) form {
	return func(t *table, key string) {
		given, ok := t.values[key].(string)
		if !ok {
			t.wrongType(key, "text", t.doc.example(key, `"…", in quotes`))
			return
		}
		if fault == nil {
			return
		}
		if message, advice := fault(key, given); message != "" {
			t.fault(key, message, strings.Replace(advice, key+" = ", t.doc.example(key, ""), 1))
		}
	}
}

func flag(t *table, key string) {
	if _, ok := t.values[key].(bool); !ok {
		t.wrongType(key, "true or false", t.doc.example(key, "true, without quotes"))
	}
}

// count is a whole number from 1.
func count(t *table, key string) {
	n, ok := t.values[key].(int64)
	switch {
	case !ok:
		t.wrongType(key, "a whole number", t.doc.example(key, "1, without quotes"))
	case n < 1:
		t.fault(key, fmt.Sprintf("%s is %d", key, n), "Write a whole number from 1 on.")
	case n > maxCount:
		t.fault(key, key+" is too large", "Write a smaller number.")
	}
}

const maxCount = 1<<31 - 1

// score is a number from 0 to 100.
func score(t *table, key string) {
	n, ok := t.number(key)
	switch {
	case !ok:
		t.wrongType(key, "a number", t.doc.example(key, "47, without quotes"))
	case !(n >= 0 && n <= 100): // not a number is neither
		t.fault(key, fmt.Sprintf("%s %v is not between 0 and 100", key, n),
			"Write a number from 0 to 100.")
	}
}

func texts(t *table, key string) {
	list, ok := t.values[key].([]any)
	if !ok {
		t.wrongType(key, "a list of texts", t.doc.example(key, `["…"], in brackets`))
		return
	}
	for i, element := range list {
		if _, ok := element.(string); !ok {
			t.doc.report(t.element(key, i), fmt.Sprintf("entry %d of %s must be text, found %s",
				i+1, key, typeName(element)), `Write it in quotes: "…".`)
		}
	}
}

// oneOf is a text out of a closed list.
func oneOf(words ...string) form {
	return textWhere(func(key, given string) (message, advice string) {
		if strings.TrimSpace(given) == "" || slices.Contains(words, given) {
			return "", ""
		}
		advice = "It is one of " + strings.Join(words, ", ")
		if near := nearest(given, words); near != "" {
			advice += fmt.Sprintf("; the nearest is %q", near)
		}
		return fmt.Sprintf("%s %q is not known", key, given), advice + "."
	})
}

// identifier is a rule's id.
func identifier(key, given string) (message, advice string) {
	advice = "Write one line of plain text, such as a UUID."
	trimmed := strings.TrimSpace(given)
	switch {
	case len(given) > maxID:
		return fmt.Sprintf("%s is longer than %d bytes", key, maxID), advice
	case strings.ContainsFunc(given, func(c rune) bool { return !unicode.IsPrint(c) }):
		return key + " holds a character that cannot be printed", advice
	case trimmed != given && trimmed != "":
		return key + " begins or ends with a space", advice
	}
	return "", ""
}

func oneLine(key, given string) (message, advice string) {
	if strings.ContainsFunc(strings.TrimSpace(given), unicode.IsControl) {
		return key + " holds a control character", "Write one line of plain text."
	}
	return "", ""
}

// fieldName is the name of an event's field; an empty text is none.
func fieldName(key, given string) (message, advice string) {
	bad := func(c rune) bool { return unicode.IsSpace(c) || !unicode.IsPrint(c) || c == '*' }
	if strings.ContainsFunc(given, bad) {
		return fmt.Sprintf("%s %q is not the name of a field", key, given),
			fmt.Sprintf(`Write one field's path, for example %s = "event.ingested".`, key)
	}
	return "", ""
}

// lengthOf is a text that parse reads as a length of time.
func lengthOf(parse func(string) (time.Duration, bool),
	wrong, advice string) func(key, given string) (string, string) {
	return func(key, given string) (string, string) {
		if _, ok := parse(given); ok {
			return "", ""
		}
		return fmt.Sprintf("%s %q %s", key, given, wrong), advice + " (units: s, m, h, d, w)."
	}
}

// tableOf is a table with keys of its own; header is the line that it is written under.
func tableOf(header string, keys ...key) form {
	return func(t *table, key string) {
		if _, ok := t.values[key].(map[string]any); !ok {
			t.wrongType(key, "a table", "it "+t.doc.below(header))
			return
		}
		t.table(key, t.doc.title(header)).checkInner(keys)
	}
}

// tables is a list of tables of any kind.
func tables(header string) form {
	return func(t *table, key string) {
		list, ok := t.values[key].([]any)
		if !ok {
			t.wrongType(key, "a list of tables", "each "+t.doc.below(header))
			return
		}
		for i, element := range list {
			if _, ok := element.(map[string]any); !ok {
				t.doc.report(t.element(key, i), fmt.Sprintf("entry %d of %s must be a table, "+
					"found %s", i+1, key, typeName(element)), "Write each "+t.doc.below(header)+".")
			}
		}
	}
}

// tablesOf is a list of such tables.
func tablesOf(header string, keys ...key) form {
	return func(t *table, key string) {
		tables(header)(t, key)
		for _, inner := range t.tables(key, t.doc.title(header)) {
			inner.checkInner(keys)
		}
	}
}

// checkInner checks a table inside a rule's. A rule's key that was written below its header lands
// in it.
func (t *table) checkInner(keys []key) {
	for _, name := range t.keys() {
		switch {
		case find(keys, name) != nil:
		case find(ruleKeys(), name) != nil:
			t.misplaced(name)
		default:
			t.unknown(name, names(keys))
		}
	}
	for i := range keys {
		keys[i].check(t)
	}
}

// misplaced reports a rule's key in a table inside the rule's.
func (t *table) misplaced(name string) {
	where, advice := "[rule]", "In TOML a key belongs to the last header above it: move it up, "+
		"before the first [[rule.threat]]."
	if t.doc.json {
		where, advice = "the rule", "Move it out of these braces."
	}
	t.doc.report(t.place(name).key, fmt.Sprintf("%q stands in %s, not in %s", name, t.name, where),
		advice)
}
