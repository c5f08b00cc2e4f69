package backfill

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Pace keeps a backfill from hurting the cluster: at most so many documents a second, and a rest
// whenever the cluster answers more slowly than it does as a rule. All workers of a process share
// one.
type Pace struct {
	limit *rate.Limiter // nil: as fast as the cluster goes

	mu    sync.Mutex
	usual time.Duration // what a page takes when all is well; 0 before the first
}

// NewPace gives a pace of at most so many documents a second; 0 is no limit.
func NewPace(documentsPerSecond int) *Pace {
	p := &Pace{}
	if documentsPerSecond > 0 {
		p.limit = rate.NewLimiter(rate.Limit(documentsPerSecond), documentsPerSecond)
	}
	return p
}

// wait returns when the next page may be asked for.
func (p *Pace) wait(ctx context.Context, documents int, waited time.Duration) error {
	if rest := p.rest(waited); rest > 0 {
		timer := time.NewTimer(rest)
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timer.C:
		}
	}
	for p.limit != nil && documents > 0 {
		n := min(documents, p.limit.Burst()) // a page may hold more than a second's worth
		if err := p.limit.WaitN(ctx, n); err != nil {
			return err
		}
		documents -= n
	}
	return nil
}

const (
	// slow is how many times the usual a page may take, and slack what it may take besides, before
	// we rest.
	slow        = 3
	slack       = 250 * time.Millisecond
	longestRest = 30 * time.Second
)

// rest is how long to leave the cluster alone behind a page: as long as the page took beyond the
// usual. A cluster that refuses (429) makes a page late too, since it was asked for again with
// growing pauses.
func (p *Pace) rest(waited time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.usual == 0 || waited < p.usual {
		p.usual = waited
	} else {
		// the usual may grow, but not as fast as a cluster in trouble slows down
		p.usual += p.usual/50 + time.Microsecond
	}
	if waited < slow*p.usual+slack {
		return 0
	}
	return min(waited-p.usual, longestRest)
}
