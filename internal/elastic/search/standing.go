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

	"esrule/internal/elastic"
)

// Standing is what the settings of an index say of it.
type Standing struct {
	// Created is zero where it could not be read.
	Created time.Time
	// Blocked says that nobody may read it or its settings (index.blocks.*).
	Blocked bool
	// Shut says why a search passes the index over without a word, empty where it does not.
	Shut string
	// Unanswered says that the name is not that of an index: it is a pattern of a remote cluster,
	// which does not say which of its indices are closed.
	Unanswered bool
	// Shards is how many primary shards it has; 0 where that could not be read, as of a remote
	// index.
	Shards int
}

// searched reports whether a point in time that is opened now holds the index.
func (s Standing) searched() bool { return s.Shut == "" && !s.Blocked }

// The reasons for which a search passes over an index.
const (
	shutClosed = "the index is closed: open it"
	shutFrozen = "the index is frozen (index.search.throttled), and searches pass it over: " +
		"unfreeze it"
)

// Standings returns the indices that the patterns stand for, open and closed, the targets of
// aliases and the backing indices of data streams among them. A search names no closed index.
func (c *Cluster) Standings(ctx context.Context, patterns []string) (map[string]Standing, error) {
	all := map[string]Standing{}
	err := c.inPortions(ctx, patterns, func(portion []string) error {
		ask := c.standingsOf
		if isRemote(portion) {
			ask = c.remoteStandings
		}
		standings, err := ask(ctx, portion)
		maps.Copy(all, standings)
		return err
	})
	return all, err
}

func (c *Cluster) standingsOf(ctx context.Context, patterns []string) (map[string]Standing, error) {
	params := openIndices()
	params.Set("expand_wildcards", "open,closed")
	// With ignore_unavailable, the closed targets of an alias would be left out.
	params.Set("ignore_unavailable", "false")
	params.Set("filter_path", "*.settings.index")
	const settings = "/_settings/index.creation_date,index.verified_before_close," +
		"index.search.throttled,index.number_of_shards"
	left := patterns
	for {
		answer := standingsAnswer{}
		blocked, err := c.askIndices(ctx, left, func(patterns []string) call {
			return call{method: http.MethodGet, path: "/" + joined(patterns) + settings,
				params: params}
		}, &answer)
		if gone := missingName(err); slices.Contains(left, gone) {
			left = slices.DeleteFunc(slices.Clone(left), func(p string) bool { return p == gone })
			if left = c.withoutMissing(ctx, left); len(left) > 0 {
				continue
			}
			return map[string]Standing{}, nil
		}
		if err != nil {
			return nil, err
		}
		return standings(answer, blocked), nil
	}
}

// withoutMissing returns patterns without the names that are not there. Where that cannot be told,
// a refusal names each.
func (c *Cluster) withoutMissing(ctx context.Context, patterns []string) []string {
	named := slices.DeleteFunc(slices.Clone(patterns), func(p string) bool {
		return !isPlain(p) || strings.Contains(p, "*")
	})
	var found elastic.Resolved
	if len(named) == 0 || c.resolveSome(ctx, named, &found) != nil {
		return patterns
	}
	return slices.DeleteFunc(slices.Clone(patterns), func(p string) bool {
		if !slices.Contains(named, p) {
			return false
		}
		of := resolve(found, p, named)
		return len(of.indices)+len(of.aliased) == 0
	})
}

// missingName returns the name that the cluster refused a request for, since there is none such.
func missingName(err error) string {
	var refused *elastic.Error
	if !errors.As(err, &refused) || refused.Status != http.StatusNotFound {
		return ""
	}
	m := regexp.MustCompile(`no such index \[([^\]]+)\]`).FindStringSubmatch(refused.Reason)
	if m == nil {
		return ""
	}
	return m[1]
}

// standingsAnswer holds the settings of indices.
type standingsAnswer = byIndex[indexSettings]

type indexSettings struct {
	Settings struct {
		Index struct {
			CreationDate string `json:"creation_date"`
			// closing sets it, opening takes it away
			Closed string `json:"verified_before_close"`
			Shards string `json:"number_of_shards"`
			Search struct {
				Throttled string `json:"throttled"`
			} `json:"search"`
		} `json:"index"`
	} `json:"settings"`
}

// standings reads an answer; of a blocked index nothing is known but that it is there.
func standings(a standingsAnswer, blocked []Failure) map[string]Standing {
	all := map[string]Standing{}
	for _, f := range blocked {
		all[f.Index] = Standing{Blocked: true}
	}
	for name, one := range a {
		var s Standing
		if ms, err := strconv.ParseInt(one.Settings.Index.CreationDate, 10, 64); err == nil {
			s.Created = time.UnixMilli(ms).UTC()
		}
		s.Shards, _ = strconv.Atoi(one.Settings.Index.Shards) // 0 where there is none
		switch i := one.Settings.Index; {
		case i.Closed == "true":
			s.Shut = shutClosed
		case i.Search.Throttled == "true":
			s.Shut = shutFrozen
		}
		all[name] = s
	}
	return all
}
