package rule

// document is one rule as a file has it, whatever the format: the tables, where each value is, and
// what is wrong. A format is a reader that fills it (parse, for TOML); what the keys mean is in
// keys.go.
type document struct {
	source
	rule     *table           // nil where the file has none
	metadata *table           // what [metadata] says of the rule, or nil
	places   map[string]place // by path, see under
	// unquote returns the text that a value is written for, from what the file has at a place, and
	// for each byte of the text, and its end, the place where it is written.
	unquote func(raw []byte, at int) (string, []int)
	errs    Errors
}

// place is where a key and its value are. A table written with a header has a key only.
type place struct{ key, value span }

// under returns the path of a key below a path. Paths are the keys from the top, and an element's
// number in a list, each ended by a zero byte, which no file can hold.
func under(path, key string) string { return path + key + "\x00" }

// report adds an error about a part of the file.
func (d *document) report(at span, message, advice string) {
	d.errs = append(d.errs, d.errorAt(at, message, advice))
}

// id returns the rule_id and its place, empty where there is none.
func (d *document) id() (ID, span) {
	if d.rule == nil {
		return "", span{}
	}
	return ID(d.rule.text("rule_id")), d.rule.place("rule_id").value
}

// placeQuery lines the query's text up with its place in the file.
func (d *document) placeQuery(text string, value span) {
	d.queryAt = queryPlace{text: text, value: value}
	content, at := d.unquote(d.text[value.start:value.end], value.start)
	if content == text { // else the two do not line up, and no column is better than a wrong one
		d.queryAt.bytes = at
	}
}
