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
		if got := worthRepeating(nil, fmt.Errorf("http://localhost:9200: %w", err)); got != want {
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

func TestBackoff(t *testing.T) {
	f := func(attempt int, least, most time.Duration) {
		t.Helper()
		for range 100 {
			if got := backoff(attempt); got < least || got > most {
				t.Errorf("attempt %d: got %s, want %s to %s", attempt, got, least, most)
			}
		}
	}
	f(1, 250*time.Millisecond, 750*time.Millisecond)
	f(2, 500*time.Millisecond, 1500*time.Millisecond)
	f(3, time.Second, 3*time.Second)
	f(6, 4*time.Second, 12*time.Second)
	f(7, 0, 0)
}

// quietLog keeps the handshakes that a test makes fail out of its output.
func quietLog() *log.Logger { return log.New(io.Discard, "", 0) }
