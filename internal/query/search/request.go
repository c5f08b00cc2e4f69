package search

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// maxErrorBytes bounds what is read of a refusal; one that names thousands of shards stays below it.
const maxErrorBytes = 8 << 20

// errTooLarge: the answer is longer than the reader has room for.
var errTooLarge = errors.New("the answer is too large")

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
func (c *Cluster) ask(ctx context.Context, q call, into any) error {
	body, err := q.marshal()
	if err != nil {
		return err
	}
	answer, err := c.retry(ctx, q, c.options.Tries, func() ([]byte, error) {
		return c.send(ctx, q, body, nil, 0)
	})
	if err != nil {
		return err
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("read the answer to %s %s: %w", q.method, q.path, err)
	}
	return nil
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

// retry repeats what may succeed later. Every request of this package can be repeated: each only reads.
func (c *Cluster) retry(ctx context.Context, q call, tries uint, send func() ([]byte, error)) ([]byte, error) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = c.options.RetryInterval
	return backoff.Retry(ctx, func() ([]byte, error) {
		answer, err := send()
		if err != nil && ctx.Err() != nil {
			return nil, backoff.Permanent(context.Cause(ctx))
		}
		if err != nil && !isTransient(err) && !(q.awaitsShards && lacksShards(err)) {
			return nil, backoff.Permanent(err)
		}
		return answer, err
	},
		backoff.WithBackOff(pause),
		backoff.WithMaxTries(tries),
		backoff.WithNotify(func(err error, next time.Duration) {
			c.options.Logger.Warn("a request to the cluster is tried again", "request", q.method+" "+q.path, "error", err, "after", next)
		}))
}

// isTransient tells whether a failed request is worth another try.
func isTransient(err error) bool {
	var refused *ResponseError
	if !errors.As(err, &refused) {
		return errors.Is(err, ErrUnreachable) || errors.Is(err, errBusyShards)
	}
	switch refused.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusGatewayTimeout:
		return true
	case http.StatusServiceUnavailable:
		// A point in time does not find a lost shard again, however often it is asked.
		return len(refused.shards) == 0 || anyTransient(refused.shards)
	}
	return false
}

// lacksShards tells whether a search failed for want of shards alone.
func lacksShards(err error) bool {
	failed := failedShards(err)
	return len(failed) > 0 && allOf(failed, noShardAvailable)
}

func anyTransient(shards []shardFailure) bool {
	for _, s := range shards {
		if s.Reason.Type == rejected || s.Reason.Type == circuitBreaking {
			return true
		}
	}
	return false
}

// send sends one request once and reads the answer into buf, which it may have to grow. An answer longer than limit is
// errTooLarge; 0 is no limit.
func (c *Cluster) send(ctx context.Context, q call, body, buf []byte, limit int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.options.RequestTimeout)
	defer cancel()
	target := q.path
	if len(q.params) > 0 {
		target += "?" + q.params.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, q.method, target, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make the request %s %s: %w", q.method, q.path, err)
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.client.Perform(req)
	if err != nil {
		return nil, c.unreachable(err)
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		text, err := io.ReadAll(io.LimitReader(res.Body, maxErrorBytes))
		if err != nil {
			return nil, c.unreachable(err)
		}
		return nil, responseError(res.StatusCode, text)
	}
	return c.read(res, buf, limit)
}

func (c *Cluster) read(res *http.Response, buf []byte, limit int64) ([]byte, error) {
	source := io.Reader(res.Body)
	if limit > 0 {
		if res.ContentLength > limit {
			return nil, errTooLarge
		}
		source = io.LimitReader(source, limit+1)
	}
	into := bytes.NewBuffer(buf[:0])
	if _, err := into.ReadFrom(source); err != nil {
		return nil, c.unreachable(err)
	}
	if limit > 0 && int64(into.Len()) > limit {
		return nil, errTooLarge
	}
	return into.Bytes(), nil
}
