package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"esrule/internal/detect"
	"esrule/internal/estest"
)

// round is one schedule under way, on indices of its own.
type round struct {
	plan    *schedule
	pair    *estest.Pair
	admin   *admin
	prefix  string
	net     *network
	started time.Time

	detections []*detect.Detection
	instances  []*instance
	extra      chan struct{} // room for the one more instance

	node   sync.Mutex // held by who kills the second node or lets it hang
	mu     sync.Mutex
	events int
	goners []string         // indices to be deleted, with what they hold
	gone   map[string][]doc // those that were
	// replaced are indices that go on, or have gone on, under another name.
	replaced []replaced
	done     map[kind]int    // the faults that really were
	found    map[string]bool // the signals before the last backfill
	errs     []error

	failing time.Duration // how long it was until the last fault was undone
	partial string        // how far the ledgers were then
}

func (r *round) index(name string) string { return r.prefix + "-" + name }
func (r *round) pattern() string          { return strings.Join(r.patterns(), ",") }

// patterns are the rules': a wildcard, an alias and a data stream.
func (r *round) patterns() []string {
	return []string{r.index("ev-*"), r.index("alias"), r.index("stream")}
}

// targets are where live events are written.
func (r *round) targets() []string {
	return []string{r.index("ev-first"), r.index("ev-second"), r.index("ev-both"),
		r.index("ev-closing"),
		r.index("write"), r.index("alias"), r.index("stream")}
}

func newRound(plan *schedule, pair *estest.Pair, file, home string) (*round, error) {
	r := &round{
		plan: plan, pair: pair,
		admin:  &admin{url: pair.URL, http: &http.Client{Timeout: time.Minute}},
		prefix: fmt.Sprintf("soak-%d-%x", plan.seed, time.Now().UnixNano()&0xffffff),
		gone:   map[string][]doc{}, done: map[kind]int{}, extra: make(chan struct{}, 1),
	}
	home = filepath.Join(home, r.prefix)
	if err := os.MkdirAll(home, 0o755); err != nil {
		return nil, err
	}
	folder, err := writeRules(home, r.patterns(), r.index("ti"), plan.size.rules)
	if err != nil {
		return nil, err
	}
	if r.detections, err = loadRules(folder, plan.size.rules); err != nil {
		return nil, err
	}
	password := filepath.Join(home, "password")
	g, err := newGateway(password)
	if err != nil {
		return nil, err
	}
	second := func() (string, error) {
		// a node that starts has no address yet
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		return pair.SecondURL(ctx)
	}
	if r.net, err = newNetwork(pair.URL, second, g); err != nil {
		return nil, err
	}
	for slot := range slots {
		clock := filepath.Join(home, fmt.Sprint("clock-", slot))
		r.instances = append(r.instances, &instance{
			file: file, home: home, clock: clock, url: func() string { return r.net.url(slot) },
			env: []string{
				"SOAK_CLOCK=" + clock,
				"ESRULE_RULES=" + folder,
				"ESRULE_ELASTICSEARCH_USERNAME=" + userName,
				"ESRULE_ELASTICSEARCH_PASSWORD_FILE=" + password,
				"ESRULE_SIGNALS_INDEX=" + r.index("signals"),
				"ESRULE_STATE_INDEX=" + r.index("state"),
				"ESRULE_DEAD_LETTER_INDEX=" + r.index("dead-letter"),
				fmt.Sprintf("ESRULE_START=%dh", int(r.plan.size.lookBack.Hours())+1),
				"ESRULE_SCHEDULE=@every 1s",
				fmt.Sprintf("ESRULE_LATE=%dm", int(r.plan.size.late().Minutes())),
				"ESRULE_PAGE_SIZE=50", // so that an hour of events takes several pages
			},
		})
	}
	r.net.abandoned = func(slot int) { r.instances[slot].kill() }
	return r, nil
}

// run makes the round's events, lets everything fail, and makes it well again.
func (r *round) run(ctx context.Context) error {
	defer r.net.close()
	src := newSource(r.plan, 2, 0)
	if err := r.prepare(ctx, src); err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	r.fail(ctx)
	if err := r.heal(ctx); err != nil {
		return fmt.Errorf("make the cluster well again: %w", err)
	}
	return errors.Join(r.errs...)
}

// prepare makes the indices and the backlog.
func (r *round) prepare(ctx context.Context, src *source) error {
	on := func(node string) string {
		return `{"settings": {"number_of_replicas": 0, "refresh_interval": "1s", "index.routing.allocation.require._name": "` + node + `"}, "mappings": {` + mapping + `}}`
	}
	both := `{"settings": {"number_of_shards": 2, "number_of_replicas": 1}, "mappings": {` +
		mapping + `}}`
	create := func(path string, body any) error {
		_, err := r.admin.insist(ctx, http.MethodPut, path, body)
		return err
	}
	err := errors.Join(
		create(r.index("ev-first"), on(estest.FirstNode)),
		create(r.index("ev-second"), on(estest.SecondNode)),
		create(r.index("ev-both"), both),
		create(r.index("ev-closing"), both),
		create("_index_template/"+r.prefix, `{"index_patterns": ["`+r.index("ev-roll-*")+
			`"], "priority": 500, "template": `+both+`}`),
		create(r.index("ev-roll-000001"), `{"aliases": {"`+r.index("write")+
			`": {"is_write_index": true}}}`),
		create(r.index("behind-1"), both),
		create(r.index("behind-2"), both),
		create("_index_template/"+r.prefix+"-stream", `{"index_patterns": ["`+r.index("stream")+
			`"], "priority": 500,
			"data_stream": {}, "template": `+both+`}`),
		create(r.index("flood"),
			`{"settings": {"number_of_shards": 2, "number_of_replicas": 0}, "mappings": {"enabled": false}}`),
	)
	if err != nil {
		return err
	}
	_, err = r.admin.insist(ctx, http.MethodPost, "_aliases", `{"actions": [
		{"add": {"index": "`+r.index("behind-1")+`", "alias": "`+r.index("alias")+`", "is_write_index": false}},
		{"add": {"index": "`+r.index("behind-2")+`", "alias": "`+r.index("alias")+`", "is_write_index": true}}]}`)
	if err != nil {
		return err
	}
	old := []string{r.index("ev-first"), r.index("ev-second"), r.index("ev-both"),
		r.index("ev-closing"),
		r.index("behind-1"), r.index("behind-2"), r.index("stream")}
	for _, index := range old {
		if err := r.write(ctx, index, many(r.plan.size.backlog/len(old), src.old)); err != nil {
			return err
		}
	}
	// The data stream goes on in a second index.
	if _, err := r.admin.insist(ctx, http.MethodPost, r.index("stream")+"/_rollover",
		nil); err != nil {
		return err
	}
	for _, f := range r.plan.faults {
		if f.kind == replacedIndex {
			if err := r.newReplaced(ctx, f, both, src); err != nil {
				return err
			}
		}
		if f.kind != deleted {
			continue
		}
		index := r.index(fmt.Sprint("ev-gone-", f.number))
		if err := create(index, both); err != nil {
			return err
		}
		docs := many(40, src.old)
		if err := r.write(ctx, index, docs); err != nil {
			return err
		}
		r.goners, r.gone[index] = append(r.goners, index), docs
	}
	if err := r.prepareKinds(ctx); err != nil {
		return err
	}
	// An event that was sent twice, into two indices, is one event.
	if err := r.copySome(ctx, src); err != nil {
		return err
	}
	if _, err := r.admin.insist(ctx, http.MethodPost, r.pattern()+"/_refresh", nil); err != nil {
		return err
	}
	// With its copy, an index whose first node is lost is searched on the other.
	_, err = r.admin.insist(ctx, http.MethodGet, "_cluster/health/"+r.pattern()+
		"?wait_for_status=green&timeout=30s", nil)
	return err
}

func (r *round) copySome(ctx context.Context, src *source) error {
	docs := many(60, src.old)
	return errors.Join(r.write(ctx, r.index("ev-first"), docs),
		r.write(ctx, r.index("ev-second"), docs))
}

func (r *round) write(ctx context.Context, index string, docs []doc) error {
	if err := r.admin.put(ctx, index, docs); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events += len(docs)
	return nil
}

// fail runs instances, live events and faults side by side, and returns when the last fault is
// undone.
func (r *round) fail(ctx context.Context) {
	r.started = time.Now()
	working, stop := context.WithCancel(ctx)
	var programs, world sync.WaitGroup
	for slot := range slots - 1 {
		programs.Go(func() {
			r.instances[slot].work(working, rand.New(rand.NewPCG(r.plan.seed, uint64(10+slot))))
		})
	}
	for share, index := range r.targets() {
		own := newSource(r.plan, uint64(20+share), 1_000_000*(share+1))
		world.Go(func() { r.stream(ctx, index, own) })
	}
	for share, index := range r.stable() {
		world.Go(func() { r.streamFamilies(ctx, share, index) })
	}
	for _, f := range r.plan.faults {
		world.Go(func() {
			pause(ctx, time.Until(r.started.Add(f.at)))
			if err := r.bring(ctx, f); err != nil {
				r.note(fmt.Errorf("fault %s: %w", f, err))
			}
		})
	}
	world.Wait()
	r.failing, r.partial = time.Since(r.started), r.progress(ctx)
	stop()
	programs.Wait()
}

// stream writes live events until the last fault has begun.
func (r *round) stream(ctx context.Context, index string, src *source) {
	length := time.Duration(r.plan.size.faults) * r.plan.size.every
	share := r.plan.size.live / len(r.targets())
	const batches = 25
	for n := range batches {
		pause(ctx, time.Until(r.started.Add(length*time.Duration(n)/batches)))
		if err := r.write(ctx, index, many(share/batches, src.fresh)); err != nil {
			r.note(err)
			return
		}
	}
}

func (r *round) note(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs = append(r.errs, err)
}

func (r *round) count(k kind) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done[k]++
}

// heal waits for the cluster and lets the program finish what is open.
func (r *round) heal(ctx context.Context) error {
	// Many rules write many signals, which the cluster takes one batch at a time.
	within := 3*patience + time.Duration(r.plan.size.rules)*2*time.Second
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("not within %s", within))
	defer cancel()
	if _, err := r.admin.insist(ctx, http.MethodGet, "_cluster/health/"+r.prefix+
		"-*?wait_for_status=yellow&wait_for_nodes=2&timeout=30s", nil); err != nil {
		return err
	}
	if _, err := r.admin.insist(ctx, http.MethodPost, r.prefix+"-*/_refresh", nil); err != nil {
		return err
	}
	last := r.instances[0]
	last.env = append(last.env, "ESRULE_PAGE_SIZE=1000") // nothing fails any more
	if err := last.shift(0); err != nil {
		return err
	}
	// The first run ends a late sweep that was under way, which need not find what came since it
	// began. The next one does.
	if err := last.finish(ctx, "run", "--once"); err != nil {
		return err
	}
	if err := r.hourPasses(ctx); err != nil {
		return err
	}
	if err := last.finish(ctx, "run", "--once"); err != nil {
		return err
	}
	if err := r.noteFound(ctx); err != nil {
		return err
	}
	return last.finishBackfill(ctx, r.backfill())
}

// finishBackfill goes on with the round's backfill. Where its plan was made while an index was
// closed, it says that it takes a new one, and ends with 1 until then: so the user is told, and so
// it is done here.
func (i *instance) finishBackfill(ctx context.Context, args []string) error {
	if i.once(ctx, 0, args...) != 0 && strings.Contains(i.said(), "run the same with --restart") {
		args = append(args, "--restart")
	}
	return i.finish(ctx, args...)
}

// finish runs the program until it says that all is covered.
func (i *instance) finish(ctx context.Context, args ...string) error {
	for i.once(ctx, 0, args...) != 0 {
		if ctx.Err() != nil {
			return fmt.Errorf("`%s` does not end with 0: %w\n%s", strings.Join(args, " "),
				context.Cause(ctx), i.said())
		}
		pause(ctx, 500*ms)
	}
	return nil
}
