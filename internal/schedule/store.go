package schedule

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"esrule/internal/elastic"
	"esrule/internal/elastic/state"
	"esrule/internal/query/rule"
)

// Store keeps ledgers as documents of the state index.
type Store struct {
	documents *state.Store
	now       func() time.Time
	watch     func(*Ledger)

	mu   sync.Mutex
	held map[rule.ID]held
}

// held is a ledger that could not be written, since the state index takes no writes, and the
// version of the document that it follows.
type held struct {
	ledger  *Ledger
	version state.Version
}

// NotKeptError is a ledger that holds what was done and that the state index does not take, until
// somebody removes what blocks it. The work may go on: signals have ids of their own, and what is
// searched again after a restart doubles none.
type NotKeptError struct {
	RuleID rule.ID
	Err    error
}

func (e *NotKeptError) Error() string {
	return fmt.Sprintf("the ledger of rule %s is not kept: %v: remove what blocks the state index "+
		"(a full disk blocks it too); signals were written, and a restart searches the same again",
		e.RuleID, e.Err)
}

func (e *NotKeptError) Unwrap() error { return e.Err }

// NewStore gives the store over the state index, which must be there (package sink creates it).
func NewStore(client elastic.Transport, index string, now func() time.Time) *Store {
	return &Store{documents: state.NewStore(client, index), now: now, watch: func(*Ledger) {},
		held: map[rule.ID]held{}}
}

// Watch shows f every ledger as it is written: who tells others how far a run has come need not ask
// the cluster. f keeps and changes nothing of it.
func (s *Store) Watch(f func(*Ledger)) { s.watch = f }

// ErrNoLedger says that a rule has no ledger yet.
var ErrNoLedger = errors.New("no ledger")

const ledgerPrefix = "ledger-"

func ledgerID(id rule.ID) string { return ledgerPrefix + string(id) }

// Load gives a rule's ledger, or ErrNoLedger.
func (s *Store) Load(ctx context.Context, id rule.ID) (*Ledger, error) {
	ledger, v, err := s.load(ctx, id)
	if err == nil && !v.Exists() {
		err = ErrNoLedger
	}
	return ledger, err
}

// LoadAll returns the ledgers of rules, by their ids; a rule without one is not among them.
func (s *Store) LoadAll(ctx context.Context, rules []rule.ID) (map[rule.ID]*Ledger, error) {
	all := map[rule.ID]*Ledger{}
	b, failed := s.batch(ctx, rules)
	for _, id := range rules {
		source, err := b.open[id].source, error(nil)
		if failed != nil { // each says for itself what is wrong
			source, _, err = s.source(ctx, id)
		}
		if err == nil && source != nil {
			all[id], err = readLedger(id, source)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (s *Store) load(ctx context.Context, id rule.ID) (*Ledger, state.Version, error) {
	source, v, err := s.source(ctx, id)
	if err != nil || !v.Exists() {
		return &Ledger{}, v, err
	}
	ledger, err := readLedger(id, source)
	return ledger, v, err
}

// source returns the document of a ledger, nil where there is none.
func (s *Store) source(ctx context.Context, id rule.ID) (json.RawMessage, state.Version, error) {
	var source json.RawMessage
	v, err := s.documents.Get(ctx, ledgerID(id), &source)
	if err != nil {
		return nil, v, fmt.Errorf("the ledger of rule %s: %w", id, err)
	}
	return source, v, nil
}

// readLedger reads the document of a rule's ledger.
func readLedger(id rule.ID, source json.RawMessage) (*Ledger, error) {
	ledger := &Ledger{}
	if err := json.Unmarshal(source, ledger); err != nil {
		return nil, fmt.Errorf("the ledger of rule %s: %w", id, err)
	}
	if ledger.Version > ledgerVersion {
		return nil, fmt.Errorf("the ledger of rule %s has format %d, this release knows %d: "+
			"run the newer release, or use another ESRULE_STATE_INDEX", id, ledger.Version,
			ledgerVersion)
	}
	return ledger, nil
}

// tries bounds how often one change is repeated against other instances' changes.
const tries = 20

// Update changes a rule's ledger: change gets the newest one, or the one that create makes where
// there is none, and is called again on it where another instance was faster. It returns the ledger
// as written. Where a block keeps the ledger from being written, it returns it with a
// *NotKeptError, and goes on from it the next time.
func (s *Store) Update(ctx context.Context, id rule.ID, create func() *Ledger,
	change func(*Ledger)) (*Ledger, error) {
	ledger, _, err := s.update(ctx, id, create, change)
	return ledger, err
}

// update is Update, and returns the version that the ledger has now, or that one which could not be
// written follows.
func (s *Store) update(ctx context.Context, id rule.ID, create func() *Ledger,
	change func(*Ledger)) (*Ledger, state.Version, error) {
	for range tries {
		ledger, v, err := s.load(ctx, id)
		if err != nil {
			return nil, v, err
		}
		if !v.Exists() {
			ledger = create()
		}
		kept := s.heldAt(id, v)
		if kept != nil {
			ledger = kept
		}
		before, err := json.Marshal(ledger)
		if err != nil {
			return nil, v, fmt.Errorf("the ledger of rule %s: %w", id, err)
		}
		change(ledger)
		if after, err := json.Marshal(ledger); v.Exists() && kept == nil && err == nil &&
			bytes.Equal(before, after) {
			s.watch(ledger)
			return ledger, v, nil
		}
		ledger.UpdatedAt = s.now().UTC().Truncate(time.Millisecond)
		now, written, err := s.documents.Put(ctx, ledgerID(id), ledger, v)
		if refused, ok := errors.AsType[*elastic.Error](err); ok &&
			refused.Type == elastic.ClusterBlock {
			s.hold(id, held{ledger, v})
			return ledger, v, &NotKeptError{id, err}
		}
		if err != nil {
			return nil, v, fmt.Errorf("the ledger of rule %s: %w", id, err)
		}
		if written {
			s.hold(id, held{})
			s.watch(ledger)
			return ledger, now, nil
		}
	}
	return nil, state.Version{}, fmt.Errorf("write the ledger of rule %s: other instances changed "+
		"it %d times in a row", id, tries)
}

// heldAt returns the ledger that is held for a rule, unless another instance has written since.
func (s *Store) heldAt(id rule.ID, v state.Version) *Ledger {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.held[id]; h.ledger != nil && h.version == v {
		return h.ledger
	}
	return nil
}

func (s *Store) hold(id rule.ID, h held) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.ledger == nil {
		delete(s.held, id)
		return
	}
	s.held[id] = h
}
