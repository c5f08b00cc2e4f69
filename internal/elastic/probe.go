package elastic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"syscall"
	"time"
)

// ReadyWithin is how long a command waits for a cluster that does not answer: long enough for a
// node that restarts behind a load balancer, short enough for somebody at a terminal.
const ReadyWithin = 30 * time.Second

// whoAmI is the question that every user and key may ask.
const whoAmI = "/_security/_authenticate"

// nothing is a search that everybody may send and that reads no shard.
const nothing = "/esrule-nothing*/_search?size=0&filter_path=_shards"

const (
	probeTimeout = 10 * time.Second
	probePause   = time.Second
)

// ProbeError says why the cluster cannot be used, and what to do.
type ProbeError struct {
	Failure Failure
	MayPass bool // a command does well to ask again
	cause   error
}

func (e *ProbeError) Error() string { return e.cause.Error() }
func (e *ProbeError) Unwrap() error { return e.cause }

// Ready waits until the cluster answers, or returns what is wrong where asking again for a while
// changes nothing.
func (c *Client) Ready(ctx context.Context, within time.Duration,
	log *slog.Logger) (Server, error) {
	deadline := time.Now().Add(within)
	for attempt := 1; ; attempt++ {
		server, err := c.Connect(ctx)
		if err == nil {
			return server, nil
		}
		if ctx.Err() != nil {
			return server, fmt.Errorf("wait for the cluster at %s: %w", c.addresses,
				context.Cause(ctx))
		}
		failed, _ := errors.AsType[*ProbeError](err)
		if failed == nil || !failed.MayPass || time.Now().Add(probePause).After(deadline) {
			return server, err
		}
		if attempt == 1 {
			log.Warn("the cluster does not answer yet; nothing is searched until it does",
				"addresses", c.addresses, "wait", within, "reason", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(probePause):
		}
	}
}

// Connect asks whether the cluster lets us in and which version it has, which tells Dialect. An
// *UnsupportedError is for good, a *ProbeError may pass.
func (c *Client) Connect(ctx context.Context) (Server, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*probeTimeout)
	defer cancel()
	if err := c.Probe(ctx); err != nil {
		return Server{}, err
	}
	server, err := identify(ctx, c.Once.Transport, c.addresses)
	if _, unsupported := errors.AsType[*UnsupportedError](err); err != nil && !unsupported {
		err = unanswered(err)
	}
	if err == nil {
		c.Dialect.connected(server)
	}
	return server, err
}

// Probe asks whether the cluster is there and lets us in.
func (c *Client) Probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	var strange error
	// A gateway may bar the first path.
	for _, path := range []string{whoAmI, nothing} {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, path, nil)
		if err != nil {
			return err
		}
		// Below the client's product check, which looks at good answers only and says no address.
		res, err := c.Once.Transport.Perform(req)
		if err == nil {
			err = c.judge(res)
			res.Body.Close()
		} else {
			err = unanswered(err)
		}
		if failure := FailureOf(err); failure != Foreign && failure != Barred {
			return err
		}
		strange = err
	}
	if name := other(ctx, c.Once.Transport); name != "" {
		return &UnsupportedError{c.addresses, name}
	}
	return strange
}

// unanswered explains a question that brought no answer of the cluster.
func unanswered(err error) error {
	e := &ProbeError{Failure: failureOf(err)}
	switch e.Failure {
	case Untrusted:
		e.cause = fmt.Errorf("the connection is not safe: %w\n  What to do: %s", err,
			tlsAdvice(err))
	case Barred:
		e.cause = fmt.Errorf("the cluster is not reached: %w", err)
	default:
		advice := "check ESRULE_ELASTICSEARCH_URL and that the cluster runs"
		if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
			advice += "; a cluster with TLS ends a plain connection like this, " +
				"and its address begins with https://"
		}
		e.MayPass = true
		e.cause = fmt.Errorf("no cluster answers: %w\n  What to do: %s", err, advice)
	}
	return e
}

// judge reads from an answer, which need not be a good one, whether this is a cluster that lets us
// in.
func (c *Client) judge(res *http.Response) error {
	address := addressOf(res)
	switch code := res.StatusCode; {
	case code == http.StatusUnauthorized:
		// Without asking for the product: Elasticsearch leaves the header out of a refusal.
		return &ProbeError{Failure: Unauthorized, cause: fmt.Errorf(
			"the cluster refused %s: %s: %s\n  What to do: %s", c.credential, address,
			describe(res), c.advice)}
	case code == http.StatusTooManyRequests, code >= 500:
		return &ProbeError{Failure: Unready, MayPass: true, cause: fmt.Errorf(
			"the cluster is not ready: %s: %s\n  What to do: look at the cluster's health", address,
			describe(res))}
	case isElasticsearch(res):
		return nil
	}
	return &ProbeError{Failure: Foreign, cause: fmt.Errorf(
		"not Elasticsearch: %s: %s, without the header "+
			"by which Elasticsearch 7.14 and newer say who they are\n"+
			"  What to do: check ESRULE_ELASTICSEARCH_URL; "+
			"a proxy in between has to pass requests and the X-Elastic-Product header on",
		address, describe(res))}
}

// describe returns the status of an answer and the reason in it.
func describe(res *http.Response) string {
	var body struct {
		Error struct {
			Reason string `json:"reason"`
		} `json:"error"`
	}
	status := fmt.Sprintf("status %d %s", res.StatusCode, http.StatusText(res.StatusCode))
	if json.NewDecoder(io.LimitReader(res.Body, 64<<10)).Decode(&body) != nil ||
		body.Error.Reason == "" {
		return status
	}
	return fmt.Sprintf("%s: %.300s", status, body.Error.Reason)
}
