package schedule

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"esrule/internal/elastic"
	"esrule/internal/elastic/state"
	"esrule/internal/query/rule"
)

// batch is the ledgers of a run over many rules: read by one request, changed in memory, and
// written by one. What a kill keeps from being written is searched again, and doubles no signal. It
// is not safe for concurrent use.
type batch struct {
	store   *Store
	open    map[rule.ID]*pending
	changed []rule.ID // not written yet, in the order of their first change
	written time.Time // when the changes were written last
}

// pending is a ledger of a batch.
type pending struct {
	read    bool            // else it is read before its first change
	source  json.RawMessage // as changed; nil where there is none
	stored  json.RawMessage // as read or written last
	isOurs  bool            // source is as this release writes it
	version state.Version
	create  func() *Ledger
	changes []func(*Ledger) // since it was read or written
}

// longestPending is how long a change waits to be written while the run goes on.
const longestPending = 10 * time.Second

// batch reads the ledgers of rules. With an error, each is read by itself when it is changed first,
// and says what is wrong.
func (s *Store) batch(ctx context.Context, rules []rule.ID) (*batch, error) {
	b := &batch{store: s, open: map[rule.ID]*pending{}, written: s.now()}
	ids := make([]string, len(rules))
	for i, id := range rules {
		ids[i], b.open[id] = ledgerID(id), &pending{read: true}
	}
	err := s.documents.GetAll(ctx, ids,
		func(id string, v state.Version, source json.RawMessage) error {
			b.open[rule.ID(strings.TrimPrefix(id, ledgerPrefix))].found(source, v)
			return nil
		})
	if err != nil {
		for _, p := range b.open {
			*p = pending{}
		}
		return b, fmt.Errorf("read the ledgers of %d rules: %w", len(rules), err)
	}
	return b, nil
}

// found enters a ledger as it was read.
func (p *pending) found(source json.RawMessage, v state.Version) {
	*p = pending{read: true, source: source, stored: source, version: v}
}

// update changes a rule's ledger in memory, see [Store.Update]. change may be called again when the
// ledger is written, on what another instance has made of it meanwhile.
func (b *batch) update(ctx context.Context, id rule.ID, create func() *Ledger,
	change func(*Ledger)) (*Ledger, error) {
	p := b.open[id]
	ledger, isHeld, err := b.ledger(ctx, id, p)
	if err != nil {
		return nil, err
	}
	if ledger == nil {
		ledger = create()
	}
	change(ledger)
	after, err := json.Marshal(ledger)
	if err != nil {
		return nil, fmt.Errorf("the ledger of rule %s: %w", id, err)
	}
	if !isHeld && p.is(after) {
		if len(p.changes) == 0 {
			b.store.watch(ledger)
		}
		return ledger, nil
	}
	if len(p.changes) == 0 {
		b.changed = append(b.changed, id)
		p.create = create
	}
	p.source, p.isOurs, p.changes = after, true, append(p.changes, change)
	return ledger, nil
}

// ledger returns the ledger that the next change is made to, nil where there is none. isHeld says
// that the state index did not take it so far.
func (b *batch) ledger(ctx context.Context, id rule.ID, p *pending) (l *Ledger, isHeld bool,
	err error) {
	if !p.read {
		source, v, err := b.store.source(ctx, id)
		if err != nil {
			return nil, false, err
		}
		p.found(source, v)
	}
	if len(p.changes) == 0 {
		if l := b.store.heldAt(id, p.version); l != nil {
			return l, true, nil
		}
	}
	if p.source == nil {
		return nil, false, nil
	}
	l, err = readLedger(id, p.source)
	return l, false, err
}

// first is the ledger that the changes are made to where there is none in the index: another may
// have deleted it meanwhile.
func (p *pending) first() *Ledger {
	var stored Ledger
	if p.stored == nil || json.Unmarshal(p.stored, &stored) != nil {
		return p.create()
	}
	return &stored
}

// is reports whether the ledger is this one, as this release writes it.
func (p *pending) is(written []byte) bool {
	if p.source != nil && !p.isOurs {
		var ledger Ledger
		if json.Unmarshal(p.source, &ledger) != nil {
			return false
		}
		again, err := json.Marshal(&ledger)
		if err != nil {
			return false
		}
		p.source, p.isOurs = again, true
	}
	return bytes.Equal(p.source, written)
}

// due reports whether changes wait for longer than they should.
func (b *batch) due() bool { return b.store.now().Sub(b.written) >= longestPending }

// kept is what became of a ledger that was to be written.
type kept struct {
	ledger *Ledger // as it is now; of one that could not be written, as it was before the changes
	err    error   // a *NotKeptError where the run goes on from the changed ledger all the same
}

// mostRounds is how often the ledgers that other instances changed meanwhile are written together.
// After that each is written by itself.
const mostRounds = 4

// flush writes the ledgers that were changed. Those that another instance changed meanwhile are
// read again, and the changes are made to the newest ones.
func (b *batch) flush(ctx context.Context) map[rule.ID]kept {
	b.written = b.store.now()
	ids := b.changed
	b.changed = nil
	became := map[rule.ID]kept{}
	for round := 1; len(ids) > 0; round++ {
		if ids = b.send(ctx, ids, became, round < mostRounds); len(ids) > 0 {
			b.again(ctx, ids)
		}
	}
	return became
}

// send writes ledgers by one request and enters what became of them. It returns those that another
// instance changed meanwhile, where these are to be written again.
func (b *batch) send(ctx context.Context, ids []rule.ID, became map[rule.ID]kept,
	isTriedAgain bool) (conflicts []rule.ID) {
	var changes []state.Change
	var ledgers []*Ledger
	for _, id := range ids {
		p := b.open[id]
		ledger, err := readLedger(id, p.source)
		if err != nil {
			became[id] = b.lose(id, err)
			continue
		}
		ledger.UpdatedAt = b.written.UTC().Truncate(time.Millisecond)
		ledgers = append(ledgers, ledger)
		changes = append(changes, state.Change{ID: ledgerID(id), Document: ledger,
			Version: p.version})
	}
	written, err := b.store.documents.PutAll(ctx, changes)
	for i, ledger := range ledgers {
		id := ledger.RuleID
		switch {
		case i >= len(written):
			became[id] = b.lose(id, fmt.Errorf("write the ledger of rule %s: %w", id, err))
		case isTriedAgain && !written[i].Done && written[i].Err == nil:
			conflicts = append(conflicts, id)
		default:
			became[id] = b.enter(ctx, ledger, written[i])
		}
	}
	return conflicts
}

// again reads ledgers by one request and makes their changes to them. One that is not read keeps
// its old version, so that it is written by itself.
func (b *batch) again(ctx context.Context, ids []rule.ID) {
	names := make([]string, len(ids))
	read := map[rule.ID]func(p *pending){}
	for i, id := range ids {
		names[i] = ledgerID(id)
		read[id] = func(p *pending) { p.source, p.version = nil, state.Version{} } // deleted
	}
	err := b.store.documents.GetAll(ctx, names,
		func(name string, v state.Version, source json.RawMessage) error {
			read[rule.ID(strings.TrimPrefix(name, ledgerPrefix))] = func(p *pending) {
				p.source, p.stored, p.version = source, source, v
			}
			return nil
		})
	if err != nil {
		return
	}
	for _, id := range ids {
		p := b.open[id]
		read[id](p)
		p.changeAgain(id)
	}
}

// changeAgain makes the changes to a ledger as it was read. One that cannot be read stays as it is
// for whoever writes it to say so.
func (p *pending) changeAgain(id rule.ID) {
	ledger := p.first()
	if p.source != nil {
		var err error
		if ledger, err = readLedger(id, p.source); err != nil {
			return
		}
	}
	for _, change := range p.changes {
		change(ledger)
	}
	if after, err := json.Marshal(ledger); err == nil {
		p.source = after
	}
}

// enter enters what became of a ledger that was sent.
func (b *batch) enter(ctx context.Context, ledger *Ledger, w state.Written) kept {
	id := ledger.RuleID
	p := b.open[id]
	if w.Done {
		b.store.hold(id, held{})
		b.keep(p, ledger, w.Version)
		b.store.watch(ledger)
		return kept{ledger: ledger}
	}
	if refused, ok := errors.AsType[*elastic.Error](w.Err); ok &&
		refused.Type == elastic.ClusterBlock {
		b.store.hold(id, held{ledger, p.version})
		b.keep(p, ledger, p.version)
		return kept{ledger, &NotKeptError{id, w.Err}}
	}
	changes := p.changes
	ledger, v, err := b.store.update(ctx, id, p.first, func(l *Ledger) {
		for _, change := range changes {
			change(l)
		}
	})
	if _, notKept := errors.AsType[*NotKeptError](err); err != nil && !notKept {
		return b.lose(id, err)
	}
	b.keep(p, ledger, v)
	return kept{ledger, err}
}

// keep makes a ledger the one that the next change goes on from.
func (b *batch) keep(p *pending, ledger *Ledger, v state.Version) {
	source, err := json.Marshal(ledger)
	if err != nil { // it was marshaled to be written
		return
	}
	p.source, p.stored, p.isOurs, p.version, p.changes = source, source, true, v, nil
}

// lose goes back to the ledger before the changes, which could not be written.
func (b *batch) lose(id rule.ID, err error) kept {
	p := b.open[id]
	p.source, p.isOurs, p.changes = p.stored, false, nil
	if p.stored == nil {
		return kept{err: err}
	}
	ledger, unread := readLedger(id, p.stored)
	return kept{ledger, errors.Join(err, unread)}
}
