package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// maxDepth is how deep an event is taken apart; what lies deeper is shown as JSON.
const maxDepth = 24

// pair is a field of an event and its values, in the event's order.
type pair struct {
	path   string // with the place in an array of objects: file[0].name
	plain  string // without
	values []string
}

// flatten lists the fields of an event. Numbers stay as they were written.
func flatten(event []byte) ([]pair, error) {
	f := &flattener{decoder: json.NewDecoder(bytes.NewReader(event))}
	f.decoder.UseNumber()
	if err := f.value("", "", 0); err != nil {
		return nil, fmt.Errorf("read the event: %w", err)
	}
	return f.pairs, nil
}

type flattener struct {
	decoder *json.Decoder
	pairs   []pair
	// list is where the values of an array are gathered, nil outside of one.
	list *pair
}

func (f *flattener) value(path, plain string, depth int) error {
	if depth > maxDepth {
		var raw json.RawMessage
		if err := f.decoder.Decode(&raw); err != nil {
			return err
		}
		f.put(path, plain, string(raw))
		return nil
	}
	token, err := f.decoder.Token()
	if err != nil {
		return err
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '[' {
			return f.array(path, plain, depth)
		}
		return f.object(path, plain, depth)
	case nil:
		f.put(path, plain, "null")
	default:
		f.put(path, plain, fmt.Sprint(t))
	}
	return nil
}

func (f *flattener) put(path, plain, value string) {
	if f.list != nil {
		f.list.values = append(f.list.values, value)
		return
	}
	f.pairs = append(f.pairs, pair{path, plain, []string{value}})
}

func (f *flattener) object(path, plain string, depth int) error {
	if !f.decoder.More() && depth > 0 {
		f.put(path, plain, "{}")
	}
	outer := f.list
	f.list = nil
	for f.decoder.More() {
		key, err := f.decoder.Token()
		if err != nil {
			return err
		}
		if err := f.value(joined(path, key.(string)), joined(plain, key.(string)),
			depth+1); err != nil {
			return err
		}
	}
	f.list = outer
	_, err := f.decoder.Token()
	return err
}

// array gathers scalars under the array's own path; an object in it gets its place.
func (f *flattener) array(path, plain string, depth int) error {
	if !f.decoder.More() {
		f.put(path, plain, "[]")
	}
	outer := f.list
	if outer == nil {
		f.list = &pair{path: path, plain: plain}
	}
	list := f.list
	for i := 0; f.decoder.More(); i++ {
		if err := f.value(fmt.Sprintf("%s[%d]", path, i), plain, depth+1); err != nil {
			return err
		}
	}
	f.list = outer
	if outer == nil && len(list.values) > 0 {
		f.pairs = append(f.pairs, *list)
	}
	_, err := f.decoder.Token()
	return err
}

func joined(path, key string) string {
	return strings.TrimPrefix(path+"."+key, ".")
}
