package elastic

import (
	"context"
	"net/http"
	"time"
)

// Listener is told when a request is over, whatever came of it. A run that hangs is noticed by the
// silence. Heard may be called concurrently.
type Listener interface{ Heard() }

// WithListener returns a client over the same addresses, connections and credentials whose requests
// tell l when they are over. Those of c do not: a readiness probe must not hide a run that hangs.
func (c *Client) WithListener(l Listener) (*Client, error) {
	told := *c
	err := told.connect(listened{c.transport, l})
	return &told, err
}

// listened is a transport whose requests are told.
type listened struct {
	http.RoundTripper
	listener Listener
}

func (t listened) RoundTrip(req *http.Request) (*http.Response, error) {
	defer t.listener.Heard()
	return t.RoundTripper.RoundTrip(req)
}

// stalledKey is where a context keeps whom to tell of the time that a stall has taken.
type stalledKey struct{}

// WithStalls returns a context whose requests tell how long they waited for an address that is
// alive and left them unanswered: whoever sent them is not to blame for that time. tell may be
// called concurrently.
func WithStalls(ctx context.Context, tell func(waited time.Duration)) context.Context {
	return context.WithValue(ctx, stalledKey{}, tell)
}

func stalledFor(ctx context.Context, waited time.Duration) {
	if tell, ok := ctx.Value(stalledKey{}).(func(time.Duration)); ok {
		tell(waited)
	}
}
