package search

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"esrule/internal/date"
	"esrule/internal/event"
)

// fieldReader reads the fields of one index.
type fieldReader struct {
	*facts
	index  string
	mapped mappedFields
	filter sourceFilter
}

// read returns what the index makes of a path; Unmapped if nothing. missing says that neither
// `_source` nor the search's `fields` has its values: `fields` reads `_source` for all but
// constants and runtime fields.
func (r *fieldReader) read(path string) (field event.FieldMapping, missing bool) {
	if computed, ok := r.whole[r.index].runtime[path]; ok {
		return r.runtime(path, computed), false
	}
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
	missing = r.filter.leavesOut(origin)
	for _, source := range r.whole[r.index].copies[concrete] {
		// The matcher reads what is copied from `_source`; a signal has what `fields` says.
		field.Copied, field.FromFields = append(field.Copied, source), true
		missing = missing || r.filter.leavesOut(source)
	}
	field.NotInSource = missing
	if field.Name == "constant_keyword" {
		field.FromFields, field.NotInSource = true, true
		return field, false
	}
	// Lower case is made of `_source`: `fields` would write a number anew, 1e0 as 1.0.
	if n := field.Normalizer; n != nil && (!n.Lowercase || missing) {
		field.FromFields, field.OnlyFields = true, true
	}
	if field.IsDate() && (len(field.Copied) > 0 || missing || !date.Plain(field.Formats)) {
		field.FromFields, field.ServerRead, field.Copied = true, true, nil
		// a search sees those of the whole document only
		field.DocValues = field.DocValues && field.Nested == ""
		missing = missing && !field.DocValues
	}
	return field, missing
}

// runtime describes a field that the index computes, whatever it maps under the same name. Nothing
// is looked up in an index: it would be computed for every document.
func (r *fieldReader) runtime(path string, computed runtimeField) event.FieldMapping {
	field := event.FieldMapping{
		Type: event.TypeOf(computed.Type), Name: computed.Type, Formats: computed.Format,
		FromFields: true, OnlyFields: true, NotInSource: true,
		Nested: r.caps.nestedParent(r.index, path),
	}
	field.ServerRead, field.DocValues = readByServer(field)
	return field
}

// readByServer says how the values of a field are read that is computed. Before 8.2 `fields` of a
// runtime field below a nested parent fails the shard.
func readByServer(f event.FieldMapping) (serverRead, docValues bool) {
	return f.IsDate(), f.IsDate() || f.Nested != "" && f.FromFields
}

// concrete reads a mapped field that is no alias. origin is the path under which `_source` has its
// values.
func (r *fieldReader) concrete(path string) (field event.FieldMapping, origin string) {
	m, ok := r.mapped[path]
	if !ok || m.Type == "" || m.isAlias() {
		return r.flattenedKey(path)
	}
	field = event.FieldMapping{Type: event.TypeOf(m.Type), Name: m.Type, Formats: m.Format,
		Constant: text(m.Value), ScalingFactor: m.Scaling}
	if !isNull(m.NullValue) {
		field.NullValue, field.HasNullValue = text(m.NullValue), true
	}
	switch field.Type {
	case event.Text:
		field.Words = r.words(path, m)
		if name, sub, ok := wholeValues(m.Fields); ok {
			r.setExact(&field, path+"."+name, sub)
		}
	case event.Date, event.DateNanos:
		r.setExact(&field, path, m)
		field.DocValues = m.DocValues == nil || *m.DocValues
	case event.Object, event.Unmapped:
	case event.Other:
		field.Leaves = true
	case event.Keyword, event.Integer, event.Unsigned, event.Float, event.Boolean, event.IP,
		event.Version:
		field.NoCoerce = m.Coerce != nil && !*m.Coerce
		if m.Type == "flattened" {
			r.setFlattened(&field, path, m)
			field.Leaves = true
			break
		}
		r.setExact(&field, path, m)
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

func (r *fieldReader) setExact(f *event.FieldMapping, path string, m mappedField) {
	if _, shadowed := r.whole[r.index].runtime[path]; shadowed {
		return // a query for path would ask the runtime field
	}
	f.Exact = path
	f.IgnoreAbove = limit(m.IgnoreAbove)
	if m.Normalizer != nil {
		f.Normalizer = r.analysis[r.index].normalizer(*m.Normalizer)
	}
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

// wholeValues chooses among the sub-fields of a text field the one that finds most whole values: as
// they are rather than normalized, by an index rather than a walk, up to the greatest length.
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
		if !isNull(m.NullValue) {
			field.NullValue, field.HasNullValue = text(m.NullValue), true
		}
		r.setFlattened(&field, path, m)
		return field, origin
	}
	return event.FieldMapping{}, path
}

// setFlattened is setExact for a flattened field and its keys. `_ignored` does not name a flattened
// field whose value was too long for its index. No query finds such a document, so none may narrow
// by this field.
func (r *fieldReader) setFlattened(f *event.FieldMapping, path string, m mappedField) {
	if limit(m.IgnoreAbove) == 0 {
		r.setExact(f, path, m)
	}
}

// unlisted reads a path that the mapping API does not list: an object (known only where a field
// below it was asked for too), or a field that exists by other means, of which nothing is known but
// its type.
func (r *fieldReader) unlisted(path string) event.FieldMapping {
	name := r.caps.typeOf(r.index, path)
	if name == "" {
		return event.FieldMapping{}
	}
	field := event.FieldMapping{Type: event.TypeOf(name), Name: name,
		Nested: r.caps.nestedParent(r.index, path)}
	field.FromFields = field.Type != event.Object
	field.NotInSource = field.FromFields
	field.ServerRead, field.DocValues = readByServer(field)
	field.Leaves = field.Type == event.Other || name == "flattened"
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
