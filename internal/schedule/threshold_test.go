package schedule_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/detect"
	"esrule/internal/finding"
	"esrule/internal/query/kql"
	"esrule/internal/query/rule"
)

// threshold returns a rule that counts events by process.pid.
func (w *world) threshold(value int, cardinality ...rule.Cardinality) *rule.Rule {
	w.t.Helper()
	query, err := kql.Parse("process.name: bad*")
	if err != nil {
		w.t.Fatal(err)
	}
	one := *w.rule
	one.ID, one.Name = rule.ID(fmt.Sprint("threshold-", value)), "Threshold"
	one.Type, one.Language = "threshold", "kuery"
	one.Body = &rule.ThresholdQuery{EventQuery: rule.EventQuery{Query: query},
		Fields: []string{"process.pid"}, Value: value, Cardinality: cardinality}
	return &one
}

// result is what a signal says of the events that reached a threshold.
type result struct {
	Terms []struct{ Field, Value string }
	Count int
	From  time.Time
}

// results returns what the signals of a rule say, by their first events.
func (w *world) results(r *rule.Rule) (all []string) {
	w.t.Helper()
	var answer struct {
		Hits struct {
			Hits []struct {
				Source struct {
					Last   time.Time `json:"kibana.alert.original_time"`
					Result result    `json:"kibana.alert.threshold_result"`
				} `json:"_source"`
			}
		}
	}
	body := w.Do("POST", w.indices.Signals+"/_search", fmt.Sprintf(`{"size":1000,
		"query":{"term":{"kibana.alert.rule.uuid":%q}},
		"sort":["kibana.alert.threshold_result.from","kibana.alert.threshold_result.terms.value"]}`,
		r.ID))
	if err := json.Unmarshal(body, &answer); err != nil {
		w.t.Fatal(err)
	}
	for _, h := range answer.Hits.Hits {
		line := ""
		for _, t := range h.Source.Result.Terms {
			line += t.Field + "=" + t.Value + " "
		}
		ago := func(at time.Time) float64 { return w.clock.Sub(at).Minutes() }
		all = append(all, fmt.Sprintf("%s%d from %.1f to %.1f", line, h.Source.Result.Count,
			ago(h.Source.Result.From), ago(h.Source.Last)))
	}
	return all
}

func (w *world) wantResults(why string, r *rule.Rule, want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.results(r)); diff != "" {
		w.t.Errorf("%s (-want +got):\n%s", why, diff)
	}
}

// A burst is found once, wherever windows fall, also by a second instance; an event counts once.
func TestThresholdAcrossPolls(t *testing.T) {
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	a, b := w.index("a"), w.index("b")
	r := w.threshold(3) // within 9m
	rules := []*rule.Rule{r}
	w.event(a, 2, "bad1", 1)
	w.event(a, 1, "bad2", 1)
	w.event(a, 1, "good", 1)
	w.event(a, 1, "bad", 2)
	w.wantCreated("two of three", rules, 0)
	w.clock = w.clock.Add(5 * time.Minute)
	w.event(b, 3, "bad3", 1)
	w.wantCreated("the third, in another index", rules, 1)
	w.wantResults("the third", r, "process.pid=1 3 from 7.0 to 3.0")
	w.event(b, 1, "bad4", 1)
	w.event(b, 1, "bad5", 1)
	w.wantCreated("within the same time: they are of the same burst", rules, 0)
	w.clock = w.clock.Add(6 * time.Minute)
	w.event(b, 3, "bad6", 1) // 14 minutes after the first: not of it
	w.event(b, 2, "bad7", 1)
	w.wantCreated("two after it", rules, 0)
	w.wantCreated("again", rules, 0)
	w.clock = w.clock.Add(time.Minute)
	w.event(b, 0.5, "bad8", 1)
	w.wantCreated("three after it", rules, 1)
	w.wantCreated("again", rules, 0)
	w.wantResults("both", r, "process.pid=1 3 from 14.0 to 10.0", "process.pid=1 3 from 4.0 to 0.5")
	w.clock = w.clock.Add(90 * time.Minute)
	w.event(a, 60, "bad", 9)
	w.event(a, 60, "bad", 9)
	w.event(a, 58, "bad", 9)
	w.wantCreated("events that came an hour late, found by the late sweep", rules, 1)
	w.wantCreated("again", rules, 0)
}

// Different values are counted, too; an array counts for each of its values.
func TestThresholdCardinality(t *testing.T) {
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	index := w.index("a")
	r := w.threshold(1, rule.Cardinality{Field: "process.name", Value: 3})
	w.event(index, 4, "bad1", 1)
	w.event(index, 3, "bad1", 1)
	w.event(index, 2, "bad2", 1)
	w.wantCreated("two names", []*rule.Rule{r}, 0)
	w.Bulk(index, fmt.Sprintf(`{"@timestamp":%q,"process":{"name":["bad3","bad1"],"pid":[1,"2"]}}`,
		w.clock.Add(-time.Minute).Format(time.RFC3339Nano)))
	w.clock = w.clock.Add(time.Minute)
	w.wantCreated("three names", []*rule.Rule{r}, 1)
	w.wantResults("three names", r, "process.pid=1 4 from 5.0 to 2.0")
	w.event(index, 0.5, "bad4", 2)
	w.clock = w.clock.Add(time.Minute)
	w.wantCreated("three names of the other", []*rule.Rule{r}, 1)
}

// A run that is killed, with a part of its signals written, is resumed by another process.
func TestThresholdKilledRun(t *testing.T) {
	for _, searches := range []int{1, 4} {
		t.Run(fmt.Sprint(searches), func(t *testing.T) {
			w := newWorld(t)
			w.theirs = func() time.Time { return w.clock }
			index := w.index("a")
			w.start = time.Hour
			r := w.threshold(2)
			for i := range 40 { // of one key, without a pause
				w.event(index, 59-float64(i), fmt.Sprint("bad", i), 1)
			}
			w.killBehind(searches + 1)
			w.runAll(r)
			w.ending, w.opening = context.Background(), nil
			w.runAll(r)
			var want []string
			for i := 0; i < 40; i += 9 {
				want = append(want, fmt.Sprintf("process.pid=1 %d from %.1f to %.1f", min(9, 40-i),
					59-float64(i), 59-float64(min(i+8, 39))))
			}
			w.wantResults("all bursts, each once", r, want...)
		})
	}
}

// Signals that cannot be read keep the window open: an event could count for two of them.
func TestThresholdSignalsUnread(t *testing.T) {
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	index := w.index("a")
	r := w.threshold(2)
	w.event(index, 2, "bad1", 1)
	w.event(index, 1, "bad2", 1)
	opened := 0
	w.opening = func() error {
		if opened++; opened%2 == 0 {
			return fmt.Errorf("the signals cannot be read")
		}
		return nil
	}
	report := w.runAll(r)[0]
	if report.Run.Created != 0 || len(report.Failed) == 0 {
		t.Errorf("got %d created and failed %v, want the window to stay open", report.Run.Created,
			report.Failed)
	}
	w.opening = nil
	w.clock = w.clock.Add(15 * time.Minute)
	w.wantCreated("readable again", []*rule.Rule{r}, 1)
}

// A field that no index maps keeps the rule from firing; one that is a text is counted whole.
func TestCheckOfThresholds(t *testing.T) {
	w := newWorld(t)
	index := w.index("a")
	w.Create(w.Index("events-texts"), `{"mappings":{"properties":{"@timestamp":{"type":"date"},
		"message":{"type":"text"},"process":{"properties":{"name":{"type":"keyword"}}}}}}`)
	w.event(index, 1, "bad", 1)
	f := func(fields []string, canFire bool, want ...finding.Code) {
		t.Helper()
		r := w.threshold(3)
		r.Body.(*rule.ThresholdQuery).Fields = fields
		got := w.check(r)
		codes := codesOf(about(got.Findings, finding.KeyUnmapped, finding.CountedText))
		if !slices.Equal(codes, want) || got.Patterns[0].CanFire != canFire {
			t.Errorf("%q: got %v, can fire %v, want %v and %v", fields, got.Findings,
				got.Patterns[0].CanFire, want, canFire)
		}
	}
	f([]string{"process.name"}, true)
	f([]string{"process.pid"}, true) // in one of the indices
	f([]string{"host.id", "process.name"}, false, finding.KeyUnmapped)
	f([]string{"process"}, false, finding.KeyUnmapped)
	f([]string{"message"}, true, finding.CountedText)
}

// Two instances that run at the same time find the same.
func TestThresholdTwoInstances(t *testing.T) {
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	index := w.index("a")
	w.start = time.Hour
	r := w.threshold(2)
	var want []string
	for i := range 50 { // of one key, without a pause
		w.event(index, 59-float64(i), fmt.Sprint("bad", i), 1)
	}
	for i := 0; i < 50; i += 9 {
		last := min(i+8, 49)
		want = append(want, fmt.Sprintf("process.pid=1 %d from %.1f to %.1f", last-i+1,
			59-float64(i), 59-float64(last)))
	}
	var instances sync.WaitGroup
	for range 2 {
		d, err := detect.New(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		runner := w.runner()
		instances.Go(func() {
			if _, err := runner.Run(t.Context(), []*detect.Detection{d}); err != nil {
				t.Error(err)
			}
		})
	}
	instances.Wait()
	w.Refresh(w.indices.Signals)
	w.wantResults("both", r, want...)
}

// What reached the threshold without an index that cannot be read has reached it; the rest is found
// when it can be. A live window looks back for late events as far as the rule does.
func TestThresholdOverAnIndexThatFails(t *testing.T) {
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	a, b := w.index("a"), w.index("b")
	r := w.threshold(2)
	w.event(a, 3, "bad1", 1)
	w.event(a, 2, "bad2", 1)
	w.event(b, 1, "bad3", 1)
	w.event(a, 3, "bad4", 2)
	w.event(b, 2, "bad5", 2)
	w.unread = b
	if got := w.runAll(r)[0]; len(got.Open) != 1 || got.Open[0].Index != b || got.Run.Created != 1 {
		t.Errorf("got %d created and open %v, want what reached it in %s, and %s open",
			got.Run.Created, got.Open, a, b)
	}
	w.unread = ""
	w.clock = w.clock.Add(15 * time.Minute)
	w.wantCreated("readable again", []*rule.Rule{r}, 1)
	w.wantResults("both", r, "process.pid=1 2 from 18.0 to 17.0",
		"process.pid=2 2 from 18.0 to 17.0")
	w.event(a, 8, "bad6", 3)
	w.event(b, 7, "bad7", 3)
	w.clock = w.clock.Add(time.Minute)
	w.wantCreated("8 minutes late", []*rule.Rule{r}, 1)
}
