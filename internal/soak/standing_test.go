package soak

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// hang stops the second node without ending it.
func (r *round) hang(ctx context.Context, f fault) error {
	r.node.Lock()
	defer r.node.Unlock()
	return r.hold(ctx, f, r.pair.WakeSecond, r.pair.HangSecond())
}

// loseNode kills the second node and starts it again.
func (r *round) loseNode(ctx context.Context, f fault) error {
	r.node.Lock()
	defer r.node.Unlock()
	return r.hold(ctx, f, func() error { return r.pair.StartSecond(ctx) }, r.pair.KillSecond())
}

// writeLarge writes events that the gateway lets nobody send in one request: not even their
// signals.
func (r *round) writeLarge(ctx context.Context, f fault) error {
	src := newSource(r.plan, uint64(2000+f.number), 20_000_000+f.number*1000)
	index := r.targets()[f.amount%uint64(len(r.targets()))]
	err := r.write(ctx, index, many(1, func() doc {
		return src.large(src.event(span(src.random, 60*time.Second), "umservice.exe", `"aspx"`,
			time.Now()))
	}))
	return r.hold(ctx, f, nothing, err)
}

// replaced are indices that go on under another name. Nobody may read them before, so that their
// events are open in the ledgers; they are too old for a late sweep.
type replaced struct {
	index string
	docs  []doc
}

func (r *round) newReplaced(ctx context.Context, f fault, body string, src *source) error {
	one := replaced{r.index(fmt.Sprint("ev-replaced-", f.number)), many(40, src.ancient)}
	if _, err := r.admin.insist(ctx, http.MethodPut, one.index, body); err != nil {
		return err
	}
	if err := r.write(ctx, one.index, one.docs); err != nil {
		return err
	}
	r.replaced = append(r.replaced, one)
	_, err := r.admin.insist(ctx, http.MethodPut, one.index+"/_settings",
		`{"index.blocks.read": true}`)
	return err
}

// replace lets an index go on under another name, when every ledger holds it as open.
func (r *round) replace(ctx context.Context, f fault) error {
	r.mu.Lock()
	one := r.replaced[0]
	r.replaced = append(r.replaced[1:], one)
	r.mu.Unlock()
	open := false
	for end := time.Now().Add(f.hold); !open && time.Now().Before(end); pause(ctx, 50*ms) {
		open = r.isOpen(ctx, one.index)
	}
	next := one.index + "-v2"
	_, err := r.admin.insist(ctx, http.MethodPut, next,
		`{"settings": {"number_of_replicas": 1}, "mappings": {`+mapping+`}}`)
	if err != nil {
		return err
	}
	if err := r.admin.put(ctx, next, one.docs); err != nil {
		return err
	}
	if _, err := r.admin.insist(ctx, http.MethodPost, next+"/_refresh", nil); err != nil {
		return err
	}
	if _, err := r.admin.insist(ctx, http.MethodDelete, one.index, nil); err != nil {
		return err
	}
	if open {
		r.count(replacedIndex)
	}
	return nil
}

// isOpen reports whether the ledger of each rule holds an index as open. Rules that judge several
// events together may leave the whole piece of time open for it.
func (r *round) isOpen(ctx context.Context, index string) bool {
	for _, d := range r.detections {
		if isOfFamilies(d.Rule.ID) {
			continue
		}
		answer, err := r.admin.do(ctx, http.MethodGet, r.ledgerPath(d.Rule.ID), nil)
		if err != nil || !strings.Contains(string(answer), fmt.Sprintf("%q", index)) {
			return false
		}
	}
	return true
}

// blockMember blocks one of the indices that an alias or a data stream stands for, to reading.
func (r *round) blockMember(ctx context.Context, f fault) error {
	index := r.index([]string{"behind-1", "behind-2"}[f.amount/2%2])
	if f.kind == streamBlocked {
		answer, err := r.admin.insist(ctx, http.MethodGet, "_resolve/index/"+r.index("stream"), nil)
		if err != nil {
			return err
		}
		var found struct {
			Streams []struct {
				Members []string `json:"backing_indices"`
			} `json:"data_streams"`
		}
		if err := json.Unmarshal(answer, &found); err != nil {
			return err
		}
		members := found.Streams[0].Members
		index = members[f.amount/2%uint64(len(members))]
	}
	return r.block(ctx, f, index, []string{"read", "metadata"}[f.amount%2])
}

// refuseSignals makes the signals index refuse every signal, or what it has no mapping for.
func (r *round) refuseSignals(ctx context.Context, f fault) error {
	path, on, off := "/_settings", `{"index.default_pipeline": "soak-nowhere"}`,
		`{"index.default_pipeline": "_none"}`
	switch f.amount % 4 {
	case 1:
		on, off = `{"index.final_pipeline": "soak-nowhere"}`, `{"index.final_pipeline": "_none"}`
	case 2:
		path, on, off = "/_mapping", `{"dynamic": "strict"}`, `{"dynamic": false}`
	case 3:
		on, off = `{"index.blocks.write": true}`, `{"index.blocks.write": null}`
	}
	set := func(to string) error {
		_, err := r.admin.insist(ctx, http.MethodPut, r.index("signals")+path, to)
		return err
	}
	// Before the program's first run there is no such index.
	_, err := r.admin.do(ctx, http.MethodGet, r.index("signals"), nil)
	missing := (*refused)(nil)
	if errors.As(err, &missing) && missing.status == http.StatusNotFound {
		return nil
	}
	return r.hold(ctx, f, func() error { return set(off) }, set(on))
}

// rotate changes the password, and the file that holds it a while later.
func (r *round) rotate(ctx context.Context, f fault) error {
	r.net.watcher.gateway.rotate()
	return r.hold(ctx, f, r.net.watcher.gateway.publish, nil)
}

// withhold lets the gateway answer with less than the cluster said.
func (r *round) withhold(ctx context.Context, f fault) error {
	r.net.watcher.gateway.withhold(f.number, f.amount)
	pause(ctx, f.hold)
	if r.net.watcher.gateway.restore(f.number) > 0 {
		r.count(hollow)
	}
	return nil
}
