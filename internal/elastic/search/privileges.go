package search

import (
	"context"
	"errors"
	"net/http"

	"esrule/internal/elastic"
	"esrule/internal/elastic/indexpattern"
)

// MissingPrivilege is something that the user or API key may not do.
type MissingPrivilege struct {
	Pattern   string
	Privilege string
}

// wanted are the privileges that reading needs: the documents, and what the mappings say of them.
func wanted() []string { return []string{"read", "view_index_metadata"} }

// Privileges returns what is missing to read the patterns. It must be asked: a search over what may
// not be read is answered as if nothing were there. Where the server has no security nothing is
// missing; where something bars the question the error is an *elastic.UnknownRightsError. About
// remote patterns nobody can be asked: what may not be read there fails when it is searched.
func (c *Cluster) Privileges(ctx context.Context, patterns []string) ([]MissingPrivilege, error) {
	names := indexpattern.Local(indexpattern.Adding(patterns))
	if len(names) == 0 {
		return nil, nil
	}
	granted, err := c.granted(ctx, elastic.Wanted{
		Index: []elastic.WantedOnData{{Names: names, Privileges: wanted()}},
	})
	if err != nil {
		return nil, err
	}
	var missing []MissingPrivilege
	for _, pattern := range names {
		for _, privilege := range wanted() {
			if !granted.Index(pattern, privilege) {
				missing = append(missing, MissingPrivilege{Pattern: pattern, Privilege: privilege})
			}
		}
	}
	return missing, nil
}

func (c *Cluster) granted(ctx context.Context,
	wanted elastic.Wanted) (granted elastic.Granted, err error) {
	q := call{method: http.MethodPost, path: elastic.HasPrivileges} // for messages
	_, err = c.retry(ctx, q, c.options.Tries, func() (elastic.Answer, error) {
		ctx, cancel := context.WithTimeout(ctx, c.options.RequestTimeout)
		defer cancel()
		var err error
		granted, err = elastic.Privileges(ctx, c.client, wanted)
		_, unknown := errors.AsType[*elastic.UnknownRightsError](err)
		if err != nil && !unknown && noAnswer(err) {
			err = c.unreachable(err)
		}
		return elastic.Answer{}, err
	})
	return granted, err
}
