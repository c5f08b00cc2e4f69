package event

import "github.com/valyala/fastjson"

// Scope reads each object under a path of an event as an event of its own, which has nothing but
// that object, under its path. It is made once and reads the objects of one event after another; it
// is not safe for concurrent use.
type Scope struct {
	*Event
	path   string
	lookup *lookup
	arena  fastjson.Arena
}

// NewScope returns the scope of a path, for events that resolve the fields of f.
func NewScope(path string, f *Fields) *Scope {
	return &Scope{Event: New(f), path: path, lookup: newLookup(path)}
}

// Any reads one object after the other and reports whether one of them satisfies holds.
func (s *Scope) Any(outer *Event, holds func() bool) bool {
	s.arena.Reset()
	return s.any(outer, outer.Source(), s.lookup, holds)
}

// any walks every way in which the rest of the path can stand in v.
func (s *Scope) any(outer *Event, v *fastjson.Value, rest *lookup, holds func() bool) bool {
	if v == nil {
		return false
	}
	switch v.Type() {
	case fastjson.TypeArray:
		for _, item := range v.GetArray() {
			if s.any(outer, item, rest, holds) {
				return true
			}
		}
	case fastjson.TypeObject:
		if rest == nil {
			return s.holds(outer, v, holds)
		}
		o := v.GetObject()
		for i := range rest.steps {
			step := &rest.steps[i]
			if s.any(outer, o.Get(step.key), step.rest, holds) ||
				step.rest == nil && s.anyPart(outer, o, step.key, holds) {
				return true
			}
		}
	case fastjson.TypeNull, fastjson.TypeString, fastjson.TypeNumber, fastjson.TypeTrue,
		fastjson.TypeFalse:
	}
	return false
}

// anyPart reads the keys with dots that lead into an object which is not written as one: {"a.b": 1}
// is {"a": {"b": 1}}.
func (s *Scope) anyPart(outer *Event, o *fastjson.Object, key string, holds func() bool) bool {
	found := false
	o.Visit(func(name []byte, v *fastjson.Value) {
		if found || len(name) < len(key)+2 || name[len(key)] != '.' ||
			string(name[:len(key)]) != key {
			return
		}
		part := s.arena.NewObject()
		part.Set(string(name[len(key)+1:]), v)
		found = s.holds(outer, part, holds)
	})
	return found
}

func (s *Scope) holds(outer *Event, object *fastjson.Value, holds func() bool) bool {
	source := s.arena.NewObject()
	source.Set(s.path, object)
	s.reset(outer.mapping, source)
	s.extra, s.ignored = outer.extra, outer.ignored
	return holds()
}
