package detect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"esrule/internal/elastic"
	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/indexpattern"
	"esrule/internal/elastic/search"
)

// Permissions is what tells which patterns may be read. *search.Cluster is one.
type Permissions interface {
	Privileges(ctx context.Context, patterns []string) ([]search.MissingPrivilege, error)
	Indices(ctx context.Context, patterns []string) ([]string, error)
	Count(ctx context.Context, patterns []string, query dsl.Clause) (search.Count, error)
	// Unanswered returns the remote clusters that do not answer now, and their patterns as
	// failures.
	Unanswered(ctx context.Context, patterns []string) ([]search.Failure, []string, error)
}

// Searchable sorts a rule's patterns into those that are searched and those that stay open under
// their own names, with the reason: of a remote cluster that does not answer, or not to be read. It
// must be asked, since a search over either answers as if nothing were there. A pattern with * of
// which only a part may be read is in both: what may be read is searched.
func Searchable(ctx context.Context, c Permissions,
	patterns []string) (searched []string, open []Failure, err error) {
	local := indexpattern.Keep(patterns, func(p string) bool {
		return indexpattern.NotSearched(p) == ""
	})
	gone, clusters, err := c.Unanswered(ctx, local)
	if err != nil {
		return nil, nil, fmt.Errorf("ask which remote clusters answer: %w", err)
	}
	local = indexpattern.WithoutClusters(local, clusters)
	for _, f := range gone {
		open = append(open, Failure{Index: f.Index, Reason: f.Reason})
	}
	missing, err := c.Privileges(ctx, indexpattern.Adding(local))
	if err != nil {
		return nil, nil, fmt.Errorf("ask what may be read: %w", err)
	}
	lacking := map[string][]string{}
	for _, m := range missing {
		lacking[m.Pattern] = append(lacking[m.Pattern], m.Privilege)
	}
	closed := map[string]bool{} // patterns of which nothing may be read
	for _, p := range indexpattern.Adding(patterns) {
		if reason := indexpattern.NotSearched(p); reason != "" {
			open = append(open, Failure{Index: p, Reason: reason})
			continue
		}
		if len(lacking[p]) == 0 {
			continue
		}
		part, err := readsPart(ctx, c, indexpattern.Alone(local, p))
		if err != nil {
			return nil, nil, fmt.Errorf("ask what may be read of %s: %w", p, err)
		}
		closed[p] = len(part) == 0
		open = append(open, Failure{Index: p, Reason: forbiddenReason(lacking[p], part)})
	}
	return indexpattern.Keep(local, func(p string) bool { return !closed[p] }), open, nil
}

func forbiddenReason(privileges, part []string) string {
	what := ""
	if len(part) > 0 {
		what = fmt.Sprintf(" (what may be read of it is searched: %d indices)", len(part))
	}
	return fmt.Sprintf("the privilege %s is missing on it: grant it to the user or API key of "+
		"esrule (esrule setup prints the role)%s",
		privileges, what)
}

// readsPart returns the indices that may be read of a pattern that may not be read whole: under a
// pattern with *, Elasticsearch answers for what the user may see. The list is empty where it
// refuses.
func readsPart(ctx context.Context, c Permissions, pattern []string) ([]string, error) {
	if !slices.ContainsFunc(pattern, func(p string) bool { return strings.Contains(p, "*") }) {
		return nil, nil
	}
	indices, err := c.Indices(ctx, pattern)
	if err == nil && len(indices) > 0 {
		_, err = c.Count(ctx, pattern, dsl.Nothing()) // another privilege
	}
	if errors.Is(err, elastic.ErrForbidden) {
		return nil, nil
	}
	return indices, err
}
