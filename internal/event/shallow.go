package event

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"
)

// shallow rewrites an event that is nested too deeply for the fast parser (fastjson stops at depth
// 300, Elasticsearch at 1,000) as a flat object that has just the fields of f: each under its
// dotted path, with an array of the values found there in their order. That is parsed like any
// other event. It costs memory in proportion to the event's text. m is the mapping of the event's
// index, or nil.
func shallow(source []byte, f *Fields, m *Mapping) ([]byte, error) {
	s := &shallowing{decoder: json.NewDecoder(bytes.NewReader(MendSurrogates(source))),
		found: map[string][]json.RawMessage{}}
	for _, of := range f.own {
		if of.wild {
			s.wantWild(of.path, m)
			continue
		}
		s.found[of.path] = nil
		if m == nil {
			s.want(of.untyped, of.path)
			continue
		}
		s.want(m.Fields[of.path], of.path)
	}
	s.decoder.UseNumber()
	if err := s.walk(); err != nil {
		return nil, fmt.Errorf("read a deeply nested event: %w", err)
	}
	maps.DeleteFunc(s.found, func(_ string, values []json.RawMessage) bool {
		return len(values) == 0
	})
	return json.Marshal(s.found)
}

// want notes where `_source` has the values of a field.
func (s *shallowing) want(f FieldMapping, path string) {
	path = cmp.Or(f.SourcePath, path)
	for _, from := range append([]string{path}, f.Copied...) {
		s.found[from] = nil
	}
	if f.Leaves {
		s.leaves = append(s.leaves, path)
	}
}

// wantWild notes where `_source` has the values of the fields that fit a pattern.
func (s *shallowing) wantWild(pattern string, m *Mapping) {
	if m == nil {
		s.patterns = append(s.patterns, pattern)
		return
	}
	for path, f := range m.Fields {
		if fits(pattern, path) {
			s.want(f, path)
		}
	}
}

// shallowing walks a document token by token with a stack of its own, so that no depth can exhaust
// the goroutine's.
type shallowing struct {
	decoder *json.Decoder
	found   map[string][]json.RawMessage // by the paths that are wanted
	leaves  []string                     // the paths of which all scalars below are wanted
	// patterns are of wanted paths too
	patterns []string
	path     []byte
	stack    []container
}

// container is one open object or array; path is the length of the walk's path outside it.
type container struct {
	object bool
	path   int
	key    bool // in an object: the next token is a key
}

func (s *shallowing) walk() error {
	for {
		token, err := s.decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case json.Delim:
			s.delimiter(t)
			continue
		case string:
			if top := s.top(); top != nil && top.object && top.key {
				s.enter(top, t)
				continue
			}
			text, err := json.Marshal(t)
			if err != nil {
				return err
			}
			s.value(text)
		case json.Number:
			s.value(json.RawMessage(t))
		case bool:
			s.value(strconv.AppendBool(nil, t))
		case nil:
			s.value(json.RawMessage("null"))
		}
	}
}

func (s *shallowing) top() *container {
	if len(s.stack) == 0 {
		return nil
	}
	return &s.stack[len(s.stack)-1]
}

func (s *shallowing) delimiter(d json.Delim) {
	switch d {
	case '{', '[':
		s.stack = append(s.stack, container{object: d == '{', path: len(s.path), key: true})
	case '}', ']':
		s.path = s.path[:s.top().path]
		s.stack = s.stack[:len(s.stack)-1]
		s.left()
	}
}

// enter sets the path to a member of an object.
func (s *shallowing) enter(object *container, key string) {
	s.path = s.path[:object.path]
	if len(s.path) > 0 {
		s.path = append(s.path, '.')
	}
	s.path = append(s.path, key...)
	object.key = false
}

// left is called behind each value: in an object, a key comes next.
func (s *shallowing) left() {
	if top := s.top(); top != nil {
		top.key = true
	}
}

func (s *shallowing) value(text json.RawMessage) {
	values, wanted := s.found[string(s.path)]
	for _, pattern := range s.patterns {
		wanted = wanted || fits(pattern, string(s.path))
	}
	if wanted {
		s.found[string(s.path)] = append(values, text)
	}
	for _, path := range s.leaves {
		if strings.HasPrefix(string(s.path), path+".") {
			s.found[path] = append(s.found[path], text)
		}
	}
	s.left()
}
