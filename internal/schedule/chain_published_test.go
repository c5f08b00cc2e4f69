package schedule_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"esrule/internal/estest"
	"esrule/internal/query/rule"
)

// Every published rule over alerts that runs fires on signals of this program, once.
func TestPublishedRulesOverAlerts(t *testing.T) {
	w := newWorld(t)
	w.theirs = func() time.Time { return w.clock }
	w.alerts = []string{".alerts-security.*"}
	index := w.Index("events-published")
	w.Create(index, `{"settings":{"number_of_replicas":0},"mappings":{"dynamic_templates":[
		{"all":{"match_mapping_type":"string","mapping":{"type":"keyword"}}}],
		"properties":{"@timestamp":{"type":"date"},"message":{"type":"text"}}}}`)
	segfault, over := w.published()
	rules := append([]*rule.Rule{segfault}, w.bases()...)
	count := len(rules)
	rules = append(rules, over...)
	w.runPublished(index, rules, count, len(over))
}

// published returns Elastic's rule on segfaults, and its rules over alerts, to be run over the
// world's events.
func (w *world) published() (segfault *rule.Rule, over []*rule.Rule) {
	w.t.Helper()
	for _, folder := range []string{"rules", "rules-other"} {
		set, err := rule.Load(filepath.Join(estest.Corpus(w.t), folder))
		if err != nil {
			w.t.Fatal(err)
		}
		for _, r := range set.Rules {
			one := *r
			one.Index = []string{w.Index("events-*")}
			switch {
			case slices.Contains(r.Index, ".alerts-security.*"):
				if len(r.Index) == 1 {
					one.Index = nil
				}
				one.Index = append(one.Index, ".alerts-security.*")
				over = append(over, &one)
			case strings.HasPrefix(r.Name, "Segfault Detected"):
				segfault = &one
			}
		}
	}
	if segfault == nil || len(over) != 5 {
		w.t.Fatalf("got %v and %d rules over alerts, want 5", segfault, len(over))
	}
	return segfault, over
}

// bases are rules in place of those whose signals the published ones read.
func (w *world) bases() (all []*rule.Rule) {
	for _, id := range []rule.ID{"1d72d014-e2ab-4707-b056-9b96abe7b511",
		"d68e95ad-1c82-4074-a12a-125fe10ac8ba", "ueba1", "ueba2", "ueba3", "ueba4", "ueba5"} {
		one := w.another(id)
		one.Name = "Base " + string(id)
		if strings.HasPrefix(string(id), "ueba") {
			one.Tags = []string{"Use Case: UEBA", "Data Source: Github"}
		}
		all = append(all, one)
	}
	all[0].Threat = []rule.Threat{{Framework: "MITRE ATT&CK",
		Tactic: rule.ThreatEntry{ID: "TA0006", Name: "Credential Access"}}}
	return all
}

// runPublished writes the events, and polls.
func (w *world) runPublished(index string, rules []*rule.Rule, bases, over int) {
	w.t.Helper()
	at := func(minutes int) string {
		return w.clock.Add(time.Duration(minutes) * time.Minute).Format(time.RFC3339Nano)
	}
	var docs []any
	for i := range 100 {
		docs = append(docs, fmt.Sprintf(`{"@timestamp":%q,"host":{"id":"h1","os":{"type":"linux"}},
			"event":{"id":"s%d","dataset":"system.syslog"},"process":{"name":"kernel"},
			"message":"a segfault"}`, at(-1), i))
	}
	docs = append(docs, fmt.Sprintf(`{"@timestamp":%q,"host":{"id":"h2","os":{"type":"windows"}},
		"event":{"category":"process","id":"p"},"user":{"id":"u","name":"u"},
		"process":{"name":"bad","executable":"c:\\bad","command_line":"bad x"}}`, at(-1)))
	for i, kind := range []string{"user.mfa.factor.update", "user.session.start"} {
		docs = append(docs, fmt.Sprintf(`{"@timestamp":%q,"data_stream":{"dataset":"okta.system"},
			"okta":{"event_type":%q},"user":{"name":"u"}}`, at(i+1), kind))
	}
	w.Bulk(index, docs...)
	w.Refresh(index)
	want := make([]int, bases+over)
	for i := range bases {
		want[i] = 1
	}
	want[0] = 100
	w.wantCreated("the events", rules, want...)
	w.clock = w.clock.Add(5 * time.Minute)
	clear(want)
	for i := range over {
		want[bases+i] = 1
		if rules[bases+i].Type == "eql" {
			want[bases+i] = 4 // three building blocks and the shell
		}
	}
	w.wantCreated("their signals", rules, want...)
	clear(want)
	for range 2 {
		w.clock = w.clock.Add(4 * time.Minute)
		w.wantCreated("again", rules, want...)
	}
}
