package search

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"esrule/internal/elastic"
)

// MissingPrivilege is something that the user or API key may not do.
type MissingPrivilege struct {
	Pattern   string
	Privilege string
}

// wanted are the privileges that reading needs: the documents, and what the mappings say of them.
func wanted() []string { return []string{"read", "view_index_metadata"} }

// Privileges tells what is missing to read the patterns. It must be asked: a search over what may not be
// read is answered as if nothing were there. Where the server has no security nothing is missing.
func (c *Cluster) Privileges(ctx context.Context, patterns []string) ([]MissingPrivilege, error) {
	names := slices.DeleteFunc(slices.Clone(patterns), func(p string) bool { return strings.HasPrefix(p, "-") })
	if len(names) == 0 {
		return nil, nil
	}
	q := call{method: http.MethodPost, path: "/_security/user/_has_privileges"}
	q.body = map[string]any{"index": []any{map[string]any{"names": names, "privileges": wanted()}}}
	var answer privilegesAnswer
	err := c.ask(ctx, q, &answer)
	var refused *elastic.Error
	if errors.As(err, &refused) && refused.Status == http.StatusBadRequest && strings.HasPrefix(refused.Reason, "no handler found") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var missing []MissingPrivilege
	for _, pattern := range names {
		for _, privilege := range wanted() {
			if !answer.Index[pattern][privilege] {
				missing = append(missing, MissingPrivilege{Pattern: pattern, Privilege: privilege})
			}
		}
	}
	return missing, nil
}

type privilegesAnswer struct {
	Index map[string]map[string]bool `json:"index"`
}

func (p *privilegesAnswer) Missing() string {
	if p.Index == nil {
		return "index"
	}
	return ""
}
