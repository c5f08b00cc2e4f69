package event

import (
	"maps"
	"slices"
	"strings"

	"github.com/valyala/fastjson"
)

// wild is what a mapping makes of a pattern of paths.
type wild struct {
	pattern string
	members []field // the fields that fit, in the order of their paths
	// Without a mapping, the fields are those that the event has.
	untyped      bool
	plain, words field
}

func newWild(pattern string, m *Mapping) field {
	w := &wild{pattern: pattern}
	if m == nil {
		w.untyped = true
		w.plain = newField(FieldMapping{Type: Untyped}, nil)
		w.words = newField(FieldMapping{Type: Untyped, Name: "text"}, nil)
		return field{wild: w}
	}
	for _, path := range slices.Sorted(maps.Keys(m.Fields)) {
		if f := m.Fields[path]; fits(pattern, path) && f.Type != Object {
			w.members = append(w.members, newField(f, newLookup(path)))
		}
	}
	return field{wild: w}
}

func (e *Event) resolveWild(w *wild, into []Value) []Value {
	source := e.Source()
	if w.untyped {
		into, _ = e.collectWild(source, w, nil, into)
		return into
	}
	for i := range w.members {
		f := &w.members[i]
		begin := len(into)
		if !f.OnlyFields && !f.ServerRead {
			into = e.collectAll(source, f, into)
		}
		into = append(into[:begin], e.complete(f, into[begin:])...)
	}
	return into
}

// collectWild walks an event for the scalars under the paths that fit. path is that of v.
func (e *Event) collectWild(v *fastjson.Value, w *wild, path []byte,
	into []Value) (values []Value, _ []byte) {
	if v == nil {
		return into, path
	}
	switch v.Type() {
	case fastjson.TypeArray:
		for _, item := range v.GetArray() {
			into, path = e.collectWild(item, w, path, into)
		}
	case fastjson.TypeObject:
		length := len(path)
		v.GetObject().Visit(func(key []byte, child *fastjson.Value) {
			if length > 0 {
				path = append(path[:length], '.')
			}
			path = append(path, key...)
			into, path = e.collectWild(child, w, path, into)
			path = path[:length]
		})
	case fastjson.TypeString, fastjson.TypeNumber, fastjson.TypeTrue, fastjson.TypeFalse:
		if !fits(w.pattern, string(path)) {
			break
		}
		f := &w.plain
		if isWords(string(path)) {
			f = &w.words
		}
		if text, ok := textOf(v, &e.scratch); ok {
			into = e.append(f, into, text, v.Type() == fastjson.TypeString)
		}
	case fastjson.TypeNull:
	}
	return into, path
}

// fits reports whether a path fits a pattern, in which a star is any run of characters.
func fits(pattern, path string) bool {
	first, rest, ok := strings.Cut(pattern, "*")
	if !ok {
		return pattern == path
	}
	if path, ok = strings.CutPrefix(path, first); !ok {
		return false
	}
	for {
		piece, behind, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(path, piece)
		}
		at := strings.Index(path, piece)
		if at < 0 {
			return false
		}
		path, rest = path[at+len(piece):], behind
	}
}
