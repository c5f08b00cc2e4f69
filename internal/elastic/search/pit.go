package search

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"esrule/internal/elastic"
	"esrule/internal/elastic/indexpattern"
)

// PointInTime is the state of a pattern's indices at one moment, which pages are read from. Its
// methods may be called concurrently.
type PointInTime struct {
	cluster  *Cluster
	patterns []string
	shards   int
	left     []string       // indices that it was opened without, which are among its failures
	parts    []*PointInTime // where it consists of several
	// standings are what the patterns stand for, asked after it was opened; nil where nobody asked.
	standings map[string]Standing

	mu       sync.Mutex
	id       string // the newest: any answer may bring another
	failures failures
}

// OpenPointInTime opens a point in time over the open indices of the patterns. Shards that cannot
// be reached do not prevent it; their indices are among its Failures from the start. Where the
// server does not take so many patterns or shards at once, it consists of several, opened one after
// the other.
func (c *Cluster) OpenPointInTime(ctx context.Context, patterns []string) (*PointInTime, error) {
	all := &PointInTime{cluster: c, patterns: slices.Clone(patterns)}
	err := c.inPortions(ctx, patterns, func(portion []string) error {
		open := c.openOne
		if isRemote(portion) {
			open = c.openRemote
		}
		one, err := open(ctx, portion)
		if err == nil {
			all.parts = append(all.parts, one)
		}
		return err
	})
	if err != nil {
		return nil, errors.Join(err, all.Close(ctx))
	}
	if len(all.parts) == 1 {
		return all.parts[0], nil
	}
	return all, nil
}

// Failures are the indices that some search of this point in time has not read whole so far, those
// that it was opened without included.
func (p *PointInTime) Failures() []Failure {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := slices.Clone(p.failures.list)
	for _, part := range p.parts {
		all = append(all, part.Failures()...)
	}
	return all
}

// Empty reports whether the point in time holds no shard: the patterns match no index, or none that
// may be read or reached.
func (p *PointInTime) Empty() bool {
	holds := func(part *PointInTime) bool { return !part.Empty() }
	return p.current() == "" && !slices.ContainsFunc(p.parts, holds)
}

// Close gives the point in time's resources back, even where ctx has ended. It need not succeed: an
// unread point in time ends by itself.
func (p *PointInTime) Close(ctx context.Context) error {
	errs := []error{p.release(ctx, p.take())}
	for _, part := range p.parts {
		errs = append(errs, part.Close(ctx))
	}
	return errors.Join(errs...)
}

// take returns the identifier, which the point in time has no longer then.
func (p *PointInTime) take() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := p.id
	p.id = ""
	return id
}

func (p *PointInTime) release(ctx context.Context, id string) error {
	if id == "" {
		return nil
	}
	within := 10 * time.Second
	if ctx.Err() != nil { // somebody wants an end; the point in time expires by itself
		within = 2 * time.Second
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	q := call{method: http.MethodDelete, path: "/_pit", body: map[string]string{"id": id}}
	body, err := q.marshal()
	if err != nil {
		return err
	}
	_, err = p.cluster.send(ctx, q, body, nil, 0)
	var refused *elastic.Error
	if errors.As(err, &refused) && refused.Status == http.StatusNotFound {
		return nil
	}
	if err != nil {
		return fmt.Errorf("close the point in time: %w", err)
	}
	return nil
}

// order is what pages are sorted by, so that each begins where the one before ended. By
// `_shard_doc`, shard by shard, every page costs the cluster a look at each match of the request.
// By `_doc` a shard stops behind the last one that the page takes, but pages are then put together
// from all shards, which costs more where there are several.
func (p *PointInTime) order() string {
	if p.shards == 1 {
		return "_doc"
	}
	return "_shard_doc"
}

func (p *PointInTime) current() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.id
}

// renew takes the identifier that an answer brought, unless the point in time is closed meanwhile.
func (p *PointInTime) renew(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.id != "" && id != "" {
		p.id = id
	}
}

// note enters failures. One that does not name its index counts for every index.
func (p *PointInTime) note(ctx context.Context, found []Failure) []Failure {
	var all []string
	var noted []Failure
	for _, f := range found {
		if f.Index != "" {
			noted = append(noted, f)
			continue
		}
		if all == nil {
			all = p.indices(ctx)
		}
		for _, index := range all {
			noted = append(noted, Failure{Index: index, Type: f.Type, Reason: f.Reason})
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range noted {
		p.failures.add(f)
	}
	return noted
}

// knows reports whether a failure is entered already.
func (p *PointInTime) knows(f Failure) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failures.has(f)
}

func (p *PointInTime) noteFailedShards(ctx context.Context,
	shards []elastic.ShardFailure) []Failure {
	found := make([]Failure, len(shards))
	for i := range shards {
		found[i] = failureOf(shards[i])
	}
	return p.note(ctx, found)
}

// indices names what the patterns stand for; where that cannot be learned, the patterns themselves.
func (p *PointInTime) indices(ctx context.Context) []string {
	if isRemote(p.patterns) {
		return indexpattern.Adding(p.patterns)
	}
	indices, err := p.cluster.Indices(ctx, p.patterns)
	if err != nil || len(indices) == 0 {
		return indexpattern.Adding(p.patterns)
	}
	return indices
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) + "ms" }
