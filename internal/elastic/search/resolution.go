package search

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"esrule/internal/elastic"
	"esrule/internal/elastic/indexpattern"
)

// Resolution is what many patterns stood for at one moment, asked in a few requests for all of
// them.
type Resolution struct {
	patterns  map[string]resolved // those that were asked for
	standings map[string]Standing
}

// resolved is what one pattern stands for.
type resolved struct {
	indices []string // by themselves, or of data streams
	aliased []string // the targets of aliases
	unsure  bool     // nothing says whether a data stream is hidden from the pattern
}

// Resolve asks what patterns stand for. It passes over those of which only the server can tell what
// a list makes of them: exclusions, date math, and those of remote clusters.
func (c *Cluster) Resolve(ctx context.Context, patterns []string) (*Resolution, error) {
	patterns = slices.DeleteFunc(slices.Clone(patterns), func(p string) bool { return !isPlain(p) })
	slices.Sort(patterns)
	patterns = slices.Compact(patterns)
	var named elastic.Resolved
	for _, portion := range portionsOfPatterns(patterns) {
		if err := c.resolveSome(ctx, portion, &named); err != nil {
			return nil, fmt.Errorf("ask what %d patterns stand for: %w", len(patterns), err)
		}
	}
	r := &Resolution{patterns: map[string]resolved{}, standings: map[string]Standing{}}
	var there []string
	for _, p := range patterns {
		r.patterns[p] = resolve(named, p, patterns)
		if of := r.patterns[p]; strings.Contains(p, "*") || len(of.indices)+len(of.aliased) > 0 {
			there = append(there, p)
		}
	}
	if len(there) == 0 {
		return r, nil
	}
	var err error
	r.standings, err = c.Standings(ctx, there)
	return r, err
}

// isPlain reports whether a pattern stands for the same in whatever list it is.
func isPlain(pattern string) bool {
	return pattern != "_all" && !indexpattern.IsRemote(pattern) &&
		!indexpattern.Excludes(pattern) &&
		!strings.ContainsAny(pattern, "<:?")
}

func (c *Cluster) resolveSome(ctx context.Context, patterns []string,
	into *elastic.Resolved) error {
	left := patterns
	for len(left) > 0 {
		var answer elastic.Resolved
		err := c.ask(ctx, call{method: http.MethodGet, path: "/_resolve/index/" + joined(left),
			params: url.Values{"expand_wildcards": {"open,closed"}}}, &answer)
		if gone := missingName(err); slices.Contains(left, gone) {
			left = slices.DeleteFunc(slices.Clone(left), func(p string) bool { return p == gone })
			continue
		}
		if err != nil {
			return err
		}
		into.Indices = append(into.Indices, answer.Indices...)
		into.DataStreams = append(into.DataStreams, answer.DataStreams...)
		into.Aliases = append(into.Aliases, answer.Aliases...)
		break
	}
	return nil
}

// resolve works out what a pattern stands for of what all that were asked for do. A pattern with a
// star stands for what is hidden only where both begin with a dot. Nothing says whether a data
// stream is hidden; one that some other pattern names may be.
func resolve(named elastic.Resolved, pattern string, all []string) resolved {
	var r resolved
	fits, wild := indexpattern.Compile(pattern), strings.Contains(pattern, "*")
	dotted := strings.HasPrefix(pattern, ".")
	for _, i := range named.Indices {
		shown := !wild || !slices.Contains(i.Attributes, "hidden") ||
			dotted && strings.HasPrefix(i.Name, ".")
		if shown && fits(i.Name) {
			r.indices = append(r.indices, i.Name)
		}
	}
	for _, d := range named.DataStreams {
		if !fits(d.Name) {
			continue
		}
		hidden := strings.HasPrefix(d.Name, ".") || slices.Contains(all, d.Name)
		r.unsure = r.unsure || wild && hidden && !(dotted && strings.HasPrefix(d.Name, "."))
		r.indices = append(r.indices, d.Backing...)
	}
	for _, a := range named.Aliases {
		if fits(a.Name) {
			r.aliased = append(r.aliased, a.Indices...)
		}
	}
	return r
}

// Standings is [Cluster.Standings] for a list of patterns that were asked for. ok is false where it
// is not known for sure: a pattern is not plain, or an index is reached by an alias alone, which
// may have a filter.
func (r *Resolution) Standings(patterns []string) (all map[string]Standing, ok bool) {
	all = map[string]Standing{}
	for _, p := range patterns {
		of, asked := r.patterns[p]
		if !asked || of.unsure {
			return nil, false
		}
		for _, index := range of.indices {
			standing, there := r.standings[index]
			if !there {
				return nil, false // it came or went between two requests
			}
			all[index] = standing
		}
	}
	for _, p := range patterns {
		for _, index := range r.patterns[p].aliased {
			if _, reached := all[index]; !reached {
				return nil, false
			}
		}
	}
	return all, true
}

// Indices is [Cluster.Indices] for a list of patterns that were asked for; for ok see
// [Resolution.Standings].
func (r *Resolution) Indices(patterns []string) (names []string, ok bool) {
	all, ok := r.Standings(patterns)
	maps.DeleteFunc(all, func(_ string, s Standing) bool { return !s.searched() })
	return slices.Sorted(maps.Keys(all)), ok
}
