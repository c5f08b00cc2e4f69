package backfill

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"esrule/internal/elastic/state"
)

// Store keeps plans in the state index.
type Store struct {
	documents *state.Store
	now       func() time.Time
}

// NewStore gives the store over the state index's documents.
func NewStore(documents *state.Store, now func() time.Time) *Store {
	return &Store{documents: documents, now: now}
}

// Load gives a plan, or nil where there is none.
func (s *Store) Load(ctx context.Context, id string) (*Plan, error) {
	p, _, err := s.load(ctx, id)
	return p, err
}

func (s *Store) load(ctx context.Context, id string) (*Plan, state.Version, error) {
	p := &Plan{}
	v, err := s.documents.Get(ctx, planDocument(id), p)
	switch {
	case err != nil:
		return nil, v, fmt.Errorf("the plan of the backfill: %w", err)
	case !v.Exists():
		return nil, v, nil
	}
	return p, v, p.known()
}

// known refuses what a newer release wrote.
func (p *Plan) known() error {
	if p.Version > planVersion {
		return fmt.Errorf("the plan of backfill %s has format %d, this release knows %d: run the "+
			"newer release, or start anew with --restart", p.ID, p.Version, planVersion)
	}
	return nil
}

// Keep writes a new plan, and gives the one that counts: another process may have been faster.
func (s *Store) Keep(ctx context.Context, p *Plan) (*Plan, error) {
	p.UpdatedAt = s.now().UTC().Truncate(time.Millisecond)
	_, written, err := s.documents.Put(ctx, planDocument(p.ID), p, state.Version{})
	if err != nil {
		return nil, fmt.Errorf("the plan of the backfill: %w", err)
	}
	if written {
		return p, nil
	}
	return s.Load(ctx, p.ID)
}

// Replace writes a plan in the place of the one that is there, as its next generation.
func (s *Store) Replace(ctx context.Context, p *Plan) (*Plan, error) {
	before, v, err := s.load(ctx, p.ID)
	if err != nil && !v.Exists() {
		return nil, err // one of a newer format may be replaced
	}
	if before != nil {
		p.Generation = before.Generation + 1
	}
	p.UpdatedAt = s.now().UTC().Truncate(time.Millisecond)
	_, written, err := s.documents.Put(ctx, planDocument(p.ID), p, v)
	if err != nil {
		return nil, fmt.Errorf("the plan of the backfill: %w", err)
	}
	if written {
		return p, nil
	}
	return s.Load(ctx, p.ID) // another process made it anew at the same moment
}

// List gives the plans that there are, the newest first.
func (s *Store) List(ctx context.Context) ([]*Plan, error) {
	var plans []*Plan
	err := s.documents.Search(ctx, "backfill", func(_ string, source json.RawMessage) error {
		p := &Plan{}
		if err := json.Unmarshal(source, p); err != nil {
			return err
		}
		plans = append(plans, p)
		return nil
	})
	return plans, err
}

// Totals reads where a plan stands.
func (s *Store) Totals(ctx context.Context, p *Plan) (Totals, error) {
	known, err := NewClaims(s.documents, "", 0, s.now).all(ctx, p.Pieces())
	return totalsOf(p, known), err
}
