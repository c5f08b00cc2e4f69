package detect_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"esrule/internal/detect"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/query/rule"
	"esrule/internal/sink/signal"
	"esrule/internal/span"
)

// Every published rule of type threat_match is read, compiled and run, and finds an event for each
// pair of fields that it compares.
func TestPublishedIndicators(t *testing.T) {
	set, err := rule.Load(filepath.Join(estest.Corpus(t), "rules-other"))
	if err != nil {
		t.Fatal(err)
	}
	c := estest.For(t)
	now := time.Now().UTC()
	log := slog.New(slog.DiscardHandler)
	run := 0
	for i, r := range set.Rules {
		body, ok := r.Body.(*rule.IndicatorQuery)
		if !ok {
			continue
		}
		run++
		events, feed := c.Index(fmt.Sprint("events-", i)), c.Index(fmt.Sprint("feed-", i))
		for _, index := range []string{events, feed} {
			c.Create(index, `{"mappings":{"dynamic_templates":[
				{"ip":{"match":"ip","mapping":{"type":"ip"}}},
				{"text":{"match_mapping_type":"string","mapping":{"type":"keyword"}}}]}}`)
		}
		at := now.Add(-time.Minute).Format(time.RFC3339)
		none := comparedEvent(at, body, -1, "")
		documents, indicators := []any{none}, []any{}
		for n, group := range body.Mapping {
			value := fmt.Sprintf("10.0.0.%d", n)
			documents = append(documents, comparedEvent(at, body, n, value))
			one := fmt.Sprintf(`{"@timestamp":%q,"event":{
				"module":["threatintel","ti_rapid7_threat_command"],"dataset":["ti_x","ti_*"],
				"kind":"enrichment","category":"threat","type":"indicator"},%q:%q`, at,
				group[0].Value, value)
			if other := body.Mapping[0][0].Value; other != group[0].Value {
				one += fmt.Sprintf(`,%q:"8.8.8.8"`, other) // which a threat query asks for
			}
			indicators = append(indicators, one+"}")
		}
		c.Bulk(events, documents...)
		c.Bulk(feed, indicators...)
		c.Refresh(events)
		c.Refresh(feed)
		d, err := detect.New(r, []string{events})
		if err != nil {
			t.Errorf("%s: %v", r.File, err)
			continue
		}
		d.Threat.Source.Patterns = []string{feed}
		cluster := search.NewCluster(c.Client, search.Options{})
		var got counter
		out, err := (&detect.Coverer{Cluster: cluster, Signals: &got, Log: log,
			Indicators: detect.NewIndicators(cluster, nil, log)}).Cover(t.Context(), d,
			detect.Target{Patterns: d.Patterns, Timestamps: d.Happened(), Now: now,
				Window: span.New(now.Add(-time.Hour), now)}, signal.Execution{})
		if err != nil || len(out.Failures) > 0 || got.signals != len(body.Mapping) {
			t.Errorf("%s: got %d signals of %d candidates, failures %v, error %v, want %d", r.File,
				got.signals, out.Candidates, out.Failures, err, len(body.Mapping))
		}
	}
	for _, s := range set.Skipped {
		if strings.Contains(s.Kind, "threat") {
			t.Errorf("%s is skipped: %s", s.File, s.Reason)
		}
	}
	if run < 7 {
		t.Errorf("got %d rules of type threat_match, want all that are published", run)
	}
}

// comparedEvent has all fields that a rule compares; that of one group has the value, the others
// have one that no indicator has.
func comparedEvent(at string, of *rule.IndicatorQuery, group int, value string) string {
	text := fmt.Sprintf(`{"@timestamp":%q`, at)
	seen := map[string]bool{}
	for n, pairs := range of.Mapping {
		field, its := pairs[0].Field, "9.9.9.9"
		if n == group {
			its = value
		}
		if group >= 0 && n != group && field == of.Mapping[group][0].Field || seen[field] {
			continue
		}
		seen[field] = true
		text += fmt.Sprintf(",%q:%q", field, its)
	}
	return text + "}"
}
