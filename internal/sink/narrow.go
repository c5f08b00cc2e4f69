package sink

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"esrule/internal/elastic"
	"esrule/internal/sink/indices"
)

const (
	// patience is how often a request fails as a whole before it is sent in halves.
	patience = 3
	// patienceAlone is how often one document alone brings no answer before the way counts as
	// closed to it. It is the longer one: what is given up then is the event in its signal.
	patienceAlone = 4
	// patienceBusy is how often Elasticsearch says that it is busy before the request is sent in
	// halves: what it holds at once may be limited to less.
	patienceBusy = 6
	// heavyBytes is the size from which a document that stays rejected for want of memory, while
	// the time to wait passes, counts as too large. A rejection of a smaller one is the cluster's
	// load.
	heavyBytes = 64 << 10
)

// unansweredError is a request to which no answer came, or none of Elasticsearch's.
type unansweredError struct{ error }

func (e *unansweredError) Unwrap() error { return e.error }

// cutError is a request that the way to the cluster does not carry, though it carries a small one:
// proxies and gateways limit a body's size, and some look into what it holds.
type cutError struct{ error }

func (e *cutError) Unwrap() error { return e.error }

// notCarried is, as a type among Elasticsearch's, a document to which nobody answers.
const notCarried = "not_carried"

// refusal is what the request failed with, as the refusal of its only document.
func (e *cutError) refusal() *serverError {
	if refused, ok := errors.AsType[*serverError](e.error); ok {
		return refused
	}
	return &serverError{typ: notCarried, reason: e.Error()}
}

// whetherAgain reports whether a request that failed as a whole is to be repeated, and returns its
// error. A *cutError asks for a smaller one.
func (w *Writer) whetherAgain(
	ctx context.Context, index string, err error, documents, failed int,
) (again bool, _ error) {
	refusal, answered := errors.AsType[*serverError](err)
	_, unanswered := errors.AsType[*unansweredError](err)
	_, misnamed := errors.AsType[*indices.NotConcreteError](err)
	switch {
	case misnamed, ctx.Err() != nil, elastic.IsFinal(err):
		return false, err
	case answered && refusal.status == http.StatusRequestEntityTooLarge:
		return false, &cutError{err}
	case answered && !refusal.passing():
		// A gateway that looks into bodies refuses one for what it holds; Elasticsearch refuses a
		// whole request for what the user may do.
		if refusal.foreign() && refusal.status != http.StatusUnauthorized && w.carries(ctx, index) {
			err = &cutError{err}
		}
		return false, err
	case !answered && !unanswered:
		return !isUntrue(err), err // of one that is not true, the next would be the same
	}
	enough := failed >= patience
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		enough = true // it took RequestTimeout
	case answered && !refusal.foreign():
		enough = documents > 1 && failed >= patienceBusy // for one alone, see heavy
	case documents == 1:
		enough = failed >= patienceAlone
	}
	if enough && w.carries(ctx, index) {
		return false, &cutError{err}
	}
	return true, err
}

// carries reports whether Elasticsearch answers a small request of the same kind. It answers that
// there is nothing to do.
func (w *Writer) carries(ctx context.Context, index string) bool {
	ctx, cancel := context.WithTimeout(ctx, min(w.o.RequestTimeout, 10*time.Second))
	defer cancel()
	_, err := ask(ctx, w.client, elastic.Request{
		Method: http.MethodPost, Path: indexPath(index, "/_bulk"), Body: []byte("\n"),
	})
	refusal, refused := errors.AsType[*serverError](err)
	return err == nil || refused && !refusal.foreign()
}

// narrow delivers in halves what the way did not carry, and returns a reply to each document: one
// that travels alone and is not carried counts as oversized.
func (w *Writer) narrow(
	ctx context.Context, index string, batch []entry, replies []reply, open []int, cut *cutError,
) error {
	w.noteCut(pick(batch, open), cut)
	if len(open) == 1 {
		replies[open[0]] = reply{oversized, cut.refusal()}
		return nil
	}
	var errs []error
	for half := range slices.Chunk(open, (len(open)+1)/2) {
		got, err := w.deliverBatch(ctx, index, pick(batch, half))
		for i, at := range half {
			replies[at] = got[i]
		}
		if err == nil {
			continue
		}
		errs = append(errs, err)
		if !slices.ContainsFunc(got, reply.settled) {
			break
		}
	}
	return errors.Join(errs...)
}

// heavy gives up large documents that were rejected for as long as there was time, since a limit of
// memory may never let them pass, and reports whether nothing else is left open.
func heavy(batch []entry, replies []reply, open *[]int, err error) bool {
	whole, _ := errors.AsType[*serverError](err)
	var still []int
	for _, at := range *open {
		refusal := replies[at].err
		if refusal == nil && len(*open) == 1 {
			refusal = whole
		}
		busy := refusal != nil && refusal.status == http.StatusTooManyRequests &&
			refusal.typ != blocked
		if busy && batch[at].size() >= heavyBytes {
			replies[at] = reply{oversized, refusal}
			continue
		}
		still = append(still, at)
	}
	*open = still
	return len(still) == 0
}

// foreign reports whether something else than Elasticsearch refused the request. Elasticsearch
// names itself in its answers, but not where it refuses who is asking; its errors have a type there
// too.
func (e *serverError) foreign() bool {
	return e.answer != nil && !e.answer.Genuine && e.typ == ""
}
