package rule

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// parse reads a file's TOML, or says what is wrong with it.
func parse(file string, text []byte) (*document, *Error) {
	text = trimMark(text) // go-toml refuses it
	d := &document{source: source{file: file, text: text}, unquote: unquote}
	var values map[string]value
	if err := toml.Unmarshal(text, &values); err != nil {
		return nil, d.syntaxError(err)
	}
	d.places = locate(text)
	d.sections(&table{doc: d, values: values})
	return d, nil
}

// sections finds the file's tables. What else a file may hold (transform) is for Kibana's pages.
func (d *document) sections(top *table) {
	known, keys := []string{"rule", "metadata", "transform", "exception"}, ruleKeys()
	for _, name := range top.keys() {
		switch {
		case slices.Contains(known, name):
		case find(keys, name) != nil:
			d.report(top.place(name).key, fmt.Sprintf("%q stands outside the [rule] table", name),
				"Move it below the line [rule].")
		default:
			top.unknown(name, known)
		}
	}
	section := func(name string) *table {
		header := "[" + name + "]"
		t := top.table(name, header)
		if t == nil && top.has(name) {
			top.wrongType(name, "a table", "it under a line "+header)
		}
		return t
	}
	d.metadata, d.rule = section("metadata"), section("rule")
	if top.has("exception") {
		tables("[[exception]]")(top, "exception")
		d.exceptions = top.values["exception"]
	}
	if !top.has("rule") && !top.has("exception") && len(d.errs) == 0 {
		d.report(span{}, "there is no [rule] table",
			"This is not a detection rule in Elastic's TOML format; give the path of one, or "+
				"take the file out of the folder.")
	}
}

func (d *document) syntaxError(err error) *Error {
	advice := "The file must be TOML (https://toml.io) throughout; nothing of it was loaded."
	message := strings.TrimPrefix(err.Error(), "toml: ")
	if strings.Contains(message, "escape") {
		advice = "Write text that holds backslashes, such as a query, between ''' and '''."
	}
	var decode *toml.DecodeError
	if !errors.As(err, &decode) {
		return d.errorAt(span{}, message, advice)
	}
	at := d.offset(decode.Position())
	return d.errorAt(span{at, at + 1}, message, advice)
}

// locate finds where each key and value of a valid file is.
func locate(text []byte) map[string]place {
	l := locator{places: map[string]place{}, elements: map[string]int{}}
	l.parser.Reset(text)
	for l.parser.NextExpression() {
		switch node := l.parser.Expression(); node.Kind {
		case unstable.Table, unstable.ArrayTable:
			l.header(node)
		case unstable.KeyValue:
			l.keyValue(l.table, node)
		}
	}
	return l.places
}

type locator struct {
	parser   unstable.Parser
	places   map[string]place
	elements map[string]int // how many elements a list of tables has so far
	table    string         // the path of the last header
}

func (l *locator) header(node *unstable.Node) {
	l.table = ""
	for key := node.Key(); key.Next(); {
		l.table = under(l.table, string(key.Node().Data))
		last := key.IsLast()
		at := place{key: rangeOf(key.Node().Raw)}
		if last && node.Kind == unstable.ArrayTable {
			l.note(l.table, at)
			l.elements[l.table]++
		}
		// A header goes through the newest element of a list: [rule.threat.tactic] after
		// [[rule.threat]].
		if count := l.elements[l.table]; count > 0 {
			l.table = under(l.table, strconv.Itoa(count-1))
		}
		if last {
			l.note(l.table, at)
		}
	}
}

func (l *locator) keyValue(path string, node *unstable.Node) {
	var key span
	for it := node.Key(); it.Next(); {
		key = rangeOf(it.Node().Raw)
		path = under(path, string(it.Node().Data))
		l.note(path, place{key: key})
	}
	value := rangeOf(node.Value().Raw)
	if kind := node.Value().Kind; kind == unstable.Array || kind == unstable.InlineTable {
		// These have no range of their own; they are what follows the equals sign.
		whole := rangeOf(node.Raw)
		text := l.parser.Data()[key.end:whole.end]
		value = span{whole.end - len(bytes.TrimLeft(text, " \t=")), whole.end}
	}
	l.places[path] = place{key, value}
	l.inside(path, node.Value())
}

// inside notes the elements of a list and the keys of a table in braces.
func (l *locator) inside(path string, node *unstable.Node) {
	number := 0
	for it := node.Children(); it.Next(); number++ {
		child := it.Node()
		if child.Kind == unstable.KeyValue {
			l.keyValue(path, child)
			continue
		}
		element := under(path, strconv.Itoa(number))
		at := rangeOf(child.Raw)
		if child.Kind == unstable.Array {
			at = l.places[path].value
		}
		l.note(element, place{key: at, value: at})
		l.inside(element, child)
	}
}

// note keeps the first place of a path: a table may be opened by more than one dotted key.
func (l *locator) note(path string, at place) {
	if _, ok := l.places[path]; !ok {
		l.places[path] = at
	}
}

func rangeOf(r unstable.Range) span {
	return span{int(r.Offset), int(r.Offset + r.Length)}
}
