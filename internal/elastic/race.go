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
	results chan *attempt // that have ended
	hung    chan *attempt // that go on, at an address that hangs
}

// attempt is the request at one address. Its context lives until its answer is read.
type attempt struct {
	at     *address
	ctx    context.Context
	cancel context.CancelCauseFunc
	res    *http.Response
	err    error
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
				giveUp(running, a)
				return a.res, nil
			}
			failed = append(failed, a)
			next()
		case <-r.hung:
			next()
		case <-ctx.Done():
			giveUp(running, nil)
			return nil, context.Cause(ctx)
		}
	}
	return r.allFailed(failed)
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
		a.res, a.err = r.line.send(r.req.WithContext(a.ctx), at)
		close(answered)
		if a.err == nil {
			a.res.Body = &watchedBody{ReadCloser: a.res.Body, attempt: a, transport: r.transport}
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
		pause = quietBetween
		if time.Since(began) < r.patience && r.hangs(a) == nil {
			continue
		}
		select {
		case r.hung <- a:
		case <-answered:
		case <-a.ctx.Done():
		}
		return
	}
}

// hangs asks the address of an attempt that brings nothing a question that costs it nothing, and
// returns why it counts as hung, or nil.
func (t *transport) hangs(a *attempt) error {
	if a.at.heardWithin(quietFor) {
		return nil
	}
	err := t.addresses.ask(a.ctx, a.at)
	if err == nil || a.ctx.Err() != nil {
		return nil
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

	mu      sync.Mutex
	timer   *time.Timer
	reading bool
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.arm(quietFor)
	n, err := b.ReadCloser.Read(p)
	b.disarm()
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
	b.reading = true
	if b.timer == nil {
		b.timer = time.AfterFunc(after, b.look)
		return
	}
	b.timer.Reset(after)
}

func (b *watchedBody) disarm() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reading = false
	b.timer.Stop()
}

func (b *watchedBody) look() {
	if hung := b.transport.hangs(b.attempt); hung != nil {
		b.attempt.cancel(hung)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.reading {
		b.timer.Reset(quietBetween)
	}
}
