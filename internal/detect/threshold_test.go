package detect_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"esrule/internal/detect"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/query/kql"
	"esrule/internal/query/rule"
	"esrule/internal/sink"
	"esrule/internal/sink/signal"
	"esrule/internal/span"
)

// Every published rule of type threshold is read and compiled.
func TestPublishedThresholds(t *testing.T) {
	set, err := rule.Load(filepath.Join(estest.Corpus(t), "rules-other"))
	if err != nil {
		t.Fatal(err)
	}
	run := 0
	for _, r := range set.Rules {
		if r.Type != "threshold" {
			continue
		}
		d, err := detect.New(r, nil)
		if err != nil || d.Threshold == nil {
			t.Errorf("%s: got the threshold %v, error %v", r.File, d, err)
			continue
		}
		run++
	}
	for _, s := range set.Skipped {
		if strings.Contains(s.Kind, "threshold") {
			t.Errorf("%s is skipped: %s", s.File, s.Reason)
		}
	}
	if run < 24 { // of 25, one of which is disabled
		t.Errorf("got %d rules of type threshold, want all that are published", run)
	}
}

// counter counts signals.
type counter struct{ signals int }

func (c *counter) Write(_ context.Context, signals []signal.Signal) ([]sink.Verdict, error) {
	c.signals += len(signals)
	return make([]sink.Verdict, len(signals)), nil
}

// thresholdOver returns a rule that counts all events of the patterns by a field.
func thresholdOver(t *testing.T, pattern, field string, value int) *detect.Detection {
	t.Helper()
	query, err := kql.Parse("")
	if err != nil {
		t.Fatal(err)
	}
	d, err := detect.New(&rule.Rule{Head: rule.Head{ID: "t", Name: "T", Severity: "low",
		Type: "threshold", From: 10 * time.Minute, Index: []string{pattern}},
		Body: &rule.ThresholdQuery{EventQuery: rule.EventQuery{Query: query},
			Fields: []string{field}, Value: value}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A hundred thousand keys are counted, in pieces of the window. An event with too many keys ends
// the window by name, and what was found until then is written.
func TestManyKeys(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 100,000 events")
	}
	c := estest.For(t)
	index := c.Index("keys")
	c.Create(index, `{"settings":{"number_of_replicas":0},"mappings":{"properties":{
		"@timestamp":{"type":"date"},"k":{"type":"keyword"}}}}`)
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	event := func(second int, keys string) string {
		return fmt.Sprintf(`{"@timestamp":%q,"k":%s}`,
			start.Add(time.Duration(second)*time.Second).Format(time.RFC3339), keys)
	}
	const keys = 100_000
	var docs []any
	for i := range keys {
		docs = append(docs, event(i/400, fmt.Sprintf(`"key-%d"`, i)))
		if i%10_000 == 0 {
			docs = append(docs, event(270, fmt.Sprintf(`"key-%d"`, i)))
		}
		if len(docs) >= 5_000 || i == keys-1 {
			c.Bulk(index, docs...)
			docs = docs[:0]
		}
	}
	c.Refresh(index)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	cover := func() (int, error) {
		t.Helper()
		var found counter
		_, err := (&detect.Coverer{Cluster: search.NewCluster(c.Client, search.Options{Tries: 1}),
			Signals: &found, Log: log}).Cover(t.Context(), thresholdOver(t, index, "k", 2),
			detect.Target{Patterns: []string{index},
				Window:     span.New(start, start.Add(10*time.Minute)),
				Timestamps: detect.ByTimestamp(), Now: start.Add(time.Hour)}, signal.Execution{})
		return found.signals, err
	}
	if got, err := cover(); got != keys/10_000 || err != nil {
		t.Errorf("got %d signals, error %v, want %d", got, err, keys/10_000)
	}
	many := make([]string, 20_000)
	for i := range many {
		many[i] = fmt.Sprintf(`"key-%d"`, i)
	}
	c.Bulk(index, event(280, "["+strings.Join(many, ",")+"]"))
	c.Refresh(index)
	got, err := cover()
	if got != keys/10_000 || err == nil || !strings.Contains(err.Error(), "2026-01-01T00:04:40Z") {
		t.Errorf("got %d signals, error %v, want %d and the event that has too many keys", got, err,
			keys/10_000)
	}
}
