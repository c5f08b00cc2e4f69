package detect

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"esrule/internal/elastic/dsl"
	"esrule/internal/elastic/search"
)

// readWhole reads the documents of an index that a query finds. That the index was not read whole
// is an error.
func readWhole(ctx context.Context, c Cluster, index string, query dsl.Clause,
	take func(*search.Hit)) error {
	pit, err := c.OpenPointInTime(ctx, []string{index})
	if err != nil {
		return fmt.Errorf("open a point in time: %w", err)
	}
	defer func() { _ = pit.Close(ctx) }() // it ends by itself
	for page, err := range pit.Pages(ctx, search.Request{Query: query}) {
		if err != nil {
			return err
		}
		for hit := range page.Hits(nil) {
			take(hit)
		}
	}
	return notWhole("", outcomeOf(Outcome{}, pit).Failures)
}

// notWhole is the error of what of some indices was not read; nil where there is nothing.
func notWhole(what string, failures []Failure) error {
	var errs []error
	for _, of := range ByReason(failures) {
		errs = append(errs, fmt.Errorf("%s%s cannot be read: %s", what,
			strings.Join(of.Indices, ", "), of.Reason))
	}
	return errors.Join(errs...)
}
