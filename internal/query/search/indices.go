package search

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"esrule/internal/elastic"
)

// Indices names the open indices that the patterns stand for, sorted: an alias's targets, a data
// stream's backing indices.
func (c *Cluster) Indices(ctx context.Context, patterns []string) ([]string, error) {
	return c.having(ctx, patterns, "open", "uuid")
}

// Closed names the closed indices that the patterns stand for, sorted: a search passes them over.
func (c *Cluster) Closed(ctx context.Context, patterns []string) ([]string, error) {
	return c.having(ctx, patterns, "open,closed", "verified_before_close") // a setting that closing sets and opening takes away
}

// having names the indices of the patterns, sorted, that have a setting.
func (c *Cluster) having(ctx context.Context, patterns []string, state, setting string) ([]string, error) {
	params := openIndices()
	params.Set("expand_wildcards", state)
	params.Set("filter_path", "*.settings.index."+setting)
	answer := indexSet{}
	_, err := c.askIndices(ctx, patterns, func(patterns []string) call {
		return call{method: http.MethodGet, path: "/" + joined(patterns) + "/_settings/index." + setting, params: params}
	}, &answer)
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(answer)), nil
}

// indexSet holds names of indices. An answer without one is whole: it stands for no index.
type indexSet map[string]struct{}

func (indexSet) Missing() string { return "" }

// Exists reports whether there is an index of that name, open or closed. One that may not be looked
// at is not known to be gone. It asks by GET: a gateway may bar HEAD, and no HEAD says what its 404
// is about.
func (c *Cluster) Exists(ctx context.Context, index string) (bool, error) {
	const setting = "uuid"
	q := call{
		method: http.MethodGet, path: "/" + url.PathEscape(index) + "/_settings/index." + setting,
		params: url.Values{"filter_path": {"*.settings.index." + setting + ",error,status"}},
	}
	_, err := c.retry(ctx, q, c.options.Tries, func() (elastic.Answer, error) { return c.send(ctx, q, nil, nil, 0) })
	var refused *elastic.Error
	switch {
	case errors.Is(err, elastic.ErrNotFound) && errors.Is(err, elastic.ErrIndexNotFound):
		return false, nil
	case errors.As(err, &refused) && refused.Status == http.StatusForbidden:
		return true, nil
	}
	return err == nil, err
}

// commas joins names for a parameter.
func commas(names []string) string { return strings.Join(names, ",") }
