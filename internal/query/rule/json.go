package rule

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// looksJSON reports whether a file's text is JSON and not TOML: an object, or a list of objects. No
// TOML file begins so, since there a name follows the first bracket.
func looksJSON(text []byte) bool {
	text = bytes.TrimLeft(trimMark(text), " \t\r\n")
	if rest, ok := bytes.CutPrefix(text, []byte("[")); ok {
		rest = bytes.TrimLeft(rest, " \t\r\n")
		return bytes.HasPrefix(rest, []byte("{")) || string(bytes.TrimSpace(rest)) == "]"
	}
	return bytes.HasPrefix(text, []byte("{"))
}

// parseJSON returns the objects of a JSON file, each as a document whose table is yet to be found
// (see loader.object): of one value, which may be a list, or of one object a line. The errors are
// those of the text; a line that is wrong hides no other line.
func parseJSON(file string, text []byte) (all []*table, errs Errors) {
	text = trimMark(text)
	whole := source{file: file, text: text}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, Errors{whole.errorAt(span{}, "the file is empty",
			"Name a file that holds rules, or take this one out of the folder.")}
	}
	if json.Valid(text) || !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		return parseValue(whole, false)
	}
	for start, line := 0, 0; start < len(text); {
		end := len(text)
		if next := bytes.Index(text[start:], []byte("\n{")); next >= 0 {
			end = start + next + 1
		}
		part := source{file: file, text: text[start:end], before: line}
		objects, wrong := parseValue(part, true)
		all, errs = append(all, objects...), append(errs, wrong...)
		line += bytes.Count(text[start:end], []byte("\n"))
		start = end
	}
	return all, errs
}

// parseValue returns the objects of one JSON value: itself, or those of a list. Where the file has
// more objects than one, each is named with its line.
func parseValue(s source, oneOfMany bool) ([]*table, Errors) {
	if at := invalidUTF8(s.text); at < len(s.text) {
		return nil, Errors{s.errorAt(span{at, at + 1}, "this is no UTF-8 text",
			"JSON is UTF-8: save the file in that encoding.")}
	}
	var raw json.RawMessage
	err := json.Unmarshal(s.text, &raw)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		at := min(max(int(syntax.Offset)-1, 0), max(len(bytes.TrimSpace(s.text))-1, 0))
		return nil, Errors{s.errorAt(span{at, at + 1}, syntax.Error(),
			"The file must be JSON, with one object a line or one value in all.")}
	}
	if err != nil {
		return nil, Errors{s.errorAt(span{0, 1}, err.Error(), "")}
	}
	l := &jsonLocator{source: s, decoder: json.NewDecoder(bytes.NewReader(s.text)),
		places: map[string]place{}}
	l.decoder.UseNumber()
	top := l.value("", span{})
	object := func(path string, values value) *table {
		d := &document{source: s, places: l.places, unquote: unquoteJSON, json: true}
		held, _ := values.(map[string]value)
		t := &table{doc: d, path: path, name: "the rule", values: held}
		if held == nil {
			d.report(l.places[path].value, "a rule must be an object, found "+typeName(values),
				"Write it in braces: {…}.")
		}
		if oneOfMany || path != "" {
			d.name = fmt.Sprintf("%s:%d", s.file, s.lineAt(l.places[path].value.start))
		}
		return t
	}
	list, isList := top.([]value)
	if !isList {
		return []*table{object("", top)}, l.errs
	}
	var all []*table
	for i, element := range list {
		all = append(all, object(under("", strconv.Itoa(i)), element))
	}
	return all, l.errs
}

// invalidUTF8 returns where a text is not UTF-8, its length where it is.
func invalidUTF8(text []byte) (at int) {
	for at < len(text) {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return at
}

// jsonLocator reads a JSON value that is known to be valid, and where each part of it is.
type jsonLocator struct {
	source
	decoder *json.Decoder
	places  map[string]place
	errs    Errors
}

// next returns where the next token begins.
func (l *jsonLocator) next() int {
	at := int(l.decoder.InputOffset())
	return at + len(l.text[at:]) - len(bytes.TrimLeft(l.text[at:], " \t\r\n,:"))
}

// value reads the next value. A key whose value is null is left out: null is "not set" in Kibana.
func (l *jsonLocator) value(path string, key span) (v value) {
	start := l.next()
	token, _ := l.decoder.Token()
	switch token := token.(type) {
	case json.Delim:
		if token == '{' {
			v = l.object(path)
			break
		}
		list := []value{}
		for l.decoder.More() {
			list = append(list, l.value(under(path, strconv.Itoa(len(list))), span{}))
		}
		_, _ = l.decoder.Token()
		v = list
	case json.Number:
		v = l.number(token, span{start, int(l.decoder.InputOffset())})
	default:
		v = token
	}
	at := span{start, int(l.decoder.InputOffset())}
	if key == (span{}) {
		key = span{start, start + 1}
	}
	l.places[path] = place{key: key, value: at}
	return v
}

func (l *jsonLocator) object(path string) map[string]value {
	values := map[string]value{}
	for l.decoder.More() {
		start := l.next()
		token, _ := l.decoder.Token()
		name, _ := token.(string)
		key := span{start, int(l.decoder.InputOffset())}
		_, twice := l.places[under(path, name)]
		if twice {
			l.errs = append(l.errs, l.errorAt(key, fmt.Sprintf("the key %q is there twice", name),
				"Remove one of them."))
		}
		if v := l.value(under(path, name), key); v != nil {
			values[name] = v
		}
	}
	_, _ = l.decoder.Token()
	return values
}

func (l *jsonLocator) number(text json.Number, at span) value {
	if n, err := text.Int64(); err == nil {
		return n
	}
	n, err := text.Float64()
	if err != nil {
		l.errs = append(l.errs, l.errorAt(at, fmt.Sprintf("the number %s is too large", text),
			"Write a smaller number."))
	}
	return n
}

// unquoteJSON returns the text of a JSON string that is at a place, and for each byte of the text,
// and its end, the place where it is written.
func unquoteJSON(raw []byte, at int) (string, []int) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", nil
	}
	inner, first := raw[1:len(raw)-1], at+1
	var text []byte
	var places []int
	for i := 0; i < len(inner); {
		n := 1 // how long the character is as it is written
		if inner[i] == '\\' {
			n = escapeLength(inner[i:])
		}
		var c string
		if n == 1 {
			c = string(inner[i : i+1])
		} else if json.Unmarshal([]byte(`"`+string(inner[i:i+n])+`"`), &c) != nil {
			return "", nil
		}
		for range len(c) {
			places = append(places, first+i)
		}
		text, i = append(text, c...), i+n
	}
	return string(text), append(places, first+len(inner))
}

// escapeLength returns the length of the escape that a text begins with; two halves of a character
// beyond 16 bits are one.
func escapeLength(text []byte) int {
	half := func(text []byte, from, to uint64) bool {
		if len(text) < 6 || !strings.HasPrefix(string(text), `\u`) {
			return false
		}
		code, err := strconv.ParseUint(string(text[2:6]), 16, 16)
		return err == nil && code >= from && code < to
	}
	switch {
	case half(text, 0xd800, 0xdc00) && half(text[6:], 0xdc00, 0xe000):
		return 12
	case len(text) >= 6 && text[1] == 'u':
		return 6
	}
	return 2
}
