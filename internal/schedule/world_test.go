package schedule_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8"

	"esrule/internal/detect"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/query/cond"
	"esrule/internal/query/eql"
	"esrule/internal/query/rule"
	"esrule/internal/schedule"
	"esrule/internal/sink"
	"esrule/internal/sink/indices"
)

// world is a cluster with a rule that looks for bad processes in its indices, and a clock of its
// own.
type world struct {
	*estest.Cluster
	t       *testing.T
	rule    *rule.Rule
	indices indices.Names
	clock   time.Time
	log     bytes.Buffer
	logger  *slog.Logger
	// start and late are ESRULE_START and ESRULE_LATE.
	start, late time.Duration
	setAside    []string // ESRULE_SET_ASIDE
	// ahead is how far the program's clock is before the world's; theirs is the cluster's, nil its
	// real one.
	ahead  time.Duration
	theirs func() time.Time
	// opening is called before each search; its error is the search's. through replaces the client.
	opening func() error
	through *elasticsearch.Client
	// ending ends runs; nil is the test's.
	ending context.Context
	// signals is what the runner writes to; nil is the cluster.
	signals detect.Signals
	// unread is an index whose mapping is not read; empty is none.
	unread string
	// alerts is ESRULE_ALERTS_INDEX.
	alerts   []string
	compiler detect.Compiler // of the detections
}

// reader is the cluster as a world wants it read.
type reader struct {
	*search.Cluster
	w *world
}

// Mappings does not say what the fields of the unread index are, as a cluster too busy to answer.
func (r reader) Mappings(ctx context.Context, patterns, fields []string) ([]search.Class, error) {
	classes, err := r.Cluster.Mappings(ctx, patterns, fields)
	for i := range classes {
		classes[i].Indices = slices.DeleteFunc(classes[i].Indices, func(index string) bool {
			return index == r.w.unread
		})
	}
	return slices.DeleteFunc(classes, func(c search.Class) bool { return len(c.Indices) == 0 }), err
}

func (r reader) OpenPointInTime(ctx context.Context,
	patterns []string) (*search.PointInTime, error) {
	if r.w.opening != nil {
		if err := r.w.opening(); err != nil {
			return nil, err
		}
	}
	return r.Cluster.OpenPointInTime(ctx, patterns)
}

func (r reader) Now(ctx context.Context, index, field string) (time.Time, error) {
	if r.w.theirs != nil {
		return r.w.theirs(), nil
	}
	return r.Cluster.Now(ctx, index, field)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return worldOn(t, estest.For(t))
}

func worldOn(t *testing.T, c *estest.Cluster) *world {
	t.Helper()
	w := &world{Cluster: c, t: t, clock: time.Now().UTC().Truncate(time.Millisecond),
		late: 24 * time.Hour}
	w.logger = slog.New(slog.NewTextHandler(&w.log, nil))
	w.indices = indices.Names{Signals: c.Index("signals"), State: c.Index("state"),
		DeadLetter: c.Index("dead")}
	if _, err := w.indices.Ensure(t.Context(), c.Client, nil); err != nil {
		t.Fatal(err)
	}
	query := parsed(t, `process where process.name : "bad*"`)
	w.rule = &rule.Rule{Head: rule.Head{
		ID: "test-rule", Name: "Bad process", Severity: "high", RiskScore: 73, Type: "eql",
		Language: "eql", Index: []string{c.Index("events-*")},
		From: 9 * time.Minute, Interval: 5 * time.Minute, TimestampOverride: "event.ingested",
	}, Body: &rule.EventQuery{Query: query}}
	return w
}

// asks gives the rule another query.
func (w *world) asks(text string) {
	w.t.Helper()
	w.rule.Body = &rule.EventQuery{Query: parsed(w.t, text)}
}

func parsed(t *testing.T, text string) *cond.Query {
	t.Helper()
	query, err := eql.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return query
}

const processMapping = `{"dynamic":false,"properties":{"@timestamp":{"type":"date"},
	"event":{"properties":{"category":{"type":"keyword"},"ingested":{"type":"date"}}},
	"process":{"properties":{"name":{"type":"keyword"},"pid":{"type":"long"}}}}}`

// index makes an index of events.
func (w *world) index(name string) string {
	w.t.Helper()
	full := w.Index("events-" + name)
	w.Create(full, `{"settings":{"number_of_replicas":0},"mappings":`+processMapping+`}`)
	return full
}

// event writes an event that so many minutes before now happened; each pid is an event of its own.
func (w *world) event(index string, minutesAgo float64, name string, pid int) {
	w.t.Helper()
	when := w.clock.Add(-time.Duration(minutesAgo * float64(time.Minute))).Format(time.RFC3339Nano)
	w.Bulk(index, fmt.Sprintf(
		`{"@timestamp":%q,"event":{"category":"process"},"process":{"name":%q,"pid":%d}}`, when,
		name, pid))
}

// run is one run of the world's rule, as a process of its own would do it.
func (w *world) run() schedule.RuleReport {
	w.t.Helper()
	return w.runAll(w.rule)[0]
}

func (w *world) runAll(rules ...*rule.Rule) []schedule.RuleReport {
	w.t.Helper()
	return w.runOn(w.runner(), rules...)
}

// runOn is a run of a process that may have run before.
func (w *world) runOn(runner *schedule.Runner, rules ...*rule.Rule) []schedule.RuleReport {
	w.t.Helper()
	var detections []*detect.Detection
	for _, r := range rules {
		detections = append(detections, w.detection(r))
	}
	ctx := w.ending
	if ctx == nil {
		ctx = w.t.Context()
	}
	report, err := runner.Run(ctx, detections)
	if err != nil && w.ending == nil {
		w.t.Fatal(err)
	}
	w.Refresh(w.indices.Signals)
	return report.Rules
}

// detection is a rule that is ready to run.
func (w *world) detection(r *rule.Rule) *detect.Detection {
	w.t.Helper()
	w.compiler.Alerts = detect.Alerts{Index: w.indices.Signals, Patterns: w.alerts}
	d, err := w.compiler.New(r, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// runner is what a process of its own would run.
func (w *world) runner() *schedule.Runner {
	client := w.Client
	if w.through != nil {
		client = w.through
	}
	signals := w.signals
	if signals == nil {
		signals = sink.NewWriter(client, sink.Options{SignalsIndex: w.indices.Signals,
			DeadLetterIndex: w.indices.DeadLetter, Logger: w.logger})
	}
	cluster := search.NewCluster(client, search.Options{PageSize: 3, Tries: 1, Logger: w.logger})
	return schedule.NewRunner(reader{cluster, w}, signals, w.store(), schedule.Options{
		StateIndex: w.indices.State, SignalsIndex: w.indices.Signals,
		Own: []string{w.indices.Signals, w.indices.State,
			w.indices.DeadLetter},
		Start: w.start, Late: w.late, SetAside: w.setAside,
		Now: func() time.Time { return w.clock.Add(w.ahead) }, Log: w.logger, Version: "test",
	})
}

// killBehind ends the next run after so many searches.
func (w *world) killBehind(searches int) {
	ctx, kill := context.WithCancel(w.t.Context())
	w.ending = ctx
	w.opening = func() error {
		if searches--; searches < 0 {
			kill()
		}
		return ctx.Err()
	}
}

func (w *world) store() *schedule.Store {
	return schedule.NewStore(w.Client, w.indices.State, func() time.Time { return w.clock })
}

func (w *world) ledger() *schedule.Ledger {
	w.t.Helper()
	l, err := w.store().Load(w.t.Context(), w.rule.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

// wantSignals checks how many signals there are.
func (w *world) wantSignals(why string, want int) {
	w.t.Helper()
	if got := w.Count(w.indices.Signals); got != want {
		w.t.Errorf("%s: got %d signals, want %d\n%s", why, got, want, w.log.String())
	}
}
