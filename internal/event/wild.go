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
		e.walked = e.walked[:0]
		return e.collectWild(source, w, into)
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

// collectWild walks an event for the scalars under the paths that fit. e.walked is the path of v.
func (e *Event) collectWild(v *fastjson.Value, w *wild, into []Value) []Value {
	if v == nil {
		return into
	}
	switch v.Type() {
	case fastjson.TypeArray:
		for _, item := range v.GetArray() {
			into = e.collectWild(item, w, into)
		}
	case fastjson.TypeObject:
		length := len(e.walked)
		v.GetObject().Visit(func(key []byte, child *fastjson.Value) {
			if length > 0 {
				e.walked = append(e.walked, '.')
			}
			e.walked = append(e.walked, key...)
			into = e.collectWild(child, w, into)
			e.walked = e.walked[:length]
		})
	case fastjson.TypeString, fastjson.TypeNumber, fastjson.TypeTrue, fastjson.TypeFalse:
		if !fits(w.pattern, string(e.walked)) {
			break
		}
		f := &w.plain
		if isWords(string(e.walked)) {
			f = &w.words
		}
		if text, ok := textOf(v, &e.scratch); ok {
			into = e.append(f, into, text, v.Type() == fastjson.TypeString)
		}
	case fastjson.TypeNull:
	}
	return into
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
