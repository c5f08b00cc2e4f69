package signal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// compose writes an object of flat fields, then an event's own members.
func compose(fields []field, event written) ([]byte, error) {
	var j jsonText
	err := j.compose(fields, event)
	return j.Bytes(), err
}

func (j *jsonText) compose(fields []field, event written) error {
	j.WriteByte('{')
	for _, f := range fields {
		if err := j.member(f.key, f.value); err != nil {
			return err
		}
	}
	j.members(event)
	j.WriteByte('}')
	return nil
}

// jsonText builds a JSON text whose bytes depend on nothing but its input.
type jsonText struct {
	bytes.Buffer
	enc *json.Encoder // nil until it is needed
}

// written is what is already JSON text: a value, or the members of an object.
type written []byte

// literal is a value that is the same in all signals, as JSON text.
type literal string

// value writes a Go value; maps come out in the order of their keys. There is never a newline: it
// ends a document in a bulk request.
func (j *jsonText) value(v any) error {
	switch v := v.(type) {
	case *node:
		return j.node(v, nil)
	case written:
		j.Write(v)
		return nil
	case literal:
		j.WriteString(string(v))
		return nil
	case string:
		return j.text(v)
	case int:
		j.Write(strconv.AppendInt(j.AvailableBuffer(), int64(v), 10))
		return nil
	case float64:
		if v == float64(int64(v)) && v != 0 { // of 0 the sign is written
			return j.value(int(v))
		}
	case []ancestor:
		return j.ancestors(v)
	}
	return j.encode(v)
}

// ancestors writes them as encoding/json does; there is one at least.
func (j *jsonText) ancestors(all []ancestor) error {
	for i, a := range all {
		between := byte(',')
		if i == 0 {
			between = '['
		}
		j.WriteByte(between)
		j.WriteByte('{')
		for _, f := range []field{{"id", a.ID}, {"type", a.Type}, {"index", a.Index},
			{"depth", a.Depth}, {"rule", a.Rule}} {
			if f.value == "" {
				continue
			}
			if err := j.member(f.key, f.value); err != nil {
				return err
			}
		}
		j.WriteByte('}')
	}
	j.WriteByte(']')
	return nil
}

func (j *jsonText) encode(v any) error {
	if j.enc == nil {
		j.enc = json.NewEncoder(&j.Buffer)
		j.enc.SetEscapeHTML(false) // paths and command lines stay readable
	}
	if err := j.enc.Encode(v); err != nil {
		return err
	}
	j.Truncate(j.Len() - 1)
	return nil
}

// text writes a string as encoding/json does, which it asks only about characters beyond ASCII and
// control characters.
func (j *jsonText) text(s string) error {
	j.Grow(len(s) + 16)
	b := append(j.AvailableBuffer(), '"')
	from := 0 // of what is not written yet
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			b = append(append(b, s[from:i]...), '\\')
			from = i
		case c < ' ' || c >= utf8.RuneSelf:
			return j.encode(s)
		}
	}
	j.Write(append(append(b, s[from:]...), '"'))
	return nil
}

// node writes a value without what is at some paths.
func (j *jsonText) node(n *node, without []string) error {
	if len(n.written) > 0 && len(without) == 0 {
		j.Write(n.written)
		return nil
	}
	switch n.kind {
	case null:
		j.WriteString("null")
	case boolean, number:
		j.WriteString(n.text)
	case text:
		return j.text(n.text)
	case array:
		j.WriteByte('[')
		for i, e := range n.elems {
			if i > 0 {
				j.WriteByte(',')
			}
			if err := j.node(e, without); err != nil {
				return err
			}
		}
		j.WriteByte(']')
	case object:
		j.WriteByte('{')
		if err := j.membersOf(n, without); err != nil {
			return err
		}
		j.WriteByte('}')
	}
	return nil
}

// membersOf writes an object's members, without its braces and without what is at some paths, as
// [node.without] takes it away.
func (j *jsonText) membersOf(n *node, without []string) error {
	for _, m := range n.members {
		var below []string // of the paths
		isOut := false
		for _, path := range without {
			if !beginAlike(m.key, path) {
				continue
			}
			if _, isBelow := under(m.key, path); isBelow || m.key == path {
				isOut = true
			} else if rest, ok := under(path, m.key); ok {
				below = append(below, rest)
			}
		}
		if isOut {
			continue
		}
		j.comma()
		if err := j.text(m.key); err != nil {
			return err
		}
		j.WriteByte(':')
		if err := j.node(m.value, below); err != nil {
			return fmt.Errorf("write %s: %w", m.key, err)
		}
	}
	return nil
}

// member writes a key and its value, and the comma before them where there has to be one. A block
// is written as the members that it is.
func (j *jsonText) member(key string, v any) error {
	if b, ok := v.(*block); ok {
		j.members(b.text.Bytes())
		return nil
	}
	j.comma()
	if err := j.text(key); err != nil {
		return err
	}
	j.WriteByte(':')
	if err := j.value(v); err != nil {
		return fmt.Errorf("write %s: %w", key, err)
	}
	return nil
}

// members writes members that are written already.
func (j *jsonText) members(text written) {
	if len(text) > 0 {
		j.comma()
		j.Write(text)
	}
}

// comma writes the comma before a member, where there has to be one.
func (j *jsonText) comma() {
	if b := j.Bytes(); len(b) > 0 && b[len(b)-1] != '{' {
		j.WriteByte(',')
	}
}
