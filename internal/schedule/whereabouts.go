package schedule

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"esrule/internal/elastic/indexpattern"
	"esrule/internal/elastic/search"
)

// whereabouts are the open indices of a retry, by where they are.
type whereabouts struct {
	there  []string
	gone   []string          // under this name: what they held may go on under another
	failed map[string]string // known to be unreadable, with the reason
	// left are those of the gone that are there, under a name that the patterns do not stand for
	// any more: what they hold may have gone on elsewhere, and may not.
	left []string
	// hidden are those that are there and that the patterns stand for by name, but for being
	// hidden: a pattern with * passes over them.
	hidden []string
}

func (s *ruleRun) look(ctx context.Context, indices []string) (whereabouts, error) {
	found := whereabouts{failed: map[string]string{}}
	all, err := s.findings.known(ctx, s.patterns)
	if err != nil {
		return found, err
	}
	for _, index := range indices {
		reason, unwell := s.findings.unwell[index]
		switch standing, there := all[index]; {
		case indexpattern.IsRemote(index): // whether it is still the same index is not told
			found.gone = append(found.gone, index)
		case there && unwell:
			found.failed[index] = reason
		case there && !s.replaced(index, standing):
			found.there = append(found.there, index)
		case there || strings.ContainsAny(index, "*:"):
			found.gone = append(found.gone, index)
		default:
			isIndex, err := s.findings.isReal(ctx, index)
			switch {
			case err != nil:
				found.failed[index] = err.Error()
			case isIndex && indexpattern.Match(s.patterns, index):
				found.there, found.hidden = append(found.there, index), append(found.hidden, index)
			case isIndex && len(s.forbidden) > 0:
				found.failed[index] = "it may not be read, or is in none of the rule's patterns any more"
			case isIndex:
				found.gone, found.left = append(found.gone, index), append(found.left, index)
			default:
				found.gone = append(found.gone, index)
			}
		}
	}
	return found, nil
}

// replaced reports whether an index is another than the one that failed: it was made since.
func (s *ruleRun) replaced(index string, now search.Standing) bool {
	return slices.ContainsFunc(s.ledger.Open, func(o OpenIndex) bool {
		return o.Index == index && now.Created.After(o.Since)
	})
}

// isReal reports whether there is an index of that name, and no alias. It is asked once a turn.
func (f *findings) isReal(ctx context.Context, index string) (bool, error) {
	if is, asked := f.real[index]; asked {
		return is, nil
	}
	there, err := f.Exists(ctx, index)
	if err != nil {
		return false, fmt.Errorf("ask whether it is still there: %w", err)
	}
	is := false
	if there {
		named, err := f.known(ctx, []string{index})
		if err != nil {
			return false, fmt.Errorf("ask what it is now: %w", err)
		}
		_, is = named[index]
	}
	f.real[index] = is
	return is, nil
}

// ofTheirClusters returns those of a list of patterns that are of the remote clusters that indices
// are of; none where one of the indices is not remote.
func ofTheirClusters(patterns, indices []string) []string {
	var aliases, kept []string
	for _, index := range indices {
		if !indexpattern.IsRemote(index) {
			return nil
		}
		aliases = append(aliases, indexpattern.Cluster(index))
	}
	slices.Sort(aliases)
	for _, alias := range slices.Compact(aliases) {
		kept = append(kept, indexpattern.OfCluster(patterns, alias)...)
	}
	return kept
}
