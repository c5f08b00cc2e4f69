package match

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"esrule/internal/event"
	"esrule/internal/query/cond"
)

// Unknown says of which fields of a mapping the condition asks what only their indices know. Not
// empty, it keeps the events of those indices from being judged.
func (m *Matcher) Unknown(mapping *event.Mapping) (unknown []string) {
	for _, path := range slices.Sorted(maps.Keys(mapping.Fields)) {
		f := mapping.Fields[path]
		isKnown := f.Words != nil && f.Words.Standard
		if f.Type == event.Text && !isKnown && meansAny(m.worded, path) {
			analyzer := "an analyzer that is not known"
			if f.Words != nil {
				analyzer = "the analyzer " + cmp.Or(f.Words.Analyzer, f.Name)
			}
			unknown = append(unknown, fmt.Sprintf("%s: KQL compares its words, which %s makes, "+
				"and not the standard one with its defaults", path, analyzer))
		}
		if f.ServerRead && meansAny(patterns(m.worded), path) {
			unknown = append(unknown, fmt.Sprintf("%s: what its format makes of the constants of a "+
				"pattern of fields is not asked: name the field itself", path))
		}
		if f.FromFields && f.Constant == "" && meansAny(m.scoped, path) {
			unknown = append(unknown, fmt.Sprintf("%s: which object has which of its values is "+
				"known to the index only", path))
		}
	}
	return unknown
}

func patterns(fields []*cond.Field) (wild []*cond.Field) {
	for _, f := range fields {
		if f.Wild {
			wild = append(wild, f)
		}
	}
	return wild
}

// meansAny reports whether one of some fields, patterns among them, means a path.
func meansAny(some []*cond.Field, path string) bool {
	return slices.ContainsFunc(some, func(f *cond.Field) bool {
		return f.Path == path || f.Wild && event.StandsFor(f.Path, path)
	})
}
