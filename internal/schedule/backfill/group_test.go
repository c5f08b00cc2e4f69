package backfill_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"esrule/internal/detect"
	"esrule/internal/estest"
	"esrule/internal/query/rule"
	"esrule/internal/schedule/backfill"
)

// several gives the world a few rules over the same patterns, in the place of its own.
func (w *world) several() {
	w.detections = nil
	w.rule("bad", `process where process.name : "bad*"`)
	w.rule("worse", `process where process.name : ("bad1", "worse*")`)
	w.rule("never", `process where process.name == "never"`)
	w.rule("odd", `process where process.pid % 2 == 1`)
	w.rule("good", `process where process.name : "good" and process.pid > 100`)
}

// A group finds what each of its rules finds alone, and counts it for each.
func TestGroupFindsWhatRulesFindAlone(t *testing.T) {
	w := newWorld(t)
	w.several()
	w.crowd(300, newRand(t))
	all, each := w.detections, map[rule.ID]detect.Counts{}
	for _, d := range all {
		w.detections = []*detect.Detection{d}
		each[d.Rule.ID] = w.finish(w.kept(w.plan(40)), worker{name: "alone"}).Counts
	}
	want := w.ids()
	w.forget()
	w.detections = all
	p := w.kept(w.plan(40))
	if len(p.Parts) != 1 || len(p.Parts[0].Rules) != len(all) || p.Rules() != len(all) {
		t.Fatalf("got the parts %+v, want one of all rules", p.Parts)
	}
	totals := w.finish(p, worker{name: "together", workers: 3})
	if got := w.ids(); !slices.Equal(got, want) {
		t.Errorf("got %d signals, want the %d of the rules alone", len(got), len(want))
	}
	kept, err := w.store().Totals(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	for id, alone := range each {
		for _, its := range []detect.Counts{totals.Rules[id], kept.Rules[id]} {
			if its.Matched != alone.Matched || its.Created != alone.Created {
				t.Errorf("rule %s: got %+v, want what it counts alone, %+v", id, its, alone)
			}
		}
	}
	if _, there := kept.Rules["never"]; there || totals.Counts.Candidates != 300 {
		t.Errorf("got %+v, want none of a rule that found nothing, and each event read once",
			totals)
	}
}

// An index that cannot be judged for one rule is searched for the others, whether that is known
// when the plan is made or comes later; it is named with the rule.
func TestIndexThatOneRuleCannotJudge(t *testing.T) {
	w := newWorld(t)
	w.several()
	without := func(name string) {
		index := w.Index("events-" + name)
		w.Create(index, `{"settings":{"number_of_replicas":0},"mappings":{"dynamic":false,
			"_source":{"excludes":["process.pid"]},"properties":{"@timestamp":{"type":"date"},
			"event":{"properties":{"category":{"type":"keyword"}}},"process":{"properties":{
			"name":{"type":"keyword"},"pid":{"type":"long"}}}}}}`)
		w.Bulk(index, fmt.Sprintf(`{"@timestamp":%q,"event":{"category":"process"},
			"process":{"name":"worse","pid":1}}`, w.start.Add(time.Hour).Format(time.RFC3339)))
		w.Refresh(index)
	}
	without("before")
	p := w.kept(w.plan(0))
	var parts []string
	for _, part := range p.Parts {
		parts = append(parts, fmt.Sprint(part.IDs()))
	}
	if got, want := strings.Join(parts, " "), "[bad worse never] [odd] [good]"; got != want {
		t.Errorf("got the parts %s, want %s", got, want)
	}
	unsearched := p.Unsearched()
	if len(unsearched) != 1 ||
		!strings.HasPrefix(unsearched[0].Reason, "for 2 of 5 rules (odd, good)") {
		t.Errorf("got unsearched %+v, want the index with the two rules", unsearched)
	}
	totals := w.finish(p, worker{name: "first"})
	if got := totals.Rules["worse"].Created; got != 1 || !totals.Whole() {
		t.Errorf("got %d signals of the others, %+v, want 1 and all done", got, totals)
	}

	w.forget()
	w.Do(http.MethodDelete, w.Index("events-before"), nil)
	p = w.kept(w.plan(0))
	without("after")
	r, err := w.runner(p, worker{name: "second", tries: 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	totals = r.Totals()
	if totals.Rules["worse"].Created+totals.Rules["worse"].Duplicates == 0 && len(w.ids()) != 1 {
		t.Errorf("got %d signals, want that of the rule that can judge it", len(w.ids()))
	}
	if totals.Failed != 1 || len(totals.Failures) != 1 ||
		!strings.HasPrefix(totals.Failures[0].Reason, "for 2 of 5 rules (odd, good)") {
		t.Errorf("got %+v, want the slice failed for two rules", totals)
	}
	covered := r.Covered()
	for id, want := range map[rule.ID]int{"worse": 1, "never": 1, "odd": 0, "good": 0} {
		if len(covered[id]) != want {
			t.Errorf("rule %s: got the time covered %v, want %d spans", id, covered[id], want)
		}
	}
}

// Rules whose patterns stand for the same indices are one part. Where an index comes before a slice
// is searched, each rule is searched in its own patterns.
func TestPatternsThatStandForTheSame(t *testing.T) {
	w := newWorld(t)
	there := []string{w.events}
	f := func(name string, patterns, want []string, first string) {
		t.Helper()
		w.forget()
		w.Do(http.MethodDelete, strings.Join(there, ",")+"?ignore_unavailable=true", nil)
		w.detections, there = nil, nil
		for i, pattern := range patterns {
			w.rule(rule.ID(fmt.Sprint("r", i)), `process where process.name == "bad"`)
			w.detections[i].Patterns = []string{w.Index(pattern)}
		}
		event := func(index string) {
			there = append(there, w.Index("events-"+index))
			w.Bulk(w.index(index), fmt.Sprintf(`{"@timestamp":%q,"event":{"category":"process",
				"id":%q},"process":{"name":"bad"}}`, w.start.Add(time.Hour).Format(time.RFC3339),
				index))
			w.Refresh(w.Index("events-" + index))
		}
		if first != "" {
			event(first)
		}
		p := w.kept(w.plan(0))
		p, err := w.store().Load(t.Context(), p.ID)
		if err != nil || len(p.Parts) != 1 || p.Parts[0].Stands == nil {
			t.Fatalf("%s: got the parts %+v, %v, want one with what it stands for", name, p.Parts,
				err)
		}
		event("two")
		totals := w.finish(p, worker{name: "one"})
		var got []string
		w.Refresh(w.indices.Signals)
		for _, hit := range w.Hits(w.indices.Signals) {
			var s struct {
				Rule string              `json:"kibana.alert.rule.uuid"`
				ID   string              `json:"event.id"`
				Raw  struct{ ID string } `json:"event"`
			}
			if err := json.Unmarshal(hit.Source, &s); err != nil {
				t.Fatal(err)
			}
			got = append(got, s.Rule+" "+s.ID+s.Raw.ID)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) || !totals.Whole() {
			t.Errorf("%s: got %v, want %v; totals %+v", name, got, want, totals)
		}
	}
	f("an index of the range", []string{"events-*", "events-o*", "events-one"},
		[]string{"r0 one", "r0 two", "r1 one", "r2 one"}, "one")
	f("none", []string{"events-t*", "events-n*"}, []string{"r0 two"}, "")
}

// Where a search for several rules fails and one of them may be why, each is searched alone: only
// those that could match the event are blind.
func TestGroupThatFailsIsSearchedAlone(t *testing.T) {
	w := newWorld(t)
	w.detections = nil
	w.rule("a", `process where process.name == "a"`)
	w.rule("b", `process where process.name == "b"`)
	w.rule("c", `process where process.name == "c"`)
	for _, name := range []string{"a", "b", "c"} {
		w.Bulk(w.events, fmt.Sprintf(`{"@timestamp":%q,"event":{"category":"process"},
			"process":{"pid":7,"name":%q}}`, w.start.Add(time.Hour).Format(time.RFC3339), name))
	}
	w.Refresh(w.events)
	p := w.kept(w.plan(0))
	r, err := w.runner(p, worker{name: "spoiled",
		client: w.Through(estest.Emptied{Holding: `"name":"b"`}),
		tries:  1})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	totals := r.Totals()
	if totals.Failed != 1 || len(totals.Failures) != 1 ||
		!strings.HasPrefix(totals.Failures[0].Reason, "for 1 of 3 rules (b): ") ||
		!strings.Contains(w.log.String(), "for fewer of them at once") {
		t.Errorf("got %+v, want the slice failed for rule b; the log:\n%s", totals, w.log.String())
	}
	if got := len(w.ids()); got != 2 {
		t.Errorf("got %d signals, want those of the two other rules", got)
	}
	covered := r.Covered()
	if len(covered["a"]) != 1 || len(covered["b"]) != 0 || len(covered["c"]) != 1 {
		t.Errorf("got the time covered %v, want that of a and c", covered)
	}
	if totals := w.finish(p, worker{name: "well"}); !totals.Whole() || len(w.ids()) != 3 {
		t.Errorf("the next command leaves %+v and %d signals, want all 3", totals, len(w.ids()))
	}
}

// A plan and slices that the release before wrote are resumed: a part for each rule, slices by the
// same ids.
func TestPlanOfVersionOne(t *testing.T) {
	w := newWorld(t)
	want := w.crowd(60, newRand(t))
	id := backfill.PlanID(w.request(), w.detections)
	noon := w.start.Add(12 * time.Hour).UnixMilli()
	from, to := w.start.UnixMilli(), w.start.Add(w.span).UnixMilli()
	part := func(n int) string {
		d := w.detections[n]
		return fmt.Sprintf(`{"rule_id":%q,"name":%q,"fingerprint":%q,"patterns":[%q],
			"candidates":30,"cuts":[%d,%d,%d],"weights":[10,20]}`, d.Rule.ID, d.Rule.Name,
			d.Fingerprint(), w.Index("events-*"), from, noon, to)
	}
	put := func(id, document string) {
		w.Do(http.MethodPut, w.indices.State+"/_doc/"+id+"?refresh=true", json.RawMessage(document))
	}
	put("backfill-"+id, fmt.Sprintf(`{"kind":"backfill","version":1,"id":%q,"generation":3,
		"request":{"from":"2021-01-01","to":"2021-01-02",
		"range":{"from":"2021-01-01T00:00:00Z","to":"2021-01-03T00:00:00Z"}},
		"rules":[%s,%s],"sources":[{"pattern":%q,"indices":[%q],"documents":60,"timeless":0}],
		"made_at":"2021-01-04T00:00:00Z","updated_at":"2021-01-04T00:00:00Z"}`, id, part(0), part(1),
		w.Index("events-*"), w.events))
	put("slice-"+id+"-3-worse-1", fmt.Sprintf(`{"kind":"slice","version":1,"plan":%q,
		"rule_id":"worse","window":{"from":"2021-01-01T12:00:00Z","to":"2021-01-03T00:00:00Z"},
		"state":"done","worker":"old","beats":0,"counts":{"candidates":9,"matched":8,"created":7,
		"duplicates":1,"reduced":0,"without_event":0,"dead_lettered":0},
		"updated_at":"2021-01-04T00:00:00Z"}`, id))

	p, err := w.store().Load(t.Context(), id)
	if err != nil || p == nil {
		t.Fatalf("got the plan %v, %v", p, err)
	}
	before, err := w.store().Totals(t.Context(), p)
	if err != nil || before.Slices != 4 || before.Done != 1 || before.Rules["worse"].Created != 7 ||
		p.Rules() != 2 {
		t.Errorf("got %+v, %v, want 4 slices of 2 rules, one done", before, err)
	}
	totals := w.finish(p, worker{name: "new"})
	if !totals.Whole() || !slices.Contains(totals.Workers, "old") {
		t.Errorf("got %+v, want all done, one slice by the release before", totals)
	}
	// what the old slice has signals of was never written here
	if got := len(w.ids()); got >= want || got == 0 {
		t.Errorf("got %d signals, want those of the three slices that were left, of %d", got, want)
	}
	var ids []string
	w.Refresh(w.indices.State)
	for _, hit := range w.Hits(w.indices.State) {
		ids = append(ids, strings.TrimPrefix(hit.ID, "slice-"+id+"-3-"))
	}
	slices.Sort(ids)
	if got := fmt.Sprint(ids); got != fmt.Sprintf("[backfill-%s bad-0 bad-1 worse-0 worse-1]", id) {
		t.Errorf("got the documents %s, want the ids of the release before", got)
	}
	plans, err := w.store().List(t.Context())
	if err != nil || len(plans) != 1 || len(plans[0].Parts) != 2 {
		t.Errorf("got the list %+v, %v, want the plan with two parts", plans, err)
	}
}
