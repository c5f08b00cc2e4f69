package sink

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// deliver creates documents in an index and gives a verdict on each. It repeats what was not acknowledged, and nothing
// else, until all is settled, ctx ends or Options.MaxElapsed is over. A document whose acknowledgement was lost on the
// way counts as a duplicate when it is sent again.
//
// The error says what stays unsettled or barred; the verdicts hold all the same.
func (w *Writer) deliver(ctx context.Context, index string, docs []entry) ([]verdict, error) {
	var all []verdict
	var errs []error
	for _, batch := range batches(docs, w.o.MaxItems, w.o.MaxBytes) {
		verdicts, err := w.deliverBatch(ctx, index, batch)
		all = append(all, verdicts...)
		if err != nil {
			errs = append(errs, err)
		}
		if err != nil && !slices.ContainsFunc(verdicts, verdict.settled) {
			break // nothing at all was taken: no more would be of the next
		}
	}
	for len(all) < len(docs) {
		all = append(all, verdict{})
	}
	return all, errors.Join(errs...)
}

func (w *Writer) deliverBatch(ctx context.Context, index string, batch []entry) ([]verdict, error) {
	verdicts := make([]verdict, len(batch))
	open := make([]int, len(batch)) // positions of what is unsettled
	for i := range open {
		open[i] = i
	}
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval = w.o.RetryPause
	pauses.MaxInterval = max(w.o.RetryPause, 10*time.Second)
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		var err error
		open, err = w.attempt(ctx, index, batch, verdicts, open)
		return struct{}{}, err
	},
		backoff.WithBackOff(pauses),
		backoff.WithMaxElapsedTime(w.o.MaxElapsed),
		backoff.WithNotify(func(err error, pause time.Duration) {
			w.o.Logger.Warn("writing again after a pause", "index", index, "documents", len(open), "pause", pause, "error", err)
		}))
	if err == nil {
		err = barredError(verdicts)
	}
	if err != nil {
		return verdicts, fmt.Errorf("write to %s: %w%s", index, err, advice(err))
	}
	return verdicts, nil
}

// attempt sends the open documents once and gives those that are still open. Its error asks for another attempt,
// unless it is marked as permanent.
func (w *Writer) attempt(ctx context.Context, index string, batch []entry, verdicts []verdict, open []int) ([]int, error) {
	docs := make([]entry, len(open))
	for i, at := range open {
		docs[i] = batch[at]
	}
	requestCtx, cancel := context.WithTimeout(ctx, w.o.RequestTimeout)
	defer cancel()
	got, err := sendable(requestCtx, w.client, index, docs)
	var still []int
	var last *serverError
	for i, at := range open {
		if i < len(got) {
			verdicts[at] = got[i]
		}
		if verdicts[at].outcome == unsettled {
			still, last = append(still, at), verdicts[at].err
		}
	}
	var failure *serverError
	var misnamed *NotConcreteError
	switch {
	case errors.As(err, &misnamed), errors.As(err, &failure) && !failure.passing(), err != nil && ctx.Err() != nil:
		return still, backoff.Permanent(err)
	case err != nil:
		return still, err
	case len(still) > 0:
		return still, &itemsError{len(still), last}
	}
	return nil, nil
}

// advice says what the user can do about a failed request.
func advice(err error) string {
	var failure *serverError
	if !errors.As(err, &failure) {
		return ""
	}
	switch {
	case failure.typ == notCreated:
		return ": an ingest pipeline of the index dropped it; take the pipeline away"
	case failure.typ == blocked:
		return ": the index takes no writes; what blocks it must be removed"
	case failure.typ == "index_closed_exception":
		return ": open the index again"
	case failure.status == http.StatusUnauthorized:
		return ": check the user and password or the API key"
	case failure.status == http.StatusForbidden:
		return ": this user may not create documents in it; `esrule setup` prints the role that is needed"
	case failure.status == http.StatusNotFound:
		return ": the index is gone; the next run or `esrule setup` creates it"
	}
	return ""
}

// itemsError is about some documents of a request that as a whole went well.
type itemsError struct {
	n    int
	last *serverError
}

func (e *itemsError) Error() string { return fmt.Sprintf("%d not taken: %v", e.n, e.last) }
func (e *itemsError) Unwrap() error { return e.last }

func barredError(verdicts []verdict) error {
	var e itemsError
	for _, v := range verdicts {
		if v.outcome == barred {
			e.n, e.last = e.n+1, v.err
		}
	}
	if e.n == 0 {
		return nil
	}
	return &e
}
