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

const (
	probeTimeout = 10 * time.Second
	probePause   = time.Second
)

// unansweredError is a failure that may pass, so that asking again makes sense.
type unansweredError struct{ error }

func (e *unansweredError) Unwrap() error { return e.error }

// Ready waits until the cluster answers and says what is wrong where it never will.
func (c *Client) Ready(ctx context.Context, within time.Duration, log *slog.Logger) error {
	deadline := time.Now().Add(within)
	for attempt := 1; ; attempt++ {
		err := c.Probe(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("wait for the cluster at %s: %w", c.addresses, context.Cause(ctx))
		}
		_, mayPass := errors.AsType[*unansweredError](err)
		if !mayPass || time.Now().Add(probePause).After(deadline) {
			return err
		}
		if attempt == 1 {
			log.Warn("the cluster does not answer yet; nothing is searched until it does", "addresses", c.addresses, "wait", within, "reason", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(probePause):
		}
	}
}

// Probe asks the cluster who we are. It is the one question that every user and key may ask, while
// the cluster's health takes a privilege that a least-privilege role lacks. A cluster without
// security has no such call and refuses it, which proves as well that it is there.
func (c *Client) Probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, whoAmI, nil)
	if err != nil {
		return err
	}
	// Below the client's product check, which looks at good answers only and says no address.
	res, err := c.Once.Transport.Perform(req)
	if err != nil {
		return unanswered(err)
	}
	defer res.Body.Close()
	return c.judge(res)
}

// unanswered explains a question that brought no answer at all.
func unanswered(err error) error {
	if advice := tlsAdvice(err); advice != "" {
		return fmt.Errorf("the connection is not safe: %w\n  What to do: %s", err, advice)
	}
	advice := "check ESRULE_ELASTICSEARCH_URL and that the cluster runs"
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		advice += "; a cluster with TLS ends a plain connection like this, and its address begins with https://"
	}
	return &unansweredError{fmt.Errorf("no cluster answers: %w\n  What to do: %s", err, advice)}
}

// judge reads from an answer, which need not be a good one, whether this is a cluster that lets us in.
func (c *Client) judge(res *http.Response) error {
	address := res.Request.URL.Scheme + "://" + res.Request.URL.Host
	switch code := res.StatusCode; {
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		// Without asking for the product: Elasticsearch leaves the header out of a refusal.
		return fmt.Errorf("the cluster refused %s: %s: %s\n  What to do: %s", c.credential, address, describe(res), c.advice)
	case code == http.StatusTooManyRequests, code >= 500:
		return &unansweredError{fmt.Errorf("the cluster is not ready: %s: %s\n  What to do: look at the cluster's health", address, describe(res))}
	case res.Header.Get(productHeader) != product:
		return fmt.Errorf("not Elasticsearch: %s: %s, without the header by which Elasticsearch 7.14 and newer say who they are\n"+
			"  What to do: check ESRULE_ELASTICSEARCH_URL; a proxy in between has to pass the X-Elastic-Product header on", address, describe(res))
	}
	return nil
}

// describe returns the status of an answer and the reason in it.
func describe(res *http.Response) string {
	var body struct {
		Error struct {
			Reason string `json:"reason"`
		} `json:"error"`
	}
	status := fmt.Sprintf("status %d %s", res.StatusCode, http.StatusText(res.StatusCode))
	if json.NewDecoder(io.LimitReader(res.Body, 64<<10)).Decode(&body) != nil || body.Error.Reason == "" {
		return status
	}
	return fmt.Sprintf("%s: %.300s", status, body.Error.Reason)
}
