package search

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"esrule/internal/elastic"
	"esrule/internal/event"
)

// Mappings returns what the open indices of the patterns make of fields, by their paths; a path
// with a star stands for all fields that fit. Read after the opening of a point in time, so that it
// knows every index of which pages can come.
//
// An index that did not say all there is to know (it has no shard that answers) is in no class: its
// documents cannot be judged now, and the point in time names it among its failures if it could not
// be read.
func (c *Cluster) Mappings(ctx context.Context, patterns, fields []string) ([]Class, error) {
	if len(patterns) == 0 {
		return nil, nil
	}
	mappings := map[string]*event.Mapping{}
	err := c.inPortions(ctx, patterns, func(portion []string) error {
		if isRemote(portion) {
			return c.remoteMappings(ctx, portion, fields, mappings)
		}
		fields, err := c.expanded(ctx, portion, fields)
		if err != nil {
			return err
		}
		facts, err := c.facts(ctx, portion, fields)
		if err != nil {
			return err
		}
		if err := c.passThrough(ctx, portion, fields, facts); err != nil {
			return err
		}
		if hasNormalizer(facts.mapped) {
			if facts.analysis, err = c.analysis(ctx, portion); err != nil {
				return err
			}
		}
		facts.mappings(fields, mappings)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return classesOf(mappings), nil
}

// facts is what the cluster's several ways of asking say of each index.
type facts struct {
	mapped   map[string]mappedFields // by index
	caps     capabilities
	settings map[string]mappingSettings // by index
	whole    map[string]wholeMapping    // by index
	// analysis is asked for only where a field has a normalizer.
	analysis map[string]analysisSettings
}

// facts asks for what does not hang on each other at the same time: every search waits for it.
func (c *Cluster) facts(ctx context.Context, patterns, fields []string) (*facts, error) {
	f := &facts{}
	asking, ctx := errgroup.WithContext(ctx)
	asking.Go(func() error {
		asked := withParents(fields)
		var err error
		if f.mapped, err = c.mappedFields(ctx, patterns, asked); err != nil {
			return err
		}
		if targets := aliasTargets(f.mapped); len(targets) > 0 {
			behind, err := c.mappedFields(ctx, patterns, withParents(targets))
			if err != nil {
				return err
			}
			f.mapped = merge(f.mapped, behind)
			asked = withParents(slices.Concat(fields, targets))
		}
		f.caps, err = c.capabilities(ctx, patterns, asked)
		return err
	})
	asking.Go(func() (err error) {
		f.settings, err = c.mappingSettings(ctx, patterns)
		return err
	})
	asking.Go(func() (err error) {
		f.whole, err = c.wholeMappings(ctx, patterns)
		return err
	})
	return f, asking.Wait()
}

// withParents adds every parent of every path: a parent may be flattened, nested or left out of
// `_source`.
func withParents(paths []string) []string {
	all := map[string]bool{}
	for _, path := range paths {
		all[path] = true
		for parent := range parents(path) {
			all[parent] = true
		}
	}
	delete(all, "")
	return slices.Sorted(maps.Keys(all))
}

// parents gives the paths above a path, the nearest first.
func parents(path string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for i := strings.LastIndexByte(path, '.'); i > 0; i = strings.LastIndexByte(path, '.') {
			path = path[:i]
			if !yield(path) {
				return
			}
		}
	}
}

// mappedFields are the leaf fields of one index by path, with `_source` among them.
type mappedFields map[string]mappedField

// mappedField is a field as the mapping API gives it with its defaults, or `_source`.
type mappedField struct {
	Type        string                 `json:"type"`
	Path        string                 `json:"path"` // an alias's target
	IgnoreAbove int                    `json:"ignore_above"`
	NullValue   json.RawMessage        `json:"null_value"`
	Normalizer  *string                `json:"normalizer"`
	Index       *bool                  `json:"index"`
	DocValues   *bool                  `json:"doc_values"`
	Coerce      *bool                  `json:"coerce"`
	Format      string                 `json:"format"`
	Value       json.RawMessage        `json:"value"` // of a constant_keyword
	Scaling     float64                `json:"scaling_factor"`
	Fields      map[string]mappedField `json:"fields"`

	// Of a text field.
	IndexOptions        string `json:"index_options"`
	PositionGap         *int   `json:"position_increment_gap"`
	Analyzer            string `json:"analyzer"`
	SearchAnalyzer      string `json:"search_analyzer"`
	SearchQuoteAnalyzer string `json:"search_quote_analyzer"`

	// Of `_source`.
	Enabled  *bool    `json:"enabled"`
	Mode     string   `json:"mode"`
	Includes []string `json:"includes"`
	Excludes []string `json:"excludes"`
}

// mappedParameters keeps an answer over hundreds of indices small.
func mappedParameters() string {
	const field = "*.mappings.*.mapping.*."
	filter := []string{"*.mappings._source.mapping"}
	for _, name := range []string{"type", "ignore_above", "normalizer", "index", "doc_values",
		"null_value", "coerce", "index_options", "position_increment_gap", "analyzer",
		"search_analyzer", "search_quote_analyzer"} {
		filter = append(filter, field+name, field+"fields.*."+name)
	}
	for _, name := range []string{"path", "format", "value", "scaling_factor"} {
		filter = append(filter, field+name)
	}
	return strings.Join(filter, ",")
}

// mappedFields asks the mapping API for paths. Only indices that answered every request are in the
// result.
func (c *Cluster) mappedFields(ctx context.Context, patterns,
	paths []string) (map[string]mappedFields, error) {
	var all map[string]mappedFields
	for part := range portionsOf(paths) {
		// `_source` is known to every index, so its presence tells which indices answered.
		names := joined(append([]string{"_source"}, requested(part)...))
		q := call{method: http.MethodGet, path: "/" + joined(patterns) + "/_mapping/field/" + names,
			params: openIndices()}
		q.params.Set("include_defaults", "true")
		q.params.Set("filter_path", mappedParameters())
		answer := fieldsAnswer{}
		// Where no index matches, the server answers 404 with an empty object.
		if err := c.ask(ctx, q, &answer); err != nil && !errors.Is(err, elastic.ErrNotFound) {
			return nil, err
		}
		found := make(map[string]mappedFields, len(answer))
		for index, a := range answer {
			if _, answered := a.Mappings["_source"]; !answered {
				continue
			}
			fields := mappedFields{}
			for path, m := range a.Mappings {
				for _, field := range m.Mapping {
					fields[path] = field
				}
			}
			found[index] = fields
		}
		all = merge(all, found)
	}
	return all, nil
}

// fieldsAnswer is what each index says of its fields; an index that is not in it said nothing.
type fieldsAnswer = byIndex[struct {
	Mappings map[string]struct {
		Mapping mappedFields `json:"mapping"` // one entry, under the last part of its path
	} `json:"mappings"`
}]

// merge unites two answers about the indices that are in both; nil is no answer yet.
func merge(a, b map[string]mappedFields) map[string]mappedFields {
	if a == nil {
		return b
	}
	maps.DeleteFunc(a, func(index string, fields mappedFields) bool {
		more, ok := b[index]
		maps.Copy(fields, more)
		return !ok
	})
	return a
}

// portionsOf cuts a list of names into parts that fit into the first line of a request, of which
// Elasticsearch takes 4 KiB. There is at least one, be it empty.
func portionsOf(names []string) func(func([]string) bool) {
	const room = 2000 // the rest is for patterns and parameters
	return func(yield func([]string) bool) {
		start, length := 0, 0
		for i, name := range names {
			length += len(url.PathEscape(name)) + len("%2C")
			if length > room && i > start {
				if !yield(names[start:i]) {
					return
				}
				start, length = i, len(url.PathEscape(name))
			}
		}
		yield(names[start:])
	}
}

// requested writes names for a request that separates them by commas: a comma in a name becomes a
// wildcard, and the answer may tell of more fields than were asked for.
func requested(names []string) []string {
	written := make([]string, len(names))
	for i, name := range names {
		written[i] = strings.ReplaceAll(name, ",", "*")
	}
	return written
}

func aliasTargets(mapped map[string]mappedFields) []string {
	targets := map[string]bool{}
	for _, fields := range mapped {
		for _, field := range fields {
			if field.isAlias() {
				targets[field.Path] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(targets))
}

func (m *mappedField) isAlias() bool { return m.Type == "alias" && m.Path != "" }
