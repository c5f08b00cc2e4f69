package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"esrule/internal/elastic"
)

// errBusyShards: the answer is good but for shards that had too much to do.
var errBusyShards = errors.New("some shards are too busy")

// call is one request to the cluster.
type call struct {
	method string
	path   string // escaped
	params url.Values
	body   any // marshalled as JSON; nil is none

	awaitsShards bool // a shard that is not there yet is worth another try
}

// ask sends a small request, several times if need be, and reads its answer into a value.
func (c *Cluster) ask(ctx context.Context, q call, into elastic.Checked) error {
	body, err := q.marshal()
	if err != nil {
		return err
	}
	answer, err := c.retry(ctx, q, c.options.Tries, func() (elastic.Answer, error) {
		return c.send(ctx, q, body, nil, 0)
	})
	if err != nil {
		return err
	}
	return answer.Read(into)
}

func (q call) marshal() ([]byte, error) {
	if q.body == nil {
		return nil, nil
	}
	body, err := json.Marshal(q.body)
	if err != nil {
		return nil, fmt.Errorf("write the body of %s %s: %w", q.method, q.path, err)
	}
	return body, nil
}

// retry repeats what may succeed later. Every request of this package can be repeated: each only
// reads.
func (c *Cluster) retry(ctx context.Context, q call, tries uint,
	send func() (elastic.Answer, error)) (answer elastic.Answer, err error) {
	policy := elastic.Retry{Tries: tries, Pause: c.options.RetryInterval,
		Say: func(err error, pause time.Duration) {
			c.options.Logger.Warn("a request to the cluster is tried again", "request", q.method+
				" "+q.path, "error", err, "after", pause)
		}}
	err = policy.Do(ctx, func() (again bool, failed error) {
		answer, failed = send()
		if failed != nil && ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		return isTransient(failed) || q.awaitsShards && lacksShards(failed), failed
	})
	return answer, err
}

// isTransient reports whether a failed request is worth another try.
func isTransient(err error) bool {
	var refused *elastic.Error
	if !errors.As(err, &refused) {
		return errors.Is(err, elastic.ErrUnreachable) && !elastic.IsFinal(err) ||
			errors.Is(err, errBusyShards)
	}
	if refused.Type == connectTransport {
		// a remote cluster that is gone: its patterns stay open, and are tried by the next run
		return false
	}
	switch refused.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusGatewayTimeout:
		return true
	case http.StatusServiceUnavailable:
		// A point in time does not find a lost shard again, however often it is asked.
		return len(refused.Shards) == 0 && len(missingShards(refused.Reason)) == 0 ||
			anyTransient(refused.Shards)
	}
	return false
}

// lacksShards reports whether a search failed for want of shards alone.
func lacksShards(err error) bool {
	failed := failedShards(err)
	return len(failed) > 0 && elastic.AllOf(failed, elastic.NoShardAvailable)
}

func anyTransient(shards []elastic.ShardFailure) bool {
	for _, s := range shards {
		if s.Reason.Type == elastic.Rejected || s.Reason.Type == elastic.CircuitBreaking {
			return true
		}
	}
	return false
}

// send sends one request once and reads the answer into buf, which it may have to grow. An answer
// longer than limit is elastic.ErrTooLarge; 0 is no limit.
func (c *Cluster) send(ctx context.Context, q call, body, buf []byte,
	limit int64) (elastic.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.options.RequestTimeout)
	defer cancel()
	r := elastic.Request{Method: q.method, Path: q.path, Params: q.params, Body: body}
	answer, err := elastic.Send(ctx, c.client, r, buf, limit)
	if err != nil && noAnswer(err) {
		err = c.unreachable(err)
	}
	return answer, err
}

// noAnswer reports whether an error of elastic.Send means that no answer came, or not all of it.
func noAnswer(err error) bool {
	var refused *elastic.Error
	var foreign *elastic.ForeignError
	var untrue *elastic.UntrueError
	return !errors.As(err, &refused) && !errors.As(err, &foreign) &&
		!errors.As(err, &untrue) &&
		!errors.Is(err, elastic.ErrTooLarge)
}
