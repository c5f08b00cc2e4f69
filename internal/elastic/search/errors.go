package search

import (
	"errors"
	"fmt"
	"net/url"

	"esrule/internal/elastic"
)

// unreachableError is a request without an answer.
type unreachableError struct {
	addresses string
	cause     error
}

func (e *unreachableError) Error() string {
	return fmt.Sprintf("no answer from Elasticsearch at %s: %v", e.addresses, e.cause)
}

func (e *unreachableError) Unwrap() []error { return []error{elastic.ErrUnreachable, e.cause} }

// unreachable wraps what the transport returned. A *url.Error would print the address with its
// credentials.
func (c *Cluster) unreachable(cause error) error {
	var named *url.Error
	if errors.As(cause, &named) {
		cause = named.Err
	}
	return &unreachableError{addresses: c.addresses, cause: cause}
}

// failedShards returns what made a search fail as a whole, where its shards did.
func failedShards(err error) []elastic.ShardFailure {
	var refused *elastic.Error
	if errors.As(err, &refused) {
		return refused.Shards
	}
	return nil
}
