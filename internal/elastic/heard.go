package elastic

import (
	"context"
	"time"
)

// heardKey is where the context of a run keeps whom to tell of an answer.
type heardKey struct{}

// WithHeard returns a context whose requests call tell when they are over. A run that hangs is
// told by it; the request of a readiness probe has another context, so that it hides nothing.
func WithHeard(ctx context.Context, tell func()) context.Context {
	return context.WithValue(ctx, heardKey{}, tell)
}

func heard(ctx context.Context) {
	if tell, ok := ctx.Value(heardKey{}).(func()); ok {
		tell()
	}
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
