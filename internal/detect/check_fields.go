package detect

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
	"esrule/internal/event"
	"esrule/internal/finding"
	"esrule/internal/query/cond"
	"esrule/internal/query/lint"
)

// named are the fields that the rule names: its matchers read one more, event.kind, to know its own
// signals.
func (d *Detection) named() []string {
	var paths []string
	for _, m := range d.Matchers {
		for _, f := range cond.Fields(m.Condition()) {
			paths = append(paths, f.Path)
		}
	}
	if d.Sequence != nil {
		paths = append(paths, d.Sequence.Keys()...)
	}
	if d.Threshold != nil {
		paths = append(paths, d.Threshold.Paths()...)
	}
	if d.Threat != nil {
		paths = append(paths, d.Threat.Plan.EventFields()...)
	}
	if d.NewTerms != nil {
		paths = append(paths, d.NewTerms.Fields.Paths()...)
	}
	return slices.DeleteFunc(d.Fields.Paths(),
		func(path string) bool { return !slices.Contains(paths, path) })
}

// mappings are what the classes make of a field, or of all that fit a path with stars, each that
// differs once; a zero one stands for the classes that do not map it.
func mappings(classes []search.Class, path string) []event.FieldMapping {
	var list []event.FieldMapping
	add := func(m event.FieldMapping) {
		same := func(other event.FieldMapping) bool { return reflect.DeepEqual(m, other) }
		if !slices.ContainsFunc(list, same) {
			list = append(list, m)
		}
	}
	for _, class := range classes {
		fitting := class.Mapping.FieldsOf(path)
		for _, name := range fitting {
			add(class.Mapping.Fields[name])
		}
		if len(fitting) == 0 {
			add(event.FieldMapping{})
		}
	}
	return list
}

// multiFields says of each unmapped field that is named like a multi-field (process.name.keyword)
// how the field before it is mapped, where that one holds whole values itself.
func (d *Detection) multiFields(ctx context.Context, c Counter, patterns []string,
	classes []search.Class) (map[string]string, error) {
	parents := map[string]string{} // of the fields
	var asked []string
	for _, path := range d.named() {
		parent, ok := lint.MultiFieldOf(path)
		lacking := func(m event.FieldMapping) bool { return m.Type == event.Unmapped }
		if ok && slices.ContainsFunc(mappings(classes, path), lacking) {
			parents[path] = parent
			asked = append(asked, parent)
		}
	}
	if len(asked) == 0 {
		return nil, nil
	}
	found, err := c.Mappings(ctx, patterns, asked)
	if err != nil {
		return nil, err
	}
	hints := map[string]string{}
	for path, parent := range parents {
		for _, m := range mappings(found, parent) {
			if m.Type == event.Keyword {
				hints[path] = fmt.Sprintf("%s itself is of type %s: write that", parent, m.Name)
			}
		}
	}
	return hints, nil
}

// missing writes the fields that a mapping lacks, each with what may be known of it.
func missing(paths []string, hints map[string]string) string {
	texts := make([]string, len(paths))
	for i, path := range paths {
		texts[i] = path
		if hint := hints[path]; hint != "" {
			texts[i] += " (" + hint + ")"
		}
	}
	return strings.Join(texts, ", ")
}

// silentIndices are indices that were not counted.
func silentIndices(failures []search.Failure) (all []Failure) {
	for _, f := range failures {
		all = append(all, Failure{Index: f.Index, Reason: f.Reason})
	}
	return all
}

// silent names the indices that were not counted, each reason once.
func (p *PatternCheck) silent(failures []search.Failure) {
	for _, alike := range ByReason(silentIndices(failures)) {
		does, is := "does", "is"
		if n := len(alike.Indices); n > 1 {
			does, is = fmt.Sprintf("(%d indices) do", n), "are"
		}
		p.Add(finding.Finding{Code: finding.IndexSilent, Index: alike.Indices[0],
			Text: fmt.Sprintf("%s %s not answer, and %s not in the numbers here: %s",
				strings.Join(alike.Indices, ", "), does, is, alike.Reason)})
	}
}

// countTimeless counts the documents, of whatever time, that no window of the rule can hold.
func (d *Detection) countTimeless(ctx context.Context, c Counter, check *PatternCheck) error {
	t := d.Timestamps()
	fields := t.Fields()
	if t.NoFallback && t.Override != "" {
		fields = []string{t.Override}
	}
	lacking := make([]dsl.Clause, len(fields))
	for i, field := range fields {
		lacking[i] = dsl.Not(dsl.Exists(field))
	}
	found, err := c.Count(ctx, []string{check.Pattern}, dsl.And(lacking...))
	if err != nil {
		return err
	}
	check.Timeless = found.Documents
	if check.Timeless > 0 {
		check.found(finding.NoTimestamp, "%d documents, of all that there are, have no %s: they "+
			"are in no window and are never searched", check.Timeless,
			strings.Join(fields, " and no "))
	}
	return nil
}
