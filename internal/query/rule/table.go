package rule

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/pelletier/go-toml/v2"
)

// table is one table of a document: keys and values, each with its place. Reading a value of the
// wrong type yields none; that it is wrong was reported by its form.
type table struct {
	doc    *document
	path   string
	name   string // as messages call it: "[rule]"
	values map[string]value
}

// has reports whether the key is there, whatever its type.
func (t *table) has(key string) bool {
	_, ok := t.values[key]
	return ok
}

// keys returns the table's keys in the order of the file.
func (t *table) keys() []string {
	return slices.SortedFunc(maps.Keys(t.values), func(a, b string) int {
		return t.place(a).key.start - t.place(b).key.start
	})
}

func (t *table) place(key string) place { return t.doc.places[under(t.path, key)] }

// fault reports what is wrong with a key's value, at the value where it has a place of its own.
func (t *table) fault(key, message, advice string) {
	at := t.place(key)
	if at.value == (span{}) {
		at.value = at.key
	}
	t.doc.report(at.value, message, advice)
}

func (t *table) wrongType(key, want, example string) {
	t.fault(key, fmt.Sprintf("%s must be %s, found %s", key, want, typeName(t.values[key])),
		"Write "+example+".")
}

// missing reports a key that must be there.
func (t *table) missing(key, example string) {
	t.doc.report(t.doc.places[t.path].key, t.name+" has no "+key,
		"Add it"+t.belowItsLine()+": "+t.doc.example(key, example))
}

// belowItsLine says where in the file the table's keys are.
func (t *table) belowItsLine() string {
	if t.doc.json {
		return ""
	}
	return " below the line " + t.name
}

// unknown reports a key that is not one of those that the table may have.
func (t *table) unknown(name string, known []string) {
	where := t.name
	if where == "" {
		where = "a rule file"
	}
	advice := "Remove it, or correct its spelling; a key that is not known may be one that was " +
		"meant to change the rule."
	if near := nearest(name, known); near != "" {
		advice = fmt.Sprintf("The nearest known one is %q.", near)
	}
	t.doc.report(t.place(name).key, fmt.Sprintf("%s has no key %q", where, name), advice)
}

// get returns the value of a key where it is of the type.
func get[T any](t *table, key string) T {
	v, _ := t.values[key].(T)
	return v
}

func (t *table) text(key string) string { return get[string](t, key) }

// count returns a whole number from 1, 0 where there is none.
func (t *table) count(key string) int {
	if n := get[int64](t, key); n > 0 && n <= maxCount {
		return int(n)
	}
	return 0
}

func (t *table) number(key string) (float64, bool) {
	switch n := t.values[key].(type) {
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

func (t *table) list(key string) []any { return get[[]any](t, key) }

func (t *table) texts(key string) []string {
	var texts []string
	for _, element := range t.list(key) {
		if text, ok := element.(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

// element returns the place of an entry of a list.
func (t *table) element(key string, i int) span {
	return t.doc.places[under(under(t.path, key), strconv.Itoa(i))].value
}

// table returns the table below a key, nil where there is none.
func (t *table) table(key, name string) *table {
	values, ok := t.values[key].(map[string]any)
	if !ok {
		return nil
	}
	return &table{t.doc, under(t.path, key), name, values}
}

// tables returns the tables of a list below a key.
func (t *table) tables(key, name string) []*table {
	var tables []*table
	for i, element := range t.list(key) {
		if values, ok := element.(map[string]any); ok {
			path := under(under(t.path, key), strconv.Itoa(i))
			tables = append(tables, &table{t.doc, path, name, values})
		}
	}
	return tables
}

// typeName names the type of a value as messages do.
func typeName(v value) string {
	switch v.(type) {
	case string:
		return "text"
	case int64:
		return "a whole number"
	case float64:
		return "a number"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	case nil:
		return "null"
	case toml.LocalDate, toml.LocalTime, toml.LocalDateTime:
		return "a date or time"
	default:
		return "a date and time" // with a zone, go-toml gives time.Time
	}
}
