package search

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// wholeMapping is what only the whole mapping of an index says, and not its answer about a field.
type wholeMapping struct {
	copies  map[string][]string     // by target: the fields that copy_to copies there
	runtime map[string]runtimeField // by path; each shadows a mapped field of its name
	// through are the pass-through objects by their paths, with their priorities: a field in one of
	// them goes by its name without that path too.
	through map[string]int
}

// runtimeField is a field that the index computes for each document.
type runtimeField struct {
	Type   string                  `json:"type"`
	Format string                  `json:"format"`
	Fields map[string]runtimeField `json:"fields"` // of a composite one
}

// wholeMappings reads the mappings of all indices, filtered by the server.
func (c *Cluster) wholeMappings(ctx context.Context,
	patterns []string) (map[string]wholeMapping, error) {
	const runtime = "*.mappings.runtime.*."
	params := openIndices()
	params.Set("filter_path", commas([]string{
		"*.mappings.**.copy_to", "*.mappings.**.priority",
		runtime + "type", runtime + "format", runtime + "fields.*.type", runtime +
			"fields.*.format",
	}))
	answer := wholeAnswer{}
	if _, err := c.askIndices(ctx, patterns, func(patterns []string) call {
		return call{method: http.MethodGet, path: "/" + joined(patterns) + "/_mapping",
			params: params}
	}, &answer); err != nil {
		return nil, err
	}
	all := map[string]wholeMapping{}
	for index, a := range answer {
		w := wholeMapping{copies: map[string][]string{}, runtime: map[string]runtimeField{},
			through: map[string]int{}}
		w.properties("", a.Mappings.Properties)
		for path, field := range a.Mappings.Runtime {
			if len(field.Fields) == 0 {
				w.runtime[path] = field
			}
			for name, inner := range field.Fields {
				w.runtime[path+"."+name] = inner
			}
		}
		for _, sources := range w.copies {
			slices.Sort(sources)
		}
		all[index] = w
	}
	return all, nil
}

// wholeAnswer holds the indices of which something was asked for that they have.
type wholeAnswer = byIndex[struct {
	Mappings struct {
		Properties map[string]json.RawMessage `json:"properties"`
		Runtime    map[string]runtimeField    `json:"runtime"`
	} `json:"mappings"`
}]

// properties collects from the fields of an object.
func (w *wholeMapping) properties(parent string, fields map[string]json.RawMessage) {
	for name, text := range fields {
		path := strings.TrimPrefix(parent+"."+name, ".")
		var field struct {
			CopyTo     json.RawMessage            `json:"copy_to"`
			Priority   *int                       `json:"priority"`
			Properties map[string]json.RawMessage `json:"properties"`
		}
		if json.Unmarshal(text, &field) != nil {
			continue // not of the mapping's form: nothing that was asked for
		}
		for _, target := range oneOrMore(field.CopyTo) {
			w.copies[target] = append(w.copies[target], path)
		}
		if field.Priority != nil {
			w.through[path] = *field.Priority
		}
		w.properties(path, field.Properties)
	}
}

// oneOrMore reads a list of texts that may be written as one text.
func oneOrMore(text json.RawMessage) []string {
	var one string
	if json.Unmarshal(text, &one) == nil && one != "" {
		return []string{one}
	}
	var list []string
	if json.Unmarshal(text, &list) != nil {
		return nil
	}
	return list
}

// passThrough enters the fields of pass-through objects as aliases under the names without the path
// of the object, which the mapping API does not know.
func (c *Cluster) passThrough(ctx context.Context, patterns, fields []string, f *facts) error {
	objects := map[string]bool{}
	for _, w := range f.whole {
		for path := range w.through {
			objects[path] = true
		}
	}
	if len(objects) == 0 {
		return nil
	}
	paths := withParents(fields)
	var inside []string
	for object := range objects {
		for _, path := range paths {
			inside = append(inside, object+"."+path)
		}
	}
	slices.Sort(inside)
	found, err := c.mappedFields(ctx, patterns, inside)
	if err != nil {
		return err
	}
	f.mapped = merge(f.mapped, found)
	for index, w := range f.whole {
		if f.mapped[index] == nil {
			continue // it did not answer
		}
		for _, path := range paths {
			_, mapped := f.mapped[index][path]
			if object := w.objectOf(path, f.mapped[index]); object != "" && !mapped &&
				f.caps.typeOf(index, path) != "" {
				f.mapped[index][path] = mappedField{Type: "alias", Path: object + "." + path}
			}
		}
	}
	return nil
}

// objectOf returns the pass-through object of the highest priority that has a field.
func (w *wholeMapping) objectOf(path string, mapped mappedFields) string {
	best, highest := "", 0
	for object, priority := range w.through {
		if _, ok := mapped[object+"."+path]; ok && (best == "" || priority > highest) {
			best, highest = object, priority
		}
	}
	return best
}
