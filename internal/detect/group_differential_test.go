package detect_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
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
	"esrule/internal/query/kql"
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
	`"process":{"properties":{"name":{"type":"keyword","index":false,"null_value":"home"},"pid":{"type":"float","ignore_malformed":true}}},"site":{"type":"keyword","split_queries_on_whitespace":true},"labels":{"type":"object","properties":{"x":{"type":"text","analyzer":"whitespace"}}},"when":{"type":"date_nanos","ignore_malformed":true}`,
	`"process":{"properties":{"name":{"type":"text","analyzer":"simple","fielddata":true},"pid":{"type":"short","ignore_malformed":true,"doc_values":false}}},"site":{"type":"keyword","eager_global_ordinals":true,"ignore_above":3},"labels":{"type":"flattened","ignore_above":3},"when":{"type":"date","format":"strict_date_optional_time||epoch_second","ignore_malformed":true}`,
}

var groupRuntime = map[int]string{
	0: `"all":{"type":"keyword"},"site":{"type":"keyword"}`,
	3: `"when":{"type":"date"}`,
}

// A rule in a group has the signals, counts and failures that it has alone, whatever the language,
// the events and the mappings. ESTEST_FUZZTIME=10m asks more rules about more events.
func TestGroupIsItsRules(t *testing.T) {
	var sum compared
	for seed := range estest.Seeds(t) {
		one := compareGroups(t, seed)
		sum.pairs, sum.matches = sum.pairs+one.pairs, sum.matches+one.matches
		sum.excepted, sum.differences = sum.excepted+one.excepted, sum.differences+one.differences
		t.Logf("%d pairs of a rule and an event, %d of them a match, %d excepted in groups; "+
			"%d differences", sum.pairs, sum.matches, sum.excepted, sum.differences)
	}
	if sum.matches < sum.pairs/50 || sum.excepted == 0 {
		t.Errorf("%d of %d pairs match, %d excepted: this tells too little", sum.matches,
			sum.pairs, sum.excepted)
	}
}

// compared counts the pairs of a rule and an event that were judged both ways.
type compared struct{ pairs, matches, excepted, differences int }

func compareGroups(t *testing.T, seed uint64) (sum compared) {
	c := estest.For(t)
	random := rand.New(rand.NewPCG(seed, 2))
	rules, events, page := 70, 25, 50
	if os.Getenv("ESTEST_FUZZTIME") != "" {
		rules, events, page = 200, 120, 400
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	names := []any{"bad.exe", "BAD.EXE", "Ünder", "ünder", "x", nil, []any{"bad.exe", nil, "a b"},
		strings.Repeat("long", 7000), "home", "made", "\\dir\\bad.exe", "\u0130I", "4"}
	pids := []any{1, 4, "4", 4.0, 4.5, true, "true", "10.0.0.4", nil, []any{4, 5}}
	for n, mapping := range groupMappings {
		index := c.Index(fmt.Sprint("events-", seed, "-", n))
		runtime := groupRuntime[n]
		c.Create(index, `{"settings":{"number_of_replicas":0,"index.mapping.ignore_malformed":true},"mappings":{"dynamic":false,"runtime":{`+runtime+
			`},"properties":{"@timestamp":{"type":"date"},"event":{"properties":{"category":{"type":"keyword"},"kind":{"type":"keyword"}}},`+mapping+`}}}`)
		docs := make([]any, events)
		for i := range docs {
			docs[i] = fmt.Sprintf(
				`{"@timestamp":%q,"event":{"category":%s,"kind":%s,"id":"%d-%d"},"process":{"name":%s,"pid":%s}%s}`,
				now.Add(-time.Duration(i%60)*time.Second).Format(time.RFC3339Nano),
				js(pickAny(random, "process", "file", nil, []any{"process", "file"})),
				js(pickAny(random, "event", "signal", nil)), n, i,
				js(pickAny(random, names...)), js(pickAny(random, pids...)), more(random, n, names))
		}
		c.Bulk(index, docs...)
	}
	pattern := c.Index(fmt.Sprint("events-", seed, "-*"))
	queries := groupQueries(random, rules)
	var compiler detect.Compiler
	var all []*detect.Detection
	for i, query := range queries {
		kind, language, parse := "eql", "eql", eql.Parse
		if i%2 == 1 {
			kind, language, parse = "query", "kuery", kql.Parse
		}
		q, err := parse(query)
		if err != nil {
			t.Logf("%s: %v", query, err)
			continue
		}
		var exceptions []*rule.Exception
		if except, err := parse(queries[(i+8)%len(queries)]); err == nil && i%3 == 0 {
			exceptions = []*rule.Exception{{Name: "other", Query: except}}
		}
		d, err := compiler.New(&rule.Rule{Head: rule.Head{ID: rule.ID(fmt.Sprintf("r%03d", i)),
			Name: query, Severity: "low", Type: kind, Language: language,
			Exceptions: exceptions, Index: []string{pattern}, From: 9 * time.Minute,
			Interval: 5 * time.Minute}, Body: &rule.EventQuery{Query: q}}, nil)
		if err != nil {
			continue
		}
		all = append(all, d)
	}
	t.Logf("%d of %d rules", len(all), len(queries))
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	target := detect.Target{Patterns: []string{pattern},
		Window:     span.New(now.Add(-time.Hour), now.Add(time.Second)),
		Timestamps: all[0].Timestamps(), Now: now, Began: now}
	cluster := search.NewCluster(c.Client, search.Options{PageSize: page, Tries: 1, Logger: log})
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
		sum.matches += out.Matched
	}
	sum.pairs = len(all) * len(groupMappings) * events
	cover := func(members []int) (r *recorder, out detect.Outcome, err error) {
		r = &recorder{}
		var group []*detect.Detection
		for _, i := range members {
			group = append(group, all[i])
		}
		g, err := detect.NewGroup(group)
		if err != nil {
			t.Fatal(err)
		}
		out, err = (&detect.Coverer{Cluster: cluster, Signals: r, Log: log}).CoverGroup(
			t.Context(), g, target, slices.Repeat([]signal.Execution{execution}, len(members)))
		return r, out, err
	}
	documents := 0
	for _, size := range []int{4, 20, len(all)} {
		for from := 0; from+size <= len(all); from += size {
			var members, apart []int // of all
			for i := from; i < from+size; i++ {
				members = append(members, i)
				if len(alone[i].out.Failures) > 0 {
					apart = append(apart, i-from)
				}
			}
			r, out, err := cover(members)
			var why *detect.ApartError
			if errors.As(err, &why) && slices.Equal(why.Rules, apart) {
				members = slices.DeleteFunc(members, func(i int) bool {
					return len(alone[i].out.Failures) > 0
				})
				r, out, err = cover(members)
			}
			if err != nil {
				t.Errorf("%d rules from %d: %v", size, from, err)
				sum.differences++
				continue
			}
			want := map[string]string{}
			for place, i := range members {
				d, one := all[i], alone[i]
				maps.Copy(want, one.signals)
				got := out.Of(place)
				sum.excepted += got.Excepted
				if got.Matched != one.out.Matched || got.Created != one.out.Created ||
					got.Excepted != one.out.Excepted ||
					!slices.Equal(got.Failures, one.out.Failures) ||
					!slices.Equal(got.Reached, one.out.Reached) {
					sum.differences++
					t.Errorf("%d from %d, %s:\n got %+v\nwant %+v", size, from, d.Rule.Name, got,
						one.out)
				}
			}
			for id, document := range want {
				if got, ok := r.signals[id]; !ok {
					sum.differences++
					t.Errorf("%d from %d: lost %s: %s", size, from, id, document)
				} else if !sameJSON(got, document) {
					sum.differences++
					if documents++; documents < 4 {
						t.Errorf("%d from %d: %s\n got %s\nwant %s", size, from, id, ofEvent(got),
							ofEvent(document))
					}
				}
			}
			for id, document := range r.signals {
				if _, ok := want[id]; !ok {
					sum.differences++
					t.Errorf("%d from %d: too much %s: %s", size, from, id, document)
				}
			}
		}
	}
	return sum
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
