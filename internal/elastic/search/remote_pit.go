package search

import (
	"context"
	"errors"
	"slices"
)

// openRemote opens a point in time over patterns of one remote cluster. It is empty, and the
// patterns are among its failures, where that cluster does not answer.
func (c *Cluster) openRemote(ctx context.Context, patterns []string) (*PointInTime, error) {
	p := &PointInTime{cluster: c, patterns: slices.Clone(patterns)}
	shards, without, err := c.confirm(ctx, patterns)
	p.note(ctx, without)
	if left := leaveOut(patterns, without); err == nil && len(left) > 0 && shards > 0 {
		p.patterns = left
		opened, failed := p.open(ctx)
		if err = failed; err == nil {
			err = p.begin(ctx, opened)
		}
		if err == nil && p.Empty() {
			err = errors.New("it answered, and the point in time that was opened then has none " +
				"of its shards")
		}
	}
	switch {
	case ctx.Err() != nil:
		return nil, errors.Join(context.Cause(ctx), p.Close(ctx))
	case tooMuch(err):
		return nil, err
	case err != nil:
		p.giveUp(ctx, err)
	}
	return p, nil
}

// giveUp makes a point in time over a remote cluster empty, and notes its patterns as failures.
func (p *PointInTime) giveUp(ctx context.Context, cause error) {
	p.note(ctx, unanswered(p.patterns, cause))
	if err := p.Close(ctx); err != nil {
		p.cluster.options.Logger.Debug("a point in time was not closed; it ends by itself", "error",
			err)
	}
}
