package schedule_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/detect"
	"esrule/internal/elastic/search"
	"esrule/internal/finding"
	"esrule/internal/query/kql"
	"esrule/internal/query/rule"
)

// over returns a rule over alerts, in KQL.
func (w *world) over(id rule.ID, text string) *rule.Rule {
	w.t.Helper()
	w.alerts = []string{".alerts-security.*"}
	query, err := kql.Parse(text)
	if err != nil {
		w.t.Fatal(err)
	}
	one := *w.rule
	one.ID, one.Name, one.Type, one.Language = id, "Over "+string(id), "query", "kuery"
	one.Index = []string{".alerts-security.*"}
	one.Body = &rule.EventQuery{Query: query}
	return &one
}

// another returns the world's rule under another id.
func (w *world) another(id rule.ID) *rule.Rule {
	one := *w.rule
	one.ID, one.Name = id, "Another"
	return &one
}

// chained is what a signal says of its chain.
type chained struct {
	ID        string `json:"kibana.alert.uuid"`
	Rule      string `json:"kibana.alert.rule.rule_id"`
	Depth     int    `json:"kibana.alert.depth"`
	Ancestors []struct {
		ID, Type, Index, Rule string
		Depth                 int
	} `json:"kibana.alert.ancestors"`
}

// chains lists the signals of a rule with the rules of their ancestors and their depths.
func (w *world) chains(of rule.ID) (all []string) {
	w.t.Helper()
	for _, hit := range w.Hits(w.indices.Signals) {
		var s chained
		if err := json.Unmarshal(hit.Source, &s); err != nil {
			w.t.Fatal(err)
		}
		if s.Rule != string(of) {
			continue
		}
		line := ""
		for _, a := range s.Ancestors {
			line += fmt.Sprintf("%s%s %d, ", a.Type, a.Rule, a.Depth)
		}
		all = append(all, fmt.Sprintf("%s%d", line, s.Depth))
	}
	slices.Sort(all)
	return all
}

func (w *world) wantChains(why string, of rule.ID, want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.chains(of)); diff != "" {
		w.t.Errorf("%s: signals of %s (-want +got):\n%s", why, of, diff)
	}
}

// A rule over alerts judges each signal once, in the poll after it was written: two signals of one
// event are two, and how old the event is changes nothing.
func TestRuleOverAlerts(t *testing.T) {
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	index := w.index("a")
	over := w.over("over", `kibana.alert.rule.rule_id: (test-rule or other) and event.kind: signal `+
		`and signal.rule.name: * and kibana.alert.severity: high and not process.pid: 3`)
	rules := []*rule.Rule{w.rule, w.another("other"), over}
	for pid := 1; pid <= 3; pid++ {
		w.Bulk(index, fmt.Sprintf(`{"@timestamp":%q,"event":{"category":"process","id":"e%d",
			"ingested":%q},"process":{"name":"bad","pid":%d}}`,
			w.clock.Add(-3*time.Hour).Format(time.RFC3339Nano), pid,
			w.clock.Add(-8*time.Minute).Format(time.RFC3339Nano), pid))
	}
	w.wantCreated("events", rules, 3, 3, 0)
	w.clock = w.clock.Add(5 * time.Minute)
	w.wantCreated("their signals", rules, 0, 0, 4)
	w.clock = w.clock.Add(5 * time.Minute)
	w.wantCreated("again", rules, 0, 0, 0)
	w.clock = w.clock.Add(2 * time.Hour)
	w.wantCreated("the late sweep", rules, 0, 0, 0)
	w.wantChains("all", "over", slices.Concat(slices.Repeat([]string{
		"event 0, signalother 1, 2"}, 2), slices.Repeat([]string{
		"event 0, signaltest-rule 1, 2"}, 2))...)
	w.wantDocument(over, index)
	w.wantExplained(over)
}

// wantExplained checks what is said of the signals of a rule, and of those that it made of them.
func (w *world) wantExplained(of *rule.Rule) {
	w.t.Helper()
	cluster, d := search.NewCluster(w.Client, search.Options{Tries: 1}), w.detection(of)
	review := detect.NewReview(cluster, []*detect.Detection{d}, w.clock)
	for _, hit := range w.Hits(w.indices.Signals) {
		var s chained
		if err := json.Unmarshal(hit.Source, &s); err != nil {
			w.t.Fatal(err)
		}
		x, err := d.ExplainOn(w.t.Context(), cluster, detect.Sample{Index: w.indices.Signals,
			ID: hit.ID, Source: hit.Source}, w.clock)
		if err != nil {
			w.t.Fatal(err)
		}
		notes := strings.Join(x.Notes, "\n")
		if s.Rule == string(of.ID) {
			if x.Matches || !strings.Contains(notes, "does not judge it: it is a signal of the "+
				"rule itself") {
				w.t.Errorf("its own signal: matches: %t, with the notes\n%s", x.Matches, notes)
			}
			if decided := review.Explain(w.t.Context(), hit.Source); decided == nil {
				w.t.Errorf("of the signal %s nothing says what decided", s.ID)
			}
		} else if !strings.Contains(notes, "a signal, of the rules "+s.Rule+" (1)") {
			w.t.Errorf("a signal of %s: got the notes\n%s", s.Rule, notes)
		}
	}
}

// check says that a rule over alerts sees none of ours, or can fire on them.
func TestCheckOfRulesOverAlerts(t *testing.T) {
	w := newWorld(t)
	over := w.over("over", `signal.rule.name: "Bad process" and signal.rule.tags: x`)
	for _, f := range w.check(over).All() {
		if f.Severity == finding.Problem || f.Code == finding.UnmappedField {
			t.Errorf("with the option: got %v", f)
		}
	}
	w.alerts = nil
	if got := about(w.check(over).Findings, finding.SignalsNotRead); len(got) != 1 ||
		!strings.Contains(got[0].Advice, "--alerts-index") {
		t.Errorf("without the option: got %v, want the advice to use it", got)
	}
	if got := about(w.check(w.rule).Findings, finding.SignalsNotRead); len(got) != 0 {
		t.Errorf("a rule over events: got %v", got)
	}
}

// wantDocument checks what a signal of a signal holds.
func (w *world) wantDocument(of *rule.Rule, index string) {
	w.t.Helper()
	sources := map[string]map[string]any{}
	for _, hit := range w.Hits(w.indices.Signals) {
		var s map[string]any
		if err := json.Unmarshal(hit.Source, &s); err != nil {
			w.t.Fatal(err)
		}
		sources[s["kibana.alert.uuid"].(string)] = s
	}
	for id, s := range sources {
		if s["kibana.alert.rule.rule_id"] != string(of.ID) {
			continue
		}
		ancestors := s["kibana.alert.ancestors"].([]any)
		first, parent := ancestors[0].(map[string]any), ancestors[1].(map[string]any)
		alert := sources[parent["id"].(string)]
		process := s["process"].(map[string]any)
		got := map[string]any{"event's index": first["index"], "alert's index": parent["index"],
			"time": s["kibana.alert.original_time"], "kind": s["kibana.alert.original_event.kind"],
			"name": s["kibana.alert.rule.name"], "process": process["name"],
			"reason": strings.HasSuffix(s["kibana.alert.reason"].(string), of.Name+".")}
		want := map[string]any{"event's index": index, "alert's index": w.indices.Signals,
			"time": alert["@timestamp"], "kind": "signal", "name": of.Name, "process": "bad",
			"reason": true}
		if diff := cmp.Diff(want, got); diff != "" {
			w.t.Errorf("%s (-want +got):\n%s", id, diff)
		}
	}
}

// Without the option nothing of ours is read, also where a wider pattern stands for it.
func TestSignalsAreNotReadUnasked(t *testing.T) {
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	index := w.index("a")
	over, wide := w.over("over", `event.kind: signal`), w.over("wide", `event.kind: signal`)
	wide.Index = []string{w.Index("*")}
	w.alerts = nil
	w.event(index, 1, "bad", 1)
	w.wantCreated("an event", []*rule.Rule{w.rule, over, wide}, 1, 0, 0)
	w.clock = w.clock.Add(5 * time.Minute)
	w.wantCreated("its signal", []*rule.Rule{w.rule, over, wide}, 0, 0, 0)
	w.alerts = []string{".alerts-security.*"}
	w.event(index, 0, "bad", 2)
	w.clock = w.clock.Add(2 * time.Minute)
	w.wantCreated("the option is new", []*rule.Rule{w.rule, over, wide}, 1, 0, 0)
	w.clock = w.clock.Add(2 * time.Minute)
	w.wantCreated("its signal", []*rule.Rule{w.rule, over, wide}, 0, 1, 0)
}

// Rules over each other's signals end: none judges what comes from its own.
func TestChainsEnd(t *testing.T) {
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	index := w.index("a")
	rules := []*rule.Rule{w.rule, w.over("one", `event.kind: signal`),
		w.over("two", `event.kind: signal`)}
	w.event(index, 1, "bad", 1)
	stopped := 0
	for range 6 {
		for _, r := range w.runAll(rules...) {
			stopped += r.Run.ChainStopped
		}
		w.clock = w.clock.Add(5 * time.Minute)
	}
	w.wantChains("one", "one", "event 0, signaltest-rule 1, 2",
		"event 0, signaltest-rule 1, signaltwo 2, 3")
	w.wantChains("two", "two", "event 0, signaltest-rule 1, 2",
		"event 0, signaltest-rule 1, signalone 2, 3")
	if stopped < 6 || !strings.Contains(w.log.String(), "chain_stopped=") {
		t.Errorf("got %d stopped, want at least 6, and the log to say so:\n%s", stopped,
			w.log.String())
	}
}

// A signal that can be searched only after its time was is found: by the next poll where it is a
// few minutes late, else by the late sweep.
func TestSignalsThatComeLate(t *testing.T) {
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	over := w.over("over", `kibana.alert.rule.rule_id: elsewhere`)
	late := func(id string, ago time.Duration) {
		w.Bulk(w.indices.Signals, fmt.Sprintf(`{"@timestamp":%q,"kibana.alert.uuid":%q,
			"kibana.alert.rule.rule_id":"elsewhere","kibana.alert.rule.uuid":"elsewhere",
			"event":{"ingested":"2020-01-01T00:00:00Z"}}`,
			w.clock.Add(-ago).Format(time.RFC3339Nano), id))
		w.Refresh(w.indices.Signals)
	}
	w.wantCreated("nothing", []*rule.Rule{over}, 0)
	late("a", 3*time.Minute)
	w.clock = w.clock.Add(time.Minute / 2)
	w.wantCreated("minutes late", []*rule.Rule{over}, 1)
	w.clock = w.clock.Add(50 * time.Minute)
	w.wantCreated("nothing", []*rule.Rule{over}, 0)
	late("b", 40*time.Minute)
	w.clock = w.clock.Add(time.Minute)
	w.wantCreated("not yet", []*rule.Rule{over}, 0)
	w.clock = w.clock.Add(20 * time.Minute)
	w.wantCreated("by the late sweep", []*rule.Rule{over}, 1)
}

// Whatever becomes of the runs in between, each signal is judged exactly once.
// ESRULE_TEST_SEED repeats a failure.
func TestChainOfAnyCutting(t *testing.T) {
	random, seed := newRandom(t)
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	w.start = 12 * time.Hour
	index := w.index("a")
	rules := []*rule.Rule{w.rule, w.another("other"),
		w.over("over", `kibana.alert.rule.rule_id: (test-rule or other)`)}
	pid := 0
	w.cut(random, rules, func(step time.Duration) {
		pid++
		w.event(index, random.Float64()*step.Minutes(), "bad", pid)
	})
	w.clock = w.clock.Add(5 * time.Minute)
	w.runAll(rules...)
	got, want := map[string]int{}, map[string]int{}
	for _, hit := range w.Hits(w.indices.Signals) {
		var s chained
		if err := json.Unmarshal(hit.Source, &s); err != nil {
			t.Fatal(err)
		}
		if s.Rule == "over" {
			got[s.Ancestors[len(s.Ancestors)-1].ID]++
		} else {
			want[s.ID]++
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) != 2*pid {
		t.Errorf("%d events, %d signals; those judged (-want +got), seed %d:\n%s", pid, len(want),
			seed, diff)
	}
}

// Rules that count signals count none of their own, and say of which rules they come.
func TestThresholdOverAlerts(t *testing.T) {
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	index := w.index("a")
	count := w.over("count", `event.kind: signal`)
	query := count.Body.(*rule.EventQuery)
	count.Type, count.Body = "threshold", &rule.ThresholdQuery{EventQuery: *query,
		Fields: []string{"event.kind"}, Value: 3,
		Cardinality: []rule.Cardinality{{Field: "signal.rule.name", Value: 2}}}
	after := w.over("after", `kibana.alert.rule.rule_id: count`)
	rules := []*rule.Rule{w.rule, w.another("other"), count, after}
	w.event(index, 1, "bad", 1)
	w.event(index, 1, "bad", 2)
	w.wantCreated("events", rules, 2, 2, 0, 0)
	w.clock = w.clock.Add(2 * time.Minute)
	w.wantCreated("four signals", rules, 0, 0, 1, 0)
	for range 4 {
		w.clock = w.clock.Add(2 * time.Minute)
		w.runAll(rules...)
	}
	const links = "signalother 1, signaltest-rule 1, event 0, "
	w.wantChains("once", "count", links+"2")
	w.wantChains("after it", "after", links+"signalcount 2, 3")
}

// Sequences of signals and events, and new values of signals.
func TestTogetherOverAlerts(t *testing.T) {
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	index := w.index("a")
	mixed := w.sequences(`sequence by process.pid with maxspan=1h
		[any where signal.rule.name == "Bad process"] [any where process.name == "second"]`)[0]
	mixed.Index = []string{w.Index("events-*"), ".alerts-security.*"}
	fresh := w.over("fresh", `kibana.alert.rule.rule_id: test-rule`)
	fresh.Type, fresh.Body = "new_terms", &rule.NewTermsQuery{
		EventQuery: *fresh.Body.(*rule.EventQuery), Fields: []string{"process.pid"},
		History: 24 * time.Hour}
	rules := []*rule.Rule{w.rule, mixed, fresh}
	w.event(index, 1, "bad", 1)
	w.event(index, 1, "bad", 1)
	w.event(index, 0.5, "badder", 1)
	w.wantCreated("events", rules, 2, 0, 0) // two that differ in nothing are one
	w.event(index, -1, "second", 1)
	w.clock = w.clock.Add(5 * time.Minute)
	w.wantCreated("signals", rules, 0, 3, 1)
	w.wantChains("two blocks and a shell", mixed.ID, "event 0, 1",
		"event 0, signaltest-rule 1, 2", "event 0, signaltest-rule 1, signal"+string(mixed.ID)+
			" 2, event 0, signal"+string(mixed.ID)+" 1, 3")
	w.event(index, 1, "bad", 1)
	w.clock = w.clock.Add(time.Minute)
	w.wantCreated("another event", rules, 1, 0, 0)
	w.clock = w.clock.Add(5 * time.Minute)
	w.wantCreated("its signal has no new value", rules, 0, 0, 0)
}

// An index of signals that an earlier release made gets the aliases by the request in
// docs/rules.md, for the signals that are there too.
func TestOlderSignalsIndex(t *testing.T) {
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	w.Delete(w.indices.Signals)
	w.Do("DELETE", "_index_template/"+w.indices.Signals, nil)
	w.Create(w.indices.Signals, `{"mappings":{"dynamic":false,"properties":{
		"@timestamp":{"type":"date"},"kibana.alert":{"properties":{"uuid":{"type":"keyword"},
		"rule":{"properties":{"rule_id":{"type":"keyword"},"name":{"type":"keyword"},
		"tags":{"type":"keyword"},"threat.tactic.name":{"type":"keyword"}}}}}}}}`)
	index := w.index("a")
	over := w.over("over", `signal.rule.name: "Bad process"`)
	w.event(index, 1, "bad", 1)
	w.wantCreated("an event", []*rule.Rule{w.rule, over}, 1, 0)
	w.clock = w.clock.Add(2 * time.Minute)
	w.wantCreated("without the alias", []*rule.Rule{w.rule, over}, 0, 0)
	if got := about(w.check(over).All(), finding.UnmappedField, finding.NeverFires); len(got) == 0 {
		t.Error("check says nothing of a field that no index maps")
	}
	text, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(text), `esrule-signals/_mapping" `)
	_, body, _ = strings.Cut(body, "-d '")
	body, _, _ = strings.Cut(body, "'")
	w.Do("PUT", w.indices.Signals+"/_mapping", body)
	w.clock = w.clock.Add(time.Minute)
	w.wantCreated("with it", []*rule.Rule{w.rule, over}, 0, 1)
}
