package detect_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"esrule/internal/detect"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/query/eql"
	"esrule/internal/query/rule"
	"esrule/internal/sink"
	"esrule/internal/sink/signal"
	"esrule/internal/span"
)

// recorder keeps the signals that are written, by their rules and ids.
type recorder struct {
	mu      sync.Mutex
	signals map[string]string
}

func (r *recorder) Write(_ context.Context, signals []signal.Signal) ([]sink.Verdict, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.signals == nil {
		r.signals = map[string]string{}
	}
	verdicts := make([]sink.Verdict, len(signals))
	for i, s := range signals {
		r.signals[fmt.Sprint(s.Match.Rule.ID, " ", s.ID)] = string(s.Document)
		verdicts[i].Fate = sink.Created
	}
	return verdicts, nil
}

// groupMappings are the fields of indices that differ in what they make of the same documents.
var groupMappings = []string{
	`"process":{"properties":{"name":{"type":"keyword"},"pid":{"type":"long"}}},"labels":{"type":"keyword"}`,
	`"process":{"properties":{"name":{"type":"keyword","doc_values":false},"pid":{"type":"keyword"}}},"labels":{"type":"flattened"},"site":{"type":"keyword","null_value":"home"}`,
	`"process":{"properties":{"name":{"type":"text","fields":{"keyword":{"type":"keyword"}}},"pid":{"type":"integer"}}},"site":{"type":"keyword","normalizer":"lowercase"},"labels":{"properties":{"x":{"type":"date"}}}`,
	`"process":{"properties":{"name":{"type":"text","index":false},"pid":{"type":"ip","ignore_malformed":true}}},"site":{"type":"text"},"labels":{"properties":{"x":{"type":"keyword","ignore_above":3}}}`,
	`"process":{"properties":{"name":{"type":"keyword","normalizer":"lowercase","copy_to":"all"},"pid":{"type":"double"}}},"all":{"type":"keyword"},"site":{"type":"alias","path":"all"}`,
	`"process":{"properties":{"name":{"type":"keyword","ignore_above":4},"pid":{"type":"boolean","ignore_malformed":true}}},"when":{"type":"date","format":"dd/MM/yyyy||epoch_second","ignore_malformed":true},"labels":{"type":"nested","properties":{"x":{"type":"keyword"}}}`,
	`"process":{"dynamic":false,"properties":{"pid":{"type":"long","ignore_malformed":true}}},"when":{"type":"keyword"}`,
}

var groupRuntime = map[int]string{
	0: `"all":{"type":"keyword"},"site":{"type":"keyword"}`,
	3: `"when":{"type":"date"}`,
}

// A rule in a group has the signals, counts and failures that it has alone, whatever the mappings.
func TestGroupIsItsRules(t *testing.T) {
	c := estest.For(t)
	random := rand.New(rand.NewPCG(1, 2))
	now := time.Now().UTC().Truncate(time.Millisecond)
	names := []any{"bad.exe", "BAD.EXE", "Ünder", "ünder", "x", nil, []any{"bad.exe", nil, "a b"},
		strings.Repeat("long", 7000), "home", "made", "\\dir\\bad.exe", "\u0130I", "4"}
	pids := []any{1, 4, "4", 4.0, 4.5, true, "true", "10.0.0.4", nil, []any{4, 5}}
	for n, mapping := range groupMappings {
		index := c.Index(fmt.Sprint("events-", n))
		runtime := groupRuntime[n]
		c.Create(index, `{"settings":{"number_of_replicas":0,"index.mapping.ignore_malformed":true},"mappings":{"dynamic":false,"runtime":{`+runtime+
			`},"properties":{"@timestamp":{"type":"date"},"event":{"properties":{"category":{"type":"keyword"},"kind":{"type":"keyword"}}},`+mapping+`}}}`)
		for i := range 25 {
			doc := fmt.Sprintf(
				`{"@timestamp":%q,"event":{"category":%s,"kind":%s,"id":"%d-%d"},"process":{"name":%s,"pid":%s}%s}`,
				now.Add(-time.Duration(i)*time.Second).Format(time.RFC3339Nano),
				js(pickAny(random, "process", "file", nil, []any{"process", "file"})),
				js(pickAny(random, "event", "signal", nil)), n, i,
				js(pickAny(random, names...)), js(pickAny(random, pids...)), more(random, n, names))
			c.Bulk(index, doc)
		}
	}
	queries := groupQueries(random, 70)
	var all []*detect.Detection
	for i, query := range queries {
		q, err := eql.Parse(query)
		if err != nil {
			continue
		}
		var exceptions []*rule.Exception
		if except, err := eql.Parse(queries[(i+7)%len(queries)]); err == nil && i%3 == 0 {
			exceptions = []*rule.Exception{{Name: "other", Query: except}}
		}
		d, err := detect.New(&rule.Rule{Head: rule.Head{ID: rule.ID(fmt.Sprintf("r%03d", i)),
			Name: query, Severity: "low", Type: "eql", Language: "eql", Exceptions: exceptions,
			Index: []string{c.Index("events-*")}, From: 9 * time.Minute,
			Interval: 5 * time.Minute}, Body: &rule.EventQuery{Query: q}}, nil)
		if err != nil {
			continue
		}
		all = append(all, d)
	}
	t.Logf("%d of %d rules", len(all), len(queries))
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	target := detect.Target{Patterns: []string{c.Index("events-*")},
		Window:     span.New(now.Add(-time.Hour), now.Add(time.Second)),
		Timestamps: all[0].Timestamps(), Now: now, Began: now}
	cluster := search.NewCluster(c.Client, search.Options{PageSize: 50, Tries: 1, Logger: log})
	execution := signal.Execution{ID: "x", Now: func() time.Time { return now }}
	type result struct {
		out     detect.Outcome
		signals map[string]string
	}
	alone := make([]result, len(all))
	for i, d := range all {
		var r recorder
		out, err := (&detect.Coverer{Cluster: cluster, Signals: &r, Log: log}).Cover(t.Context(),
			d, target, execution)
		if err != nil {
			t.Fatalf("%s: %v", d.Rule.Name, err)
		}
		alone[i] = result{out, r.signals}
	}
	matched, excepted, documents := 0, 0, 0
	for _, size := range []int{4, 20, len(all)} {
		for from := 0; from+size <= len(all); from += size {
			group := all[from : from+size]
			g, err := detect.NewGroup(group)
			if err != nil {
				t.Fatal(err)
			}
			x := make([]signal.Execution, size)
			for i := range x {
				x[i] = execution
			}
			var r recorder
			out, err := (&detect.Coverer{Cluster: cluster, Signals: &r, Log: log}).CoverGroup(
				t.Context(), g, target, x)
			if err != nil {
				t.Errorf("%d rules from %d: %v", size, from, err)
				continue
			}
			want := map[string]string{}
			for i, d := range group {
				one := alone[from+i]
				maps.Copy(want, one.signals)
				got := out.Of(i)
				matched, excepted = matched+got.Matched, excepted+got.Excepted
				if got.Matched != one.out.Matched || got.Created != one.out.Created ||
					got.Excepted != one.out.Excepted ||
					!slices.Equal(got.Failures, one.out.Failures) ||
					!slices.Equal(got.Reached, one.out.Reached) {
					t.Errorf("%d from %d, %s:\n got %+v\nwant %+v", size, from, d.Rule.Name, got,
						one.out)
				}
			}
			for id, document := range want {
				if got, ok := r.signals[id]; !ok {
					t.Errorf("%d from %d: lost %s: %s", size, from, id, document)
				} else if !sameJSON(got, document) {
					if documents++; documents < 4 {
						t.Errorf("%d from %d: %s\n got %s\nwant %s", size, from, id, ofEvent(got),
							ofEvent(document))
					}
				}
			}
			for id, document := range r.signals {
				if _, ok := want[id]; !ok {
					t.Errorf("%d from %d: too much %s: %s", size, from, id, document)
				}
			}
		}
	}
	t.Logf("%d matches in groups, %d excepted, %d documents differ", matched, excepted, documents)
	if excepted == 0 {
		t.Error("no event was excepted")
	}
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil &&
		reflect.DeepEqual(x, y)
}

// ofEvent returns the end of a signal's document, which is its event's.
func ofEvent(document string) string {
	return document[strings.LastIndex(document, `"kibana.alert.`):]
}
