package search

import (
	"context"
	"net/http"
	"slices"

	"esrule/internal/elastic"
)

// capabilities are what `_field_caps` says, asked for the two things that the mapping API keeps to
// itself: which parents are nested, and which fields exist by other means than the mapping (runtime
// fields).
type capabilities struct {
	indices map[string]bool // that answered
	types   map[string][]capability
}

// capability is a field's type in some indices, or in all.
type capability struct {
	Type     string   `json:"type"`
	Metadata bool     `json:"metadata_field"`
	Indices  []string `json:"indices"` // none: every index of the answer

	// Asked for of remote clusters only. A flag holds for the indices that are not among those that
	// follow.
	Searchable      bool     `json:"searchable"`
	Aggregatable    bool     `json:"aggregatable"` // it has doc values
	NonSearchable   []string `json:"non_searchable_indices"`
	NonAggregatable []string `json:"non_aggregatable_indices"`
}

func (c *Cluster) capabilities(ctx context.Context, patterns,
	paths []string) (capabilities, error) {
	caps := capabilities{types: map[string][]capability{}}
	for part := range portionsOf(paths) {
		if len(part) == 0 {
			part = []string{"_source"} // a field must be named
		}
		params := openIndices()
		params["fields"] = []string{commas(requested(part))}
		// else a field that some indices lack would seem to be in all
		params.Set("include_unmapped", "true")
		filter := "indices,failures.indices,fields.*.*.type,fields.*.*.metadata_field,fields.*.*.indices"
		if isRemote(patterns) {
			filter += ",fields.*.*.*searchable*,fields.*.*.*aggregatable*"
		}
		params.Set("filter_path", filter)
		request := func(patterns []string) call {
			return call{method: http.MethodGet, path: "/" + joined(patterns) + "/_field_caps",
				params: params}
		}
		var answer capabilitiesAnswer
		if _, err := c.askIndices(ctx, patterns, request, &answer); err != nil {
			return caps, err
		}
		caps.answered(answer.told())
		for path, types := range answer.Fields {
			for _, t := range types {
				slices.Sort(t.Indices)
				caps.types[path] = append(caps.types[path], t)
			}
		}
	}
	return caps, nil
}

type capabilitiesAnswer struct {
	Indices  []string `json:"indices"`
	Failures []struct {
		Indices []string `json:"indices"`
	} `json:"failures"`
	Fields map[string]map[string]capability `json:"fields"`
}

func (a *capabilitiesAnswer) Check() error {
	if a.Indices == nil {
		return elastic.Lacks("indices")
	}
	return nil
}

// told returns the indices that the answer is about, without those that failed.
func (a *capabilitiesAnswer) told() []string {
	indices := slices.Clone(a.Indices)
	for _, f := range a.Failures {
		indices = slices.DeleteFunc(indices, func(index string) bool {
			return slices.Contains(f.Indices, index)
		})
	}
	return indices
}

// answered keeps the indices that answered every request.
func (c *capabilities) answered(indices []string) {
	now := map[string]bool{}
	for _, index := range indices {
		if c.indices == nil || c.indices[index] {
			now[index] = true
		}
	}
	c.indices = now
}

// typeOf gives the type that a path has in an index; empty where it has none there.
func (c *capabilities) typeOf(index, path string) string {
	for _, t := range c.types[path] {
		if t.Type == "unmapped" || t.Metadata {
			continue
		}
		if len(t.Indices) == 0 {
			return t.Type
		}
		if _, found := slices.BinarySearch(t.Indices, index); found {
			return t.Type
		}
	}
	return ""
}

// hasAny tells whether any of the paths has a type in an index.
func (c *capabilities) hasAny(index string) bool {
	for path := range c.types {
		if c.typeOf(index, path) != "" {
			return true
		}
	}
	return false
}

// nestedParent gives the nearest nested parent of a path in an index, or nothing.
func (c *capabilities) nestedParent(index, path string) string {
	for parent := range parents(path) {
		if c.typeOf(index, parent) == "nested" {
			return parent
		}
	}
	return ""
}
