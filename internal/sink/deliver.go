package sink

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"esrule/internal/elastic"
)

// deliver creates documents in an index and returns a reply to each. It repeats what was not
// acknowledged, and nothing else, until all is settled, ctx ends or Options.MaxElapsed is over. A
// document whose acknowledgement was lost counts as a duplicate when it is sent again.
//
// The error says what stays unsettled or barred; the replies are good even then.
func (w *Writer) deliver(ctx context.Context, index string, docs []entry) ([]reply, error) {
	var all []reply
	var errs []error
	for _, batch := range batches(docs, w.o.MaxItems, w.mostBytes()) {
		replies, err := w.deliverBatch(ctx, index, batch)
		all = append(all, replies...)
		if err == nil {
			err = barredError(replies)
		}
		if err == nil {
			continue
		}
		errs = append(errs, fmt.Errorf("write to %s: %w%s", index, err, advice(err)))
		if !slices.ContainsFunc(replies, reply.settled) {
			break // nothing at all was taken: no more would be of the next
		}
	}
	for len(all) < len(docs) {
		all = append(all, reply{})
	}
	return all, errors.Join(errs...)
}

// deliverBatch delivers documents in one request, or in as many as the way needs.
func (w *Writer) deliverBatch(
	ctx context.Context, index string, batch []entry,
) ([]reply, error) {
	replies := make([]reply, len(batch))
	open, err := w.repeat(ctx, index, batch, replies)
	if cut, ok := errors.AsType[*cutError](err); ok {
		err = w.narrow(ctx, index, batch, replies, open, cut)
	}
	return replies, err
}

// repeat sends a batch until each document has its reply, and returns the positions of those that
// still have none.
func (w *Writer) repeat(
	ctx context.Context, index string, batch []entry, replies []reply,
) ([]int, error) {
	open := make([]int, len(batch))
	for i := range open {
		open[i] = i
	}
	failed := 0 // requests that failed as a whole, in a row
	retry := w.retry()
	retry.Longest = max(w.o.RetryPause, 10*time.Second)
	retry.Say = func(err error, pause time.Duration) {
		w.o.Logger.Warn("writing again after a pause", "index", index, "documents", len(open),
			"pause", pause, "error", err)
	}
	err := retry.Do(ctx, func() (again bool, err error) {
		requestErr, itemErr := w.attempt(ctx, index, batch, replies, &open)
		if requestErr == nil {
			failed = 0
			return true, itemErr
		}
		failed++
		return w.whetherAgain(ctx, index, requestErr, len(open), failed)
	})
	if err != nil && ctx.Err() == nil && heavy(batch, replies, &open, err) {
		err = nil
	}
	return open, err
}

// retry is how often and how long requests are repeated.
func (w *Writer) retry() elastic.Retry {
	return elastic.Retry{Pause: w.o.RetryPause, For: w.o.MaxElapsed}
}

// attempt sends the open documents once and takes those that are settled out of open. It returns
// what the request as a whole failed with, or else why documents of it are still open.
func (w *Writer) attempt(
	ctx context.Context, index string, batch []entry, replies []reply, open *[]int,
) (requestErr, itemErr error) {
	requestCtx, cancel := context.WithTimeout(ctx, w.o.RequestTimeout)
	defer cancel()
	got, err := bulk(requestCtx, w.client, index, pick(batch, *open))
	if err != nil {
		return err, nil
	}
	var still []int
	var last *serverError
	for i, at := range *open {
		replies[at] = got[i]
		if got[i].outcome == unsettled {
			still, last = append(still, at), got[i].err
		}
	}
	*open = still
	if len(still) > 0 {
		return nil, &itemsError{len(still), last}
	}
	return nil, nil
}

func pick(batch []entry, positions []int) []entry {
	docs := make([]entry, len(positions))
	for i, at := range positions {
		docs[i] = batch[at]
	}
	return docs
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

func barredError(replies []reply) error {
	var e itemsError
	for _, v := range replies {
		if v.outcome == barred {
			e.n, e.last = e.n+1, v.err
		}
	}
	if e.n == 0 {
		return nil
	}
	return &e
}
