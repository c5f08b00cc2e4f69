package search

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"esrule/internal/event"
)

// remoteMappings adds what the indices of one remote cluster make of fields. Only `_field_caps` is
// answered across clusters: it says types, and no parameter (formats, normalizers, null_value,
// ignore_above, what `_source` leaves out). So values are taken from doc values, which are those of
// the index whatever the parameters are, and the server reads the rule's constants (see
// profile.go). A field without doc values keeps its indices from being judged.
//
// Where the cluster does not answer, nothing is added: the point in time names it.
func (c *Cluster) remoteMappings(
	ctx context.Context, patterns, fields []string, into map[string]*event.Mapping,
) error {
	fields, err := c.expanded(ctx, patterns, fields)
	var caps capabilities
	if err == nil {
		asked := withParents(fields)
		for _, path := range fields {
			asked = append(asked, path+".*") // the sub-fields of a text field
		}
		caps, err = c.capabilities(ctx, patterns, asked)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		c.options.Logger.Debug("a remote cluster does not say what its fields are",
			"patterns", patterns, "error", err)
		return nil
	}
	for index := range caps.indices {
		m := &event.Mapping{Fields: map[string]event.FieldMapping{}}
		for _, path := range fields {
			field, unknown := caps.remoteField(index, path)
			if unknown != "" {
				m.Unknown = append(m.Unknown, fmt.Sprintf("%s: %s", path, unknown))
			}
			if field.Type != event.Unmapped {
				m.Fields[path] = field
			}
		}
		into[index] = m
	}
	return nil
}

// remoteField returns what an index of a remote cluster makes of a path. unknown says why its
// values cannot be known, and is empty where they can.
func (c *capabilities) remoteField(index, path string) (field event.FieldMapping, unknown string) {
	f, found := c.in(index, path)
	for parent := range parents(path) {
		switch above, ok := c.in(index, parent); {
		case !ok:
		case above.Type == "nested" && found:
			return event.FieldMapping{}, "it is in nested objects (" + parent +
				"), which have no doc values of their own"
		case above.Type == "flattened" && !found:
			f, found = above, true
		}
	}
	if !found {
		return event.FieldMapping{}, ""
	}
	field = event.FieldMapping{
		Type: event.TypeOf(f.Type), Name: f.Type, FromFields: true, OnlyFields: true,
		DocValues: true,
	}
	switch field.Type {
	case event.Object:
		return event.FieldMapping{Type: event.Object, Name: f.Type}, ""
	case event.Text:
		sub, why := c.wholeText(index, path)
		if why != "" {
			return event.FieldMapping{}, why
		}
		field.Type, field.Exact, field.Normalizer = event.Keyword, sub, &event.Normalizer{}
		return field, ""
	case event.Other:
		return event.FieldMapping{}, "what a field of type " + f.Type +
			" holds is not told across clusters"
	case event.Keyword:
		if f.Type == "flattened" {
			break // no term: an alias, and a key, may be of another name
		}
		// A wildcard field and a constant_keyword call themselves keywords.
		field.Name, field.Exact, field.Normalizer = "keyword or wildcard", path, &event.Normalizer{}
	case event.Date, event.DateNanos:
		field.Exact, field.ServerRead = path, true
	case event.Float:
		if f.Type == "scaled_float" {
			return event.FieldMapping{}, "the factor of a scaled_float is not told across clusters"
		}
		field.Exact = path
	case event.Unmapped, event.Integer, event.Unsigned, event.Boolean, event.IP, event.Version,
		event.Untyped:
		field.Exact = path
	}
	if !f.Aggregatable || !f.Searchable {
		return event.FieldMapping{}, "it keeps no doc values, or cannot be searched: " +
			"its values are not told across clusters"
	}
	return field, ""
}

// wholeText returns the sub-field that holds the whole values of a text field. Which one of several
// Elasticsearch's EQL takes is not known.
func (c *capabilities) wholeText(index, path string) (sub, why string) {
	var subs []string
	for name := range c.types {
		if !strings.HasPrefix(name, path+".") || strings.Contains(name[len(path)+1:], ".") {
			continue
		}
		f, ok := c.in(index, name)
		if ok && event.TypeOf(f.Type) == event.Keyword && f.Aggregatable && f.Searchable {
			subs = append(subs, name)
		}
	}
	if len(subs) != 1 {
		return "", fmt.Sprintf("it is a text field with %d keyword sub-fields: "+
			"whole values are told across clusters where it has one", len(subs))
	}
	return subs[0], ""
}

// in returns what an index says of a path; ok is false where it has no such field.
func (c *capabilities) in(index, path string) (f capability, ok bool) {
	for _, one := range c.types[path] {
		elsewhere := len(one.Indices) > 0 && !slices.Contains(one.Indices, index)
		if one.Type == "unmapped" || one.Metadata || elsewhere {
			continue
		}
		isOther := func(indices []string) bool {
			return len(indices) > 0 && !slices.Contains(indices, index)
		}
		one.Searchable = one.Searchable || isOther(one.NonSearchable)
		one.Aggregatable = one.Aggregatable || isOther(one.NonAggregatable)
		return one, true
	}
	return capability{}, false
}
