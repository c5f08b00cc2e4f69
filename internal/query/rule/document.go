package rule

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// document is one parsed TOML file: its values, and where each of them stands.
type document struct {
	source
	values map[string]any
	places map[string]place // by path, see under
	errs   Errors
}

// place is where a key and its value stand. A table written with a header has a key only.
type place struct{ key, value span }

// under gives the path of a key below a path. Paths are the keys from the top, and an element's
// number in a list, each ended by a zero byte, which no file can hold.
func under(path, key string) string { return path + key + "\x00" }

// parse reads a file's TOML, or says what is wrong with it.
func parse(file string, text []byte) (*document, *Error) {
	// go-toml refuses the byte order mark that editors on Windows write.
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	d := &document{source: source{file: file, text: text}}
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return nil, d.errorAt(span{}, "the file is UTF-16 text",
			"TOML is UTF-8: save the file in that encoding.")
	}
	if err := toml.Unmarshal(text, &d.values); err != nil {
		return nil, d.syntaxError(err)
	}
	d.places = locate(text)
	return d, nil
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

// report adds an error about a part of the file.
func (d *document) report(at span, message, advice string) {
	d.errs = append(d.errs, d.errorAt(at, message, advice))
}

// locate finds where each key and value of a valid file stands.
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

// id gives the document's rule_id and its place, empty where it has none.
func (d *document) id() (ID, span) {
	rule, _ := d.values["rule"].(map[string]any)
	id, _ := rule["rule_id"].(string)
	return ID(id), d.places[under(under("", "rule"), "rule_id")].value
}
