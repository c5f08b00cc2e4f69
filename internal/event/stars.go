package event

import (
	"slices"
	"strings"
)

// StandsFor reports whether a path of a rule stands for a field: by its name, or by its stars.
func StandsFor(path, field string) bool {
	return path == field || strings.Contains(path, "*") && fits(path, field)
}

// FieldsOf returns the mapped fields that a path of a rule stands for.
func (m *Mapping) FieldsOf(path string) []string {
	if _, ok := m.Fields[path]; ok {
		return []string{path}
	}
	if !strings.Contains(path, "*") {
		return nil
	}
	var fields []string
	for name := range m.Fields {
		if fits(path, name) {
			fields = append(fields, name)
		}
	}
	slices.Sort(fields)
	return fields
}
