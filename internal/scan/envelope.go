package scan

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// envelope is what a search puts around an event.
type envelope struct {
	index, id string
	fields    []byte
}

// unwrapped gives the event's own text, and the envelope where there is one. It takes a line as the
// worker's parser does, or a signal would be made of another event than was judged: names by their
// letter case, which encoding/json would ignore, and of a name that stands there twice the first.
func unwrapped(text []byte) (source []byte, e envelope, err error) {
	var members struct{ source, index, id, fields json.RawMessage }
	wanted := map[string]*json.RawMessage{
		"_source": &members.source, "_index": &members.index, "_id": &members.id,
		"fields": &members.fields,
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil { // the brace
		return nil, e, notJSON(err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, e, notJSON(err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, e, notJSON(err)
		}
		if into := wanted[key.(string)]; into != nil && *into == nil {
			*into = value
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, e, notJSON(err)
	}
	if source = eventOf(members.index, members.source, members.fields); source == nil {
		return text, e, nil // a bare event may hold any value under these names
	}
	// An index or an id that is no text says nothing of where the event came from.
	_ = json.Unmarshal(members.index, &e.index)
	_ = json.Unmarshal(members.id, &e.id)
	e.fields = members.fields
	return source, e, nil
}

// eventOf returns the event of a hit, nil where the line is none: `_source`, also one that is
// written as a text, or the `fields` that a search without `_source` gives.
func eventOf(index, source, fields json.RawMessage) []byte {
	isObject := func(raw []byte) bool { return len(raw) > 0 && raw[0] == '{' }
	if isObject(source) {
		return source
	}
	if index == nil {
		return nil
	}
	var text string
	if json.Unmarshal(source, &text) == nil && isObject([]byte(text)) && json.Valid([]byte(text)) {
		return []byte(text)
	}
	if isObject(fields) {
		return fields
	}
	return nil
}

// validate says why a text is no JSON, or nested beyond what is read: 10,000 levels.
func validate(text []byte) error {
	var any json.RawMessage
	if err := json.Unmarshal(text, &any); err != nil {
		return notJSON(err)
	}
	return nil
}

// notJSON quotes a character of the text at most, and that escaped.
func notJSON(err error) error {
	return fmt.Errorf("not JSON: %w", err)
}
