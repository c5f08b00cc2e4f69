package elastic

import "context"

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
