package backfill

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"esrule/internal/elastic/state"
)

// Claims is one process's view of who works on what. Without documents it keeps nothing and every
// piece is free: a dry run.
type Claims struct {
	documents *state.Store
	worker    string
	lease     time.Duration
	now       func() time.Time
}

// NewClaims gives the claims of one process, whose name is worker. A claim of another that shows no
// sign of life for a lease, on our clock, may be taken over; clocks of two machines are never
// compared. documents is nil for a dry run.
func NewClaims(documents *state.Store, worker string, lease time.Duration,
	now func() time.Time) *Claims {
	return &Claims{documents: documents, worker: worker, lease: lease, now: now}
}

// sight is what we saw of a slice's document last, and since when it has looked like that.
type sight struct {
	version state.Version
	slice   Slice
	since   time.Time
}

// all reads what is known of pieces. Those that nobody has claimed are left out.
func (c *Claims) all(ctx context.Context, pieces []Piece) (map[string]Slice, error) {
	known := map[string]Slice{}
	if c.documents == nil {
		return known, nil
	}
	ids := make([]string, len(pieces))
	for i, p := range pieces {
		ids[i] = p.ID
	}
	err := c.documents.GetAll(ctx, ids,
		func(id string, _ state.Version, source json.RawMessage) error {
			var s Slice
			err := json.Unmarshal(source, &s)
			known[id] = s
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read the slices: %w", err)
	}
	return known, nil
}

// take claims a piece, or gives no claim and what it sees instead. before is what was seen of it
// last.
func (c *Claims) take(ctx context.Context, p Piece, fresh Slice,
	before sight) (*claim, sight, error) {
	fresh.State, fresh.Worker = Claimed, c.worker
	if c.documents == nil {
		return &claim{claims: c, id: p.ID, slice: fresh}, sight{}, nil
	}
	if !before.version.Exists() { // most slices are claimed by the first who asks
		taken, err := c.claim(ctx, p, fresh, before.version)
		if taken != nil || err != nil {
			return taken, before, err
		}
	}
	var current Slice
	v, err := c.documents.Get(ctx, p.ID, &current)
	if err != nil {
		return nil, before, fmt.Errorf("look who has a slice: %w", err)
	}
	now := sight{version: v, slice: current, since: c.now()}
	if v == before.version {
		now.since = before.since
	}
	if v.Exists() {
		// One in our own name was claimed by a request whose answer was lost.
		busy := current.State == Claimed && current.Worker != c.worker &&
			(v != before.version || c.now().Sub(now.since) < c.lease)
		if busy || current.State == Done {
			return nil, now, nil
		}
		fresh.Tries = current.Tries
		if current.State == Failed {
			fresh.Tries = 0 // a new command tries anew
		}
	}
	taken, err := c.claim(ctx, p, fresh, v)
	return taken, now, err
}

// claim writes a slice in the place of what was seen of it. Where another was faster there is no
// claim; the next look says who.
func (c *Claims) claim(ctx context.Context, p Piece, fresh Slice,
	seen state.Version) (*claim, error) {
	fresh.UpdatedAt = c.now().UTC().Truncate(time.Millisecond)
	v, written, err := c.documents.Put(ctx, p.ID, fresh, seen)
	if err != nil {
		return nil, fmt.Errorf("claim a slice: %w", err)
	}
	if !written {
		return nil, nil
	}
	return &claim{claims: c, id: p.ID, slice: fresh, version: v}, nil
}

// claim is a slice that is ours. Its methods may be called concurrently.
type claim struct {
	claims *Claims
	id     string

	mu      sync.Mutex
	slice   Slice
	version state.Version
	over    bool
}

// errTakenOver: another took us for dead and has the slice now. It covers it too, so nothing is
// lost.
var errTakenOver = errors.New("another worker has taken the slice over")

// beat shows a sign of life.
func (c *claim) beat(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return nil
	}
	c.slice.Beats++
	return c.write(ctx)
}

// end enters what became of the slice, and gives the claim up.
func (c *claim) end(ctx context.Context, change func(*Slice)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	change(&c.slice)
	return c.write(ctx)
}

func (c *claim) write(ctx context.Context) error {
	if c.claims.documents == nil {
		return nil
	}
	c.slice.UpdatedAt = c.claims.now().UTC().Truncate(time.Millisecond)
	v, written, err := c.claims.documents.Put(ctx, c.id, c.slice, c.version)
	if err != nil {
		return err
	}
	if !written {
		return c.lost(ctx)
	}
	c.version = v
	return nil
}

// lost tells a claim that was taken over from a write of our own whose answer was lost on the way.
func (c *claim) lost(ctx context.Context) error {
	var current Slice
	v, err := c.claims.documents.Get(ctx, c.id, &current)
	if err != nil {
		return err
	}
	if v.Exists() && current.Worker == c.slice.Worker && current.State == c.slice.State &&
		current.Beats == c.slice.Beats {
		c.version = v
		return nil
	}
	return errTakenOver
}
