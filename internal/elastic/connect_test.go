package elastic

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"testing"
	"time"
)

// A request for a cluster that is over its limits is not answered by piling more of it on.
func TestWorthRepeating(t *testing.T) {
	f := func(err error, want bool) {
		t.Helper()
		if got := worthRepeating(fmt.Errorf("http://localhost:9200: %w", err)); got != want {
			t.Errorf("%v: got %v, want %v", err, got, want)
		}
	}
	timedOut := &net.DNSError{IsTimeout: true}
	f(io.EOF, true)
	f(&net.OpError{Op: "dial", Err: timedOut}, true)
	f(&net.OpError{Op: "read", Err: errors.New("connection reset by peer")}, true)
	f(&net.OpError{Op: "read", Err: timedOut}, false)
	f(context.Canceled, false)
	f(context.DeadlineExceeded, false)
	f(fingerprintError{}, false)
	expired := &tls.CertificateVerificationError{Err: errors.New("expired")}
	f(expired, false)
	f(&RedirectError{Status: 301}, false)
	f(&ProxyError{Status: 407}, false)
	f(noAddress{expired, io.EOF}, true) // the other node may be back in a moment
	f(noAddress{expired, &RedirectError{Status: 301}}, false)
}

func TestPauses(t *testing.T) {
	f := func(attempt int, least, most time.Duration) {
		t.Helper()
		for range 100 {
			pauses := patient().pauses()
			for range attempt - 1 {
				pauses.NextBackOff()
			}
			if got := pauses.NextBackOff(); got < least || got > most {
				t.Errorf("attempt %d: got %s, want %s to %s", attempt, got, least, most)
			}
		}
	}
	f(1, 250*time.Millisecond, 750*time.Millisecond)
	f(2, 500*time.Millisecond, 1500*time.Millisecond)
	f(3, time.Second, 3*time.Second)
	f(6, 4*time.Second, 12*time.Second)
}

// TestRetry: what may pass is sent again until it does, or the tries or the time are used up. There
// is no pause after the last try.
func TestRetry(t *testing.T) {
	busy, refused := errors.New("busy"), errors.New("refused")
	f := func(r Retry, answers []error, wantSent int, want error) {
		t.Helper()
		sent, pauses := 0, 0
		r.Pause, r.Say = time.Nanosecond, func(error, time.Duration) { pauses++ }
		got := r.Do(t.Context(), func() (bool, error) {
			err := answers[min(sent, len(answers)-1)]
			sent++
			return errors.Is(err, busy), err
		})
		if !errors.Is(got, want) || sent != wantSent || pauses != wantSent-1 {
			t.Errorf("%+v, %v: got %v after %d tries and %d pauses, want %v after %d",
				r, answers, got, sent, pauses, want, wantSent)
		}
	}
	f(Retry{}, []error{nil}, 1, nil)
	f(Retry{}, []error{busy, busy, nil}, 3, nil)
	f(Retry{}, []error{busy, refused, nil}, 2, refused)
	f(Retry{Tries: 7}, []error{busy}, 7, busy)
	f(Retry{Tries: 2}, []error{busy, refused, nil}, 2, refused)
	f(Retry{Tries: 1}, []error{refused}, 1, refused)
	f(Retry{For: time.Nanosecond}, []error{busy, nil}, 1, busy)
}

// quietLog keeps the handshakes that a test makes fail out of its output.
func quietLog() *log.Logger { return log.New(io.Discard, "", 0) }
