package elastic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// race is one request on its way to one address or more.
type race struct {
	*transport
	req     *http.Request
	began   time.Time
	results chan *attempt // that have ended
	hung    chan silence  // of those that go on, at an address that hangs
}

// silence is how long an address has left an attempt unanswered though it is alive, 0 where it is
// not.
type silence struct {
	of     *attempt
	lasted time.Duration
}

// attempt is the request at one address. Its context lives until its answer is read.
type attempt struct {
	at      *address
	ctx     context.Context
	cancel  context.CancelCauseFunc
	res     *http.Response
	err     error
	stalled time.Duration // how long its address left it unanswered though it is alive
}

// run tries the addresses in turn, beginning with the next as soon as one has failed or hangs.
func (r *race) run() (*http.Response, error) {
	ctx, waiting := r.req.Context(), r.addresses.order()
	var running, failed []*attempt
	next := func() {
		if len(waiting) > 0 {
			running = append(running, r.start(waiting[0]))
			waiting = waiting[1:]
		}
	}
	next()
	for len(running) > len(failed) {
		select {
		case a := <-r.results:
			if r.note(ctx, a.at, a.res, a.err) {
				r.tellStalls(running, a)
				giveUp(running, a)
				return a.res, nil
			}
			failed = append(failed, a)
			next()
		case s := <-r.hung:
			s.of.stalled = s.lasted
			next()
		case <-ctx.Done():
			giveUp(running, nil)
			return nil, context.Cause(ctx)
		}
	}
	return r.allFailed(failed)
}

// tellStalls notes the addresses that left the request unanswered, which another has answered
// meanwhile.
func (r *race) tellStalls(attempts []*attempt, answered *attempt) {
	for _, a := range attempts {
		if a != answered && a.stalled >= r.patience.again {
			r.addresses.stalled(a.at, kindOf(r.req), 0, a.stalled)
			stalledFor(r.req.Context(), a.stalled)
		}
	}
}

// allFailed returns what to tell where no address is well: an answer rather than an error.
func (r *race) allFailed(failed []*attempt) (*http.Response, error) {
	var all noAddress
	for _, a := range failed {
		if a.err == nil {
			giveUp(failed, a)
			return a.res, nil
		}
		all = append(all, a.err)
	}
	giveUp(failed, nil)
	return nil, all
}

// giveUp ends all attempts but the one whose answer is returned.
func giveUp(attempts []*attempt, but *attempt) {
	for _, a := range attempts {
		if a != but {
			a.cancel(context.Canceled)
		}
	}
}

// noAddress holds why each address failed.
type noAddress []error

func (e noAddress) Error() string {
	var all []string
	for _, one := range e {
		all = append(all, one.Error())
	}
	return strings.Join(all, "; ")
}

func (e noAddress) Unwrap() []error { return e }

// start sends the request to one address and watches it.
func (r *race) start(at *address) *attempt {
	a := &attempt{at: at}
	a.ctx, a.cancel = context.WithCancelCause(r.req.Context())
	answered := make(chan struct{})
	go r.guard(a, answered)
	go func() {
		a.res, a.err = r.line.send(r.req.WithContext(a.ctx), at) //nolint:bodyclose // the reader's
		close(answered)
		if a.err == nil {
			a.res.Body = &watchedBody{
				ReadCloser: a.res.Body, attempt: a, transport: r.transport, kind: kindOf(r.req),
			}
		}
		select {
		case r.results <- a:
		case <-a.ctx.Done():
			if a.err == nil {
				a.res.Body.Close()
			}
		}
	}()
	return a
}

// guard reports an attempt whose address hangs.
func (r *race) guard(a *attempt, answered <-chan struct{}) {
	pause, began := quietFor, time.Now()
	for {
		select {
		case <-answered:
			return
		case <-a.ctx.Done():
			return
		case <-time.After(pause):
		}
		is := silence{of: a}
		if r.hangs(a) == nil {
			is.lasted = time.Since(began)
			if left := r.patienceWith(a.at) - is.lasted; left > 0 {
				pause = max(min(quietBetween, left), time.Second)
				continue
			}
		}
		select {
		case r.hung <- is:
		case <-answered:
		case <-a.ctx.Done():
		}
		return
	}
}

// patienceWith is how long an address that is alive may leave the request unanswered. Where the
// request has to be over soon, another address needs a part of that time.
func (r *race) patienceWith(a *address) time.Duration {
	most := r.patience.answer
	if a.hasStalled() {
		most = r.patience.again
	}
	if end, ok := r.req.Context().Deadline(); ok {
		most = min(most, end.Sub(r.began)*5/8)
	}
	return most
}

// hangs asks the address of an attempt that brings nothing a question that costs it nothing, and
// returns why it counts as hung, or nil.
func (t *transport) hangs(a *attempt) error {
	if a.at.heardWithin(quietFor) {
		return nil
	}
	err := t.addresses.ask(a.ctx, a.at)
	if err == nil || a.ctx.Err() != nil {
		return nil //nolint:nilerr // an attempt that is over does not hang
	}
	return hungError{a.at, err}
}

// hungError is the reason of an address that accepts requests and answers none.
type hungError struct {
	at    *address
	cause error
}

func (e hungError) Error() string {
	return fmt.Sprintf("%s accepts requests and does not answer them", e.at)
}

func (e hungError) Unwrap() error { return e.cause }

// watchedBody is an answer that is being read. Where nothing comes, its address is asked whether it
// is there, and if it is not the reader gets an error and may ask another address.
type watchedBody struct {
	io.ReadCloser
	attempt   *attempt
	transport *transport

	kind string // of the request

	mu      sync.Mutex
	got     int64 // bytes
	timer   *time.Timer
	reading bool
	since   time.Time
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.arm(quietFor)
	n, err := b.ReadCloser.Read(p)
	b.disarm(n)
	if errors.Is(err, io.EOF) {
		b.transport.addresses.served(b.attempt.at, b.kind, b.got)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		if cause, hung := errors.AsType[hungError](context.Cause(b.attempt.ctx)); hung {
			err = cause
		}
	}
	return n, err
}

func (b *watchedBody) Close() error {
	err := b.ReadCloser.Close()
	b.attempt.cancel(context.Canceled)
	return err
}

func (b *watchedBody) arm(after time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reading, b.since = true, time.Now()
	if b.timer == nil {
		b.timer = time.AfterFunc(after, b.look)
		return
	}
	b.timer.Reset(after)
}

func (b *watchedBody) disarm(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reading = false
	b.got += int64(n)
	b.timer.Stop()
}

func (b *watchedBody) look() {
	if hung := b.transport.hangs(b.attempt); hung != nil {
		b.attempt.cancel(hung)
		return
	}
	b.mu.Lock()
	reading, silence, got := b.reading, time.Since(b.since), b.got
	if reading && silence < b.transport.patience.body {
		b.timer.Reset(quietBetween)
	}
	b.mu.Unlock()
	if reading && silence >= b.transport.patience.body {
		b.transport.addresses.stalled(b.attempt.at, b.kind, got, silence)
		stalledFor(b.attempt.ctx, silence)
		b.attempt.cancel(hungError{b.attempt.at, errStalled})
	}
}

// errStalled is why an answer is given up whose address is alive.
var errStalled = errors.New("the answer began and does not go on")
