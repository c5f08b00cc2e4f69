package rule

import (
	"cmp"
	"strconv"
	"strings"
)

// document is one rule as a file has it, whatever the format: the tables, where each value is, and
// what is wrong. A format is a reader that fills it (parse for TOML, parseJSON); what the keys mean
// is in keys.go.
type document struct {
	source
	name     string // the file with the line, where it holds more rules than one
	json     bool   // whether the file is JSON; else it is TOML
	packaged bool   // whether it is of Elastic's rule package
	rule     *table // nil where the file has none
	metadata *table // what [metadata] says of the rule, or nil
	// exceptions are what the file has below [[exception]], nil where it has none.
	exceptions value
	places     map[string]place // by path, see under
	unquote    unquoter
	errs       Errors
}

// unquoter returns the text that a value is written for, from what the file has at a place, and for
// each byte of the text, and its end, the place where it is written.
type unquoter func(raw []byte, at int) (string, []int)

// place is where a key and its value are. A table written with a header has a key only.
type place struct{ key, value span }

// under returns the path of a key below a path. Paths are the keys from the top, and an element's
// number in a list, each ended by a zero byte, which no file can hold.
func under(path, key string) string { return path + key + "\x00" }

// report adds an error about a part of the file.
func (d *document) report(at span, message, advice string) {
	d.errs = append(d.errs, d.errorAt(at, message, advice))
}

// shownName is what messages call the document where they show no line of it.
func (d *document) shownName() string { return cmp.Or(d.name, d.file) }

// id returns the rule_id and its place, empty where there is none.
func (d *document) id() (ID, span) {
	if d.rule == nil {
		return "", span{}
	}
	return ID(d.rule.text("rule_id")), d.rule.place("rule_id").value
}

// placeQuery says where the query's text is in the file.
func (d *document) placeQuery(text string, value span) {
	d.queryAt = queryPlace{text: text, value: value, unquote: d.unquote}
}

// example writes how a key is set in the document's format. value is in TOML's.
func (d *document) example(key, value string) string {
	if !d.json {
		return key + " = " + value
	}
	if inner, ok := strings.CutPrefix(value, "'''"); ok {
		value = strconv.Quote(strings.TrimSuffix(inner, "'''"))
	}
	return strconv.Quote(key) + ": " + value
}

// title returns what messages call an inner table whose header in TOML is given.
func (d *document) title(header string) string {
	if !d.json {
		return header
	}
	return strings.TrimPrefix(strings.Trim(header, "[]"), "rule.")
}

// below says where an inner table is written.
func (d *document) below(header string) string {
	if !d.json {
		return "under a line " + header
	}
	return "in braces: {…}"
}
