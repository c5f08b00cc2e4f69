package match

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"esrule/internal/event"
	"esrule/internal/query/cond"
)

// worded is a leaf that compares a field by its words where it is a text.
type worded struct {
	leaf     cond.Expr
	inObject bool // one object of several must satisfy it
}

// Unknown says of which fields of a mapping the condition asks what only their indices know, and
// cannot be asked. Not empty, it keeps the events of those indices from being judged.
func (m *Matcher) Unknown(mapping *event.Mapping) (unknown []string) {
	compared := make([]*cond.Field, len(m.worded))
	for i, w := range m.worded {
		compared[i] = cond.Compared(w.leaf)
	}
	for _, path := range slices.Sorted(maps.Keys(mapping.Fields)) {
		f := mapping.Fields[path]
		for i, w := range m.worded {
			if why := w.unanswered(f); why != "" && means(compared[i], path) {
				unknown = append(unknown, path+": KQL compares its words, which "+why)
			}
		}
		if f.ServerRead && meansAny(patterns(compared), path) {
			unknown = append(unknown,
				fmt.Sprintf("%s: what its format makes of the constants of a "+
					"pattern of fields is not asked: name the field itself", path))
		}
		if f.FromFields && f.Constant == "" && meansAny(m.scoped, path) {
			unknown = append(unknown, fmt.Sprintf("%s: which object has which of its values is "+
				"known to the index only", path))
		}
	}
	return slices.Compact(unknown)
}

// Asked returns the fields of a mapping, with their analyzers, of which the condition compares
// words that only the index knows and says of each event.
func (m *Matcher) Asked(mapping *event.Mapping) (fields []string) {
	for _, path := range slices.Sorted(maps.Keys(mapping.Fields)) {
		f := mapping.Fields[path]
		if f.IndexHasWords() && slices.ContainsFunc(m.worded, func(w worded) bool {
			return means(cond.Compared(w.leaf), path) && w.unanswered(f) == ""
		}) {
			fields = append(fields, fmt.Sprintf("%s (analyzer %s)", path,
				cmp.Or(f.Words.Analyzer, f.Name)))
		}
	}
	return fields
}

// unanswered says why it is not known whether a text satisfies the leaf; it is empty where it is,
// or where the index says it of each event.
func (w worded) unanswered(f event.FieldMapping) string {
	if f.Type != event.Text || f.Words != nil && f.Words.Standard {
		return ""
	}
	if f.Words == nil {
		return "an analyzer makes that is not known"
	}
	made := "the analyzer " + cmp.Or(f.Words.Analyzer, f.Name) + " makes, "
	is, isOne := w.leaf.(*cond.Is)
	switch {
	case w.inObject:
		return made + "and which object has which of them is known to the index only"
	case f.Words.Field == "":
		return made + "and the index cannot be asked: the field is not indexed"
	case isOne && is.Quoted && f.Words.NoPhrases:
		return made + "and the index does not know their order (index_options), which a phrase asks"
	}
	return ""
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
	return slices.ContainsFunc(some, func(f *cond.Field) bool { return means(f, path) })
}

// means reports whether a field, or a pattern of fields, means a path.
func means(f *cond.Field, path string) bool {
	return f.Path == path || f.Wild && event.StandsFor(f.Path, path)
}
