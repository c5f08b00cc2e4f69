package search

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"esrule/internal/date"
	"esrule/internal/elastic"
	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/indexpattern"
	"esrule/internal/event"
)

// ReadDates completes classes by what the server makes of constants that a rule compares fields
// with, by path. It asks only about dates that esrule does not read itself. An index that does not
// say what it makes of a constant is in no class afterwards, as one that does not say what its
// fields are.
func (c *Cluster) ReadDates(ctx context.Context, classes []Class,
	constants map[string][]string) ([]Class, error) {
	read := &readings{cluster: c, found: map[indexedField]date.Constants{},
		silent: map[string]bool{}}
	for _, path := range slices.Sorted(maps.Keys(constants)) {
		fields := served(classes, path)
		for _, text := range constants[path] {
			if len(fields) == 0 || date.IsRelative(text) {
				continue // date math from now is the same in every format
			}
			if err := read.constant(ctx, fields, path, text); err != nil {
				return nil, err
			}
		}
	}
	if len(read.silent) == 0 { // none was asked
		return classes, nil
	}
	mappings := map[string]*event.Mapping{}
	for _, class := range classes {
		for _, index := range class.Indices {
			if !read.silent[index] {
				mappings[index] = read.complete(index, class.Mapping)
			}
		}
	}
	return classesOf(mappings), nil
}

// served returns, by index, the type of a field that is a date that only the server reads, and can
// be searched.
func served(classes []Class, path string) map[string]event.Type {
	types := map[string]event.Type{}
	for _, class := range classes {
		if f := class.Mapping.Fields[path]; f.IsDate() && f.ServerRead && !f.Unsearchable {
			for _, index := range class.Indices {
				types[index] = f.Type
			}
		}
	}
	return types
}

// readings are what indices make of constants.
type readings struct {
	cluster *Cluster
	found   map[indexedField]date.Constants
	silent  map[string]bool // the indices that did not say
}

type indexedField struct{ index, path string }

// complete returns an index's mapping with what was read.
func (r *readings) complete(index string, m *event.Mapping) *event.Mapping {
	whole := *m
	whole.Fields = maps.Clone(m.Fields)
	for path, field := range whole.Fields {
		if constants, ok := r.found[indexedField{index, path}]; ok {
			field.Constants = &constants
			whole.Fields[path] = field
		}
	}
	return &whole
}

// constant asks indices what they make of one constant. The explanation of a query for it names the
// first and the last instant, as the field holds them: that is how Elasticsearch rounds a date that
// leaves something out.
func (r *readings) constant(ctx context.Context, types map[string]event.Type, path,
	text string) error {
	// A term shows both bounds whatever the index holds. Of a runtime field it shows the first
	// only.
	query := dsl.Or(dsl.Term(path, text, false),
		dsl.Range(path, "", map[string]any{"gte": text, "lte": text}))
	indices := slices.Sorted(maps.Keys(types))
	told := map[string]bool{}
	local := indexpattern.Local(indices)
	if len(local) < len(indices) {
		remote := slices.DeleteFunc(slices.Clone(indices), func(i string) bool {
			return !indexpattern.IsRemote(i)
		})
		said, err := r.cluster.explain(ctx, remote, query)
		if err != nil {
			return err
		}
		r.note(said, types, path, text, told)
	}
	for part := range portionsOf(local) {
		if len(part) == 0 {
			continue
		}
		q := call{method: http.MethodPost, params: openIndices(),
			body: map[string]dsl.Clause{"query": query}}
		q.params.Set("explain", "true")
		var answer explained
		if _, err := r.cluster.askIndices(ctx, part, func(names []string) call {
			q.path = "/" + joined(names) + "/_validate/query"
			return q
		}, &answer); err != nil {
			var refused *elastic.Error
			if !errors.As(err, &refused) {
				return err
			}
			r.cluster.options.Logger.Warn("indices do not say what a rule's date means in them: "+
				"what they hold is not judged",
				"field", path, "constant", text, "indices", len(part), "error", err)
		}
		r.note(answer.Explanations, types, path, text, told)
	}
	for _, index := range indices {
		r.silent[index] = r.silent[index] || !told[index]
	}
	return nil
}

// note enters what indices say of a constant, and that they did.
func (r *readings) note(said []explanation, types map[string]event.Type, path, text string,
	told map[string]bool) {
	for _, e := range said {
		if span, taken, ok := e.read(types[e.Index]); ok {
			told[e.Index] = true
			r.enter(indexedField{e.Index, path}, text, span, taken)
		}
	}
}

// enter notes what an index makes of a constant. taken is false where its format does not take it.
func (r *readings) enter(field indexedField, text string, span date.Span, taken bool) {
	if r.found[field] == nil {
		r.found[field] = date.Constants{}
	}
	if taken {
		r.found[field][text] = span
	}
}

// explained is the answer of the validate API.
type explained struct {
	Valid        *bool         `json:"valid"`
	Explanations []explanation `json:"explanations"`
}

type explanation struct {
	Index       string `json:"index"`
	Valid       bool   `json:"valid"`
	Explanation string `json:"explanation"`
	Error       string `json:"error"`
}

func (e *explained) Check() error {
	if e.Valid == nil {
		return elastic.Lacks("valid")
	}
	return nil
}

// read returns what an explanation says of a constant; ok is false where it says nothing.
func (e *explanation) read(field event.Type) (span date.Span, taken, ok bool) {
	if !e.Valid {
		return span, false, strings.Contains(e.Error, "failed to create query")
	}
	bounds := regexp.MustCompile(`:\[(-?\d+) TO (-?\d+)\]`).FindStringSubmatch(e.Explanation)
	if bounds == nil {
		return span, false, false
	}
	first, err := strconv.ParseInt(bounds[1], 10, 64)
	last, errLast := strconv.ParseInt(bounds[2], 10, 64)
	instant := time.UnixMilli
	if field == event.DateNanos {
		instant = func(n int64) time.Time { return time.Unix(0, n) }
	}
	return date.Span{First: date.At(instant(first)), Last: date.At(instant(last))}, true,
		err == nil && errLast == nil
}
