package rule

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/pelletier/go-toml/v2"
)

// table reads one table of a document key by key. A value of the wrong type is reported to the
// document and read as missing, so that one pass finds everything wrong with a file.
type table struct {
	doc    *document
	path   string
	name   string // as messages call it: "[rule]"
	values map[string]any
}

// has tells whether the key is there, whatever its type.
func (t *table) has(key string) bool {
	_, ok := t.values[key]
	return ok
}

// keys gives the table's keys in the order of the file.
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

func (t *table) text(key string) string {
	value, ok := t.values[key].(string)
	if !ok && t.has(key) {
		t.wrongType(key, "text", key+` = "…", in quotes`)
	}
	return value
}

func (t *table) boolean(key string) bool {
	value, ok := t.values[key].(bool)
	if !ok && t.has(key) {
		t.wrongType(key, "true or false", key+" = true, without quotes")
	}
	return value
}

// count reads a whole number from 1, and gives 0 where there is none.
func (t *table) count(key string) int {
	value, ok := t.values[key].(int64)
	switch {
	case !t.has(key):
	case !ok:
		t.wrongType(key, "a whole number", key+" = 1, without quotes")
	case value < 1:
		t.fault(key, fmt.Sprintf("%s is %d", key, value), "Write a whole number from 1 on.")
	case value > 1<<31-1:
		t.fault(key, fmt.Sprintf("%s is too large", key), "Write a smaller number.")
	default:
		return int(value)
	}
	return 0
}

func (t *table) texts(key string) []string {
	if !t.has(key) {
		return nil
	}
	list, ok := t.values[key].([]any)
	if !ok {
		t.wrongType(key, "a list of texts", key+` = ["…"], in brackets`)
		return nil
	}
	texts := make([]string, 0, len(list))
	for i, element := range list {
		text, ok := element.(string)
		if !ok {
			message := fmt.Sprintf("entry %d of %s must be text, found %s", i+1, key,
				typeName(element))
			t.doc.report(t.element(key, i), message, `Write it in quotes: "…".`)
			continue
		}
		texts = append(texts, text)
	}
	return texts
}

// element gives the place of an entry of a list.
func (t *table) element(key string, i int) span {
	return t.doc.places[under(under(t.path, key), strconv.Itoa(i))].value
}

// table gives the table below a key, nil where there is none.
func (t *table) table(key, name string) *table {
	if !t.has(key) {
		return nil
	}
	values, ok := t.values[key].(map[string]any)
	if !ok {
		t.wrongType(key, "a table", "it under a line "+name)
		return nil
	}
	return &table{t.doc, under(t.path, key), name, values}
}

// tables gives the tables of a list below a key.
func (t *table) tables(key, name string) []*table {
	if !t.has(key) {
		return nil
	}
	list, ok := t.values[key].([]any)
	if !ok {
		t.wrongType(key, "a list of tables", "each under a line "+name)
		return nil
	}
	tables := make([]*table, 0, len(list))
	for i, element := range list {
		values, ok := element.(map[string]any)
		if !ok {
			message := fmt.Sprintf("entry %d of %s must be a table, found %s", i+1, key,
				typeName(element))
			t.doc.report(t.element(key, i), message, "Write each under a line "+name+".")
			continue
		}
		tables = append(tables, &table{t.doc, under(under(t.path, key), strconv.Itoa(i)), name,
			values})
	}
	return tables
}

// typeName names the TOML type of a decoded value.
func typeName(value any) string {
	switch value.(type) {
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
	case toml.LocalDate, toml.LocalTime, toml.LocalDateTime:
		return "a date or time"
	default:
		return "a date and time" // with a zone, go-toml gives time.Time
	}
}
