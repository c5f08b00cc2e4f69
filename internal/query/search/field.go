package search

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"esrule/internal/query/date"
	"esrule/internal/query/event"
)

// fieldReader reads the fields of one index.
type fieldReader struct {
	*facts
	index  string
	mapped mappedFields
	filter sourceFilter
}

// read tells what the index makes of a path; Unmapped if nothing. missing says that neither `_source` nor the
// search's `fields` gives its values: `fields` reads `_source` for all but constants and runtime fields.
func (r *fieldReader) read(path string) (field event.FieldMapping, missing bool) {
	concrete := path
	if m := r.mapped[path]; m.isAlias() {
		concrete = m.Path
	}
	field, origin := r.concrete(concrete)
	if field.Type == event.Unmapped {
		// The key of a flattened field may be written with the alias of that field.
		field, origin = r.flattenedKey(path)
	}
	if field.Type == event.Unmapped {
		return r.unlisted(path), false
	}
	field.Nested = r.caps.nestedParent(r.index, path)
	if origin != path {
		field.SourcePath = origin
	}
	field.FromFields = r.copies[r.index][path] || r.copies[r.index][origin]
	if field.Name == "constant_keyword" {
		field.FromFields = true
		return field, false
	}
	missing = r.filter.leavesOut(origin)
	if field.IsDate() && (field.FromFields || missing || !date.Plain(field.Formats)) {
		field.FromFields, field.ServerRead = true, true
		field.DocValues = field.DocValues && field.Nested == "" // a search sees those of the whole document only
		missing = missing && !field.DocValues
	}
	return field, missing
}

// concrete reads a mapped field that is no alias. origin is the path under which `_source` has its values.
func (r *fieldReader) concrete(path string) (field event.FieldMapping, origin string) {
	m, ok := r.mapped[path]
	if !ok || m.Type == "" || m.isAlias() {
		return r.flattenedKey(path)
	}
	field = event.FieldMapping{Type: event.TypeOf(m.Type), Name: m.Type, Formats: m.Format, Constant: text(m.Value), ScalingFactor: m.Scaling}
	if !isNull(m.NullValue) {
		field.NullValue, field.HasNullValue = text(m.NullValue), true
	}
	switch field.Type {
	case event.Text:
		if name, sub, ok := wholeValues(m.Fields); ok {
			setExact(&field, path+"."+name, sub)
		}
	case event.Date, event.DateNanos:
		setExact(&field, path, m)
		field.DocValues = m.DocValues == nil || *m.DocValues
	case event.Object, event.Other, event.Unmapped:
	case event.Keyword, event.Integer, event.Unsigned, event.Float, event.Boolean, event.IP, event.Version:
		setExact(&field, path, m)
	}
	return field, r.origin(path)
}

// origin is the field whose values a multi-field indexes once more, or the path itself.
func (r *fieldReader) origin(path string) string {
	if dot := strings.LastIndexByte(path, '.'); dot > 0 {
		if _, ok := r.mapped[path[:dot]].Fields[path[dot+1:]]; ok {
			return path[:dot]
		}
	}
	return path
}

func setExact(f *event.FieldMapping, path string, m mappedField) {
	f.Exact = path
	f.IgnoreAbove = limit(m.IgnoreAbove)
	f.Normalized = m.Normalizer != nil
	// Types that have no such parameter (constant_keyword, wildcard) are always indexed.
	if m.Index != nil && !*m.Index {
		hasDocValues := m.DocValues != nil && *m.DocValues
		f.Unindexed, f.Unsearchable = hasDocValues, !hasDocValues
	}
}

// limit reads an ignore_above; the largest number there is stands for none.
func limit(ignoreAbove int) int {
	if ignoreAbove >= math.MaxInt32 {
		return 0
	}
	return ignoreAbove
}

// wholeValues chooses among the sub-fields of a text field the one that finds most whole values: as they are
// rather than normalized, by an index rather than a walk, up to the greatest length.
func wholeValues(subs map[string]mappedField) (name string, sub mappedField, ok bool) {
	var names []string
	for name, m := range subs {
		if event.TypeOf(m.Type) == event.Keyword {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "", mappedField{}, false
	}
	slices.SortFunc(names, func(a, b string) int {
		x, y := subs[a], subs[b]
		switch {
		case (x.Normalizer != nil) != (y.Normalizer != nil):
			return first(x.Normalizer == nil)
		case x.indexed() != y.indexed():
			return first(x.indexed())
		case x.reach() != y.reach():
			return first(x.reach() > y.reach())
		}
		return strings.Compare(a, b)
	})
	return names[0], subs[names[0]], true
}

func first(isBetter bool) int {
	if isBetter {
		return -1
	}
	return 1
}

func (m *mappedField) indexed() bool { return m.Index == nil || *m.Index }

func (m *mappedField) reach() int {
	if n := limit(m.IgnoreAbove); n > 0 {
		return n
	}
	return math.MaxInt
}

// flattenedKey reads a path as a key in a flattened field above it.
func (r *fieldReader) flattenedKey(path string) (field event.FieldMapping, origin string) {
	for parent := range parents(path) {
		origin = path
		m, ok := r.mapped[parent]
		if ok && m.isAlias() {
			origin = m.Path + strings.TrimPrefix(path, parent)
			m, ok = r.mapped[m.Path]
		}
		if !ok || m.Type != "flattened" {
			continue
		}
		field = event.FieldMapping{Type: event.Keyword, Name: m.Type}
		// `_ignored` does not name a flattened field whose value was too long for its index. No query finds such
		// a document, so none may narrow by this field.
		if limit(m.IgnoreAbove) == 0 {
			setExact(&field, path, m)
		}
		return field, origin
	}
	return event.FieldMapping{}, path
}

// unlisted reads a path that the mapping API does not list: an object (known only where a field below it was asked
// for too), or a field that exists by other means. Nothing is known of a runtime field but its type, so no query names it.
func (r *fieldReader) unlisted(path string) event.FieldMapping {
	name := r.caps.typeOf(r.index, path)
	if name == "" {
		return event.FieldMapping{}
	}
	field := event.FieldMapping{Type: event.TypeOf(name), Name: name, Nested: r.caps.nestedParent(r.index, path)}
	field.FromFields = field.Type != event.Object
	field.ServerRead = field.IsDate()
	// Before 8.2 `fields` of a runtime field below a nested parent fails the shard.
	field.DocValues = field.ServerRead || field.Nested != "" && field.FromFields
	return field
}

func isNull(value json.RawMessage) bool { return len(value) == 0 || string(value) == "null" }

// text is a JSON scalar as text: a string without its quotes, else as written.
func text(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) == nil {
		return s
	}
	return string(value)
}
