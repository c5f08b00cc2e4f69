package search

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Indices names the open indices that the patterns stand for, sorted: an alias's targets, a data
// stream's backing indices.
func (c *Cluster) Indices(ctx context.Context, patterns []string) ([]string, error) {
	q := call{method: http.MethodGet, path: "/" + joined(patterns) + "/_settings/index.uuid", params: openIndices()}
	q.params.Set("filter_path", "*.settings.index.uuid")
	var answer map[string]struct{}
	if err := c.ask(ctx, q, &answer); err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(answer)), nil
}

// Exists tells whether there is an index of that name, open or closed.
func (c *Cluster) Exists(ctx context.Context, index string) (bool, error) {
	q := call{method: http.MethodHead, path: "/" + url.PathEscape(index)}
	_, err := c.retry(ctx, q, c.options.Tries, func() ([]byte, error) { return c.send(ctx, q, nil, nil, 0) })
	var refused *ResponseError
	if errors.As(err, &refused) && refused.Status == http.StatusNotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, nil
}

// commas joins names for a parameter.
func commas(names []string) string { return strings.Join(names, ",") }
