package backfill_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8"

	"esrule/internal/detect"
	"esrule/internal/elastic/search"
	"esrule/internal/elastic/state"
	"esrule/internal/estest"
	"esrule/internal/query/eql"
	"esrule/internal/query/rule"
	"esrule/internal/schedule/backfill"
	"esrule/internal/sink"
	"esrule/internal/sink/indices"
	"esrule/internal/span"
)

// world is a cluster with two rules, an index of events from the first days of 2021, and what a
// backfill needs.
type world struct {
	*estest.Cluster
	t          *testing.T
	detections []*detect.Detection
	compiler   detect.Compiler // of the detections
	indices    indices.Names
	events     string
	start      time.Time
	span       time.Duration
	log        log
}

// log may be written to by many workers.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newWorld(t *testing.T) *world {
	t.Helper()
	c := estest.For(t)
	w := &world{Cluster: c, t: t, start: time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC),
		span: 48 * time.Hour}
	w.events = w.index("one")
	w.rule("bad", `process where process.name : "bad*"`)
	w.rule("worse", `process where process.name : ("bad1", "worse*")`)
	w.forget()
	return w
}

// forget gives the world new indices for signals and state: nothing was ever searched.
func (w *world) forget() {
	w.t.Helper()
	n := rand.IntN(1e9)
	w.indices = indices.Names{Signals: w.Index(fmt.Sprint("signals", n)),
		State: w.Index(fmt.Sprint("state", n)), DeadLetter: w.Index(fmt.Sprint("dead", n))}
	if _, err := w.indices.Ensure(w.t.Context(), w.Client, nil); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) index(name string) string {
	full := w.Index("events-" + name)
	w.Create(full, `{"settings":{"number_of_replicas":0},"mappings":{"dynamic":false,"properties":{"@timestamp":{"type":"date"},
		"event":{"properties":{"category":{"type":"keyword"}}},"process":{"properties":{"name":{"type":"keyword"},"pid":{"type":"long"}}}}}}`)
	return full
}

func (w *world) rule(id rule.ID, text string) {
	w.t.Helper()
	query, err := eql.Parse(text)
	if err != nil {
		w.t.Fatal(err)
	}
	d, err := w.compiler.New(&rule.Rule{Head: rule.Head{
		ID: id, Name: "Rule " + string(id), Severity: "high", RiskScore: 73, Type: "eql",
		Language: "eql",
		Index:    []string{w.Index("events-*")}, From: 9 * time.Minute, Interval: 5 * time.Minute,
	}, Body: &rule.EventQuery{Query: query}}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.detections = append(w.detections, d)
}

// apart has the second rule look for the same events in other patterns, of which only the server
// can tell what they stand for: it is in a part of its own.
func (w *world) apart() {
	w.detections[1].Patterns = []string{w.Index("events-*"), "-" + w.Index("events-none*")}
}

// crowd writes events, half of them in one busy minute, and gives how many signals they are worth.
func (w *world) crowd(n int, r *rand.Rand) (signals int) {
	w.t.Helper()
	names := []string{"bad1", "bad2", "worse", "good", "Good.exe"}
	worth := map[string]int{"bad1": 2, "bad2": 1, "worse": 1}
	var docs []any
	for i := range n {
		at := w.start.Add(time.Duration(r.Int64N(int64(w.span))))
		if i%2 == 0 {
			at = w.start.Add(20*time.Hour + time.Duration(r.Int64N(int64(time.Minute))))
		}
		name := names[r.IntN(len(names))]
		signals += worth[name]
		docs = append(docs, fmt.Sprintf(
			`{"@timestamp":%q,"event":{"category":"process"},"process":{"name":%q,"pid":%d}}`,
			at.Format(time.RFC3339Nano), name, i))
	}
	w.Bulk(w.events, docs...)
	w.Refresh(w.events)
	return signals
}

func (w *world) request() backfill.Request {
	return backfill.Request{From: "2021-01-01", To: "2021-01-02",
		Range: span.New(w.start, w.start.Add(w.span))}
}

func (w *world) own() []string {
	return []string{w.indices.Signals, w.indices.State, w.indices.DeadLetter}
}

func (w *world) survey(sliceSize int64) *backfill.Survey {
	return &backfill.Survey{Cluster: search.NewCluster(w.Client, search.Options{Tries: 1}),
		Own: w.own(), SliceSize: sliceSize, Now: time.Now}
}

func (w *world) plan(sliceSize int64) *backfill.Plan {
	w.t.Helper()
	p, err := w.survey(sliceSize).Plan(w.t.Context(), w.request(), w.detections)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// kept is a plan as the state index keeps it.
func (w *world) kept(p *backfill.Plan) *backfill.Plan {
	w.t.Helper()
	p, err := w.store().Keep(w.t.Context(), p)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) store() *backfill.Store {
	return backfill.NewStore(state.NewStore(w.Client, w.indices.State), time.Now)
}

// worker is a process on a plan.
type worker struct {
	name     string
	client   *elasticsearch.Client // the world's where nil
	workers  int
	lease    time.Duration
	signals  detect.Signals // the cluster where nil
	coverer  detect.Cluster // the cluster where nil
	unkept   bool           // a dry run
	tries    int
	pageSize int
	windUp   time.Duration
}

func (w *world) runner(p *backfill.Plan, o worker) (*backfill.Runner, error) {
	client := o.client
	if client == nil {
		client = w.Client
	}
	if o.lease == 0 {
		o.lease = 300 * time.Millisecond
	}
	if o.pageSize == 0 {
		o.pageSize = 7
	}
	logger := slog.New(slog.NewTextHandler(&w.log, nil))
	if o.signals == nil {
		o.signals = sink.NewWriter(client, sink.Options{SignalsIndex: w.indices.Signals,
			DeadLetterIndex: w.indices.DeadLetter, MaxElapsed: time.Millisecond})
	}
	if o.coverer == nil {
		o.coverer = search.NewCluster(client, search.Options{PageSize: o.pageSize, Tries: 1})
	}
	documents := state.NewStore(client, w.indices.State)
	if o.unkept {
		documents = nil
	}
	return backfill.NewRunner(w.t.Context(),
		&detect.Coverer{Cluster: o.coverer, Signals: o.signals, Own: w.own(), Log: logger,
			Bursts: detect.NewBursts(w.indices.Signals),
			Indicators: detect.NewIndicators(search.NewCluster(client, search.Options{Tries: 1}),
				w.own(), logger)},
		backfill.NewClaims(documents, o.name, o.lease, time.Now), p, w.detections,
		backfill.Options{Workers: o.workers, Tries: o.tries, RetryPause: time.Millisecond,
			WindUp: o.windUp, Now: time.Now, Log: logger, Version: "test"})
}

// finish works on a plan until nothing is left.
func (w *world) finish(p *backfill.Plan, o worker) backfill.Totals {
	w.t.Helper()
	r, err := w.runner(p, o)
	if err == nil {
		err = r.Run(w.t.Context(), nil)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return r.Totals()
}

// ids are those of the signals that are there.
func (w *world) ids() []string {
	w.t.Helper()
	w.Refresh(w.indices.Signals)
	var ids []string
	for _, hit := range w.Hits(w.indices.Signals) {
		ids = append(ids, hit.ID)
	}
	slices.Sort(ids)
	return ids
}

// dying is the network of a process that is killed at its nth request: neither that nor any later
// one arrives, or the nth does and its answer is lost.
type dying struct {
	mu      sync.Mutex
	left    int
	arrives bool
}

func (d *dying) RoundTrip(r *http.Request) (*http.Response, error) {
	d.mu.Lock()
	d.left--
	left := d.left
	d.mu.Unlock()
	if left > 0 {
		return http.DefaultTransport.RoundTrip(r)
	}
	if left == 0 && d.arrives {
		if res, err := http.DefaultTransport.RoundTrip(r); err == nil {
			_ = res.Body.Close()
		}
	}
	return nil, fmt.Errorf("killed")
}
