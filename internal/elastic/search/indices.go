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
	"esrule/internal/elastic/indexpattern"
)

// Indices returns the names of the indices that a search of the patterns reads, sorted: an alias's
// targets, a data stream's backing indices.
func (c *Cluster) Indices(ctx context.Context, patterns []string) ([]string, error) {
	return c.standing(ctx, patterns, Standing.searched)
}

// Closed returns the names of the indices of the patterns that a search passes over without a word,
// sorted: closed and frozen ones.
func (c *Cluster) Closed(ctx context.Context, patterns []string) ([]string, error) {
	return c.standing(ctx, patterns, func(s Standing) bool { return s.Shut != "" })
}

func (c *Cluster) standing(ctx context.Context, patterns []string,
	is func(Standing) bool) ([]string, error) {
	all, err := c.Standings(ctx, patterns)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(all, func(_ string, s Standing) bool { return !is(s) })
	return slices.Sorted(maps.Keys(all)), nil
}

// Exists reports whether there is an index of that name, open or closed. One that may not be looked
// at is not known to be gone. It asks by GET: a gateway may bar HEAD, and no HEAD says what its 404
// is about.
func (c *Cluster) Exists(ctx context.Context, index string) (bool, error) {
	if indexpattern.IsRemote(index) {
		// no API says it: its time is searched again over the patterns of its cluster
		return true, nil
	}
	const setting = "uuid"
	q := call{
		method: http.MethodGet, path: "/" + url.PathEscape(index) + "/_settings/index." + setting,
		params: url.Values{"filter_path": {"*.settings.index." + setting + ",error,status"}},
	}
	_, err := c.retry(ctx, q, c.options.Tries, func() (elastic.Answer, error) {
		return c.send(ctx, q, nil, nil, 0)
	})
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
