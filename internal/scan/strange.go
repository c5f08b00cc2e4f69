package scan

import (
	"bytes"

	"github.com/valyala/fastjson"

	"esrule/internal/query/cond"
)

// hasCategory reports whether the event has what the first step of most rules compares.
func (w *worker) hasCategory() bool {
	for _, slot := range w.rules.categories {
		if len(w.event.Values(slot)) > 0 {
			return true
		}
	}
	return false
}

// doubt counts an event without a category, and finds out whether it is an event at all: one that
// holds another, or in which no rule finds any field, was not judged.
func (w *worker) doubt(text []byte, line int, matched bool, j *judged) {
	s := Strange{Line: line}
	noTime := len(w.event.Values(w.rules.time)) == 0
	noValue := !matched && w.isBlind()
	if noValue || bytes.Contains(text, []byte("category")) {
		source := w.event.Source()
		s.Keys, s.Inside = keysOf(source), inside(source)
	}
	if noValue && isAction(s.Keys) {
		j.events-- // it says what a bulk request does with the next line
		return
	}
	j.noCategory++
	if noTime {
		j.noTime++
	}
	if !noValue && s.Inside == "" {
		return
	}
	j.strange++
	if j.firstStrange == nil {
		j.firstStrange = &s
	}
}

// isBlind reports whether the event has none of the fields that the rules read.
func (w *worker) isBlind() bool {
	for _, slot := range w.fields {
		if len(w.event.Values(slot)) > 0 {
			return false
		}
	}
	return true
}

func isAction(keys []string) bool {
	if len(keys) != 1 {
		return false
	}
	switch keys[0] {
	case "index", "create", "update", "delete":
		return true
	}
	return false
}

// mostKeys bounds how many keys of a strange document are shown.
const mostKeys = 8

func keysOf(v *fastjson.Value) (keys []string) {
	v.GetObject().Visit(func(key []byte, _ *fastjson.Value) {
		if len(keys) < mostKeys {
			keys = append(keys, string(key[:min(len(key), 60)]))
		}
	})
	return keys
}

// inside returns the field that holds an event, as an object or as JSON in a text.
func inside(v *fastjson.Value) (path string) {
	v.GetObject().Visit(func(key []byte, v *fastjson.Value) {
		if path != "" {
			return
		}
		if text := v.GetStringBytes(); len(text) > 1 && text[0] == '{' {
			var p fastjson.Parser
			if v, _ = p.ParseBytes(text); v == nil {
				return
			}
		}
		if isEvent(v) {
			path = string(key)
		} else if deeper := v.GetObject(); deeper != nil {
			deeper.Visit(func(below []byte, v *fastjson.Value) {
				if isEvent(v) {
					path = string(key) + "." + string(below)
				}
			})
		}
	})
	return path
}

func isEvent(v *fastjson.Value) bool {
	if v.Type() != fastjson.TypeObject {
		return false
	}
	written := []*fastjson.Value{v.Get("event", "category"), v.Get(cond.DefaultCategoryField)}
	for _, category := range written {
		if category != nil && category.Type() != fastjson.TypeNull {
			return true
		}
	}
	return false
}
