package elastic

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Retry is how something is sent again that failed and may succeed later. What that is, whoever
// sends it decides.
type Retry struct {
	Tries   uint          // how often it is sent at most; 0 is no limit
	For     time.Duration // how long it is sent again at most; 0 is no limit
	Pause   time.Duration // before the second try, give or take a half; each further one is longer
	Growth  float64       // by this factor; 0 is 1.5
	Longest time.Duration // up to this; 0 is a minute

	// Say, if there is one, is called before each pause.
	Say func(err error, pause time.Duration)
}

// Do calls send until it succeeds, or the error is not worth another try, or tries or time are
// used up. It returns the last error, or the cause where ctx ends during a pause.
func (r Retry) Do(ctx context.Context, send func() (again bool, err error)) error {
	options := []backoff.RetryOption{backoff.WithBackOff(r.pauses()), backoff.WithMaxTries(r.Tries),
		backoff.WithMaxElapsedTime(r.For)}
	if r.Say != nil {
		options = append(options, backoff.WithNotify(r.Say))
	}
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		again, err := send()
		if err != nil && !again {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, options...)
	if final, ok := errors.AsType[*backoff.PermanentError](err); ok {
		return final.Unwrap()
	}
	return err
}

func (r Retry) pauses() backoff.BackOff {
	p := backoff.NewExponentialBackOff()
	p.InitialInterval = r.Pause
	if r.Growth > 0 {
		p.Multiplier = r.Growth
	}
	if r.Longest > 0 {
		p.MaxInterval = r.Longest
	}
	return p
}

// patient is the policy of [Client.Requests]. A ledger that cannot be written undoes what a run has
// done: a full queue is waited for, some 20 s in all.
func patient() Retry {
	return Retry{Tries: 7, Pause: 500 * time.Millisecond, Growth: 2, Longest: 8 * time.Second}
}

// patiently is a Transport that sends again what a busy or restarting cluster refused.
type patiently struct{ once Transport }

// errBusy is an answer that may be another one a little later.
var errBusy = errors.New("the cluster, or a gateway before it, is busy")

// Perform implements Transport. Where the cluster stays busy, it returns the last answer.
func (p patiently) Perform(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	req, err := replayable(req)
	if err != nil {
		return nil, err
	}
	var res *http.Response
	err = patient().Do(ctx, func() (bool, error) {
		discard(res)
		res = nil
		again, err := rewound(ctx, req)
		if err != nil {
			return false, err
		}
		if res, err = p.once.Perform(again); err != nil { //nolint:bodyclose // the caller's
			return worthRepeating(err), err
		}
		switch res.StatusCode {
		case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable,
			http.StatusGatewayTimeout:
			return true, errBusy
		}
		return false, nil
	})
	switch {
	case errors.Is(err, errBusy):
		return res, nil
	case err != nil:
		discard(res)
		return nil, err
	}
	return res, nil
}

// discard reads an answer to its end, so that its connection can be used again.
func discard(res *http.Response) {
	if res != nil {
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
	}
}

// worthRepeating reports whether a request that brought no answer may bring one when it is sent
// again.
func worthRepeating(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		IsFinal(err) {
		return false
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return true
	}
	// An address that was reached and did not answer in time is at its limit; the same work again
	// would add to it.
	timeout, ok := errors.AsType[net.Error](err)
	return !ok || !timeout.Timeout()
}
