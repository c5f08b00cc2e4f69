package detect_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"esrule/internal/detect"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/estest/made"
	"esrule/internal/query/kql"
	"esrule/internal/query/rule"
	"esrule/internal/scan"
	"esrule/internal/sink"
	"esrule/internal/sink/signal"
	"esrule/internal/span"
)

// noted keeps the ids of signals.
type noted struct{ ids map[signal.ID]bool }

func (n *noted) Write(_ context.Context, signals []signal.Signal) ([]sink.Verdict, error) {
	for _, s := range signals {
		n.ids[s.ID] = true
	}
	return make([]sink.Verdict, len(signals)), nil
}

// Every published rule of type new_terms finds on a server what a scan of the same events finds,
// which looks nothing up: all rules in one group, over events that fit them, some of them again and
// with other values.
func TestPublishedNewTerms(t *testing.T) {
	set, err := rule.Load(filepath.Join(estest.Corpus(t), "rules-other"))
	if err != nil {
		t.Fatal(err)
	}
	c := estest.For(t)
	index := c.Index("new-terms")
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var compiler detect.Compiler
	var detections []*detect.Detection
	var executions []signal.Execution
	var lines bytes.Buffer
	var docs []any
	fields := map[string]any{} // each with a value, for its mapping
	rules := scan.NewRules()
	for _, r := range set.Rules {
		body, ok := r.Body.(*rule.NewTermsQuery)
		if !ok {
			continue
		}
		d, err := compiler.New(r, []string{index})
		if err != nil {
			t.Errorf("%s: %v", r.File, err)
			continue
		}
		if err := rules.Add(r); err != nil {
			t.Errorf("%s: %v", r.File, err)
		}
		detections, executions = append(detections, d), append(executions, signal.Execution{})
		for n := range 4 {
			e := made.For(d.Matchers[0].Condition(), n/3) // three events alike, but for their times
			for _, field := range body.Fields {
				if e[field] == nil {
					e[field] = fmt.Sprintf("%s %d", field, n/2) // of two alike, the same
				}
			}
			e["@timestamp"] = start.Add(time.Duration(n)*time.Hour + time.Duration(len(docs))*
				time.Second).Format(time.RFC3339)
			maps.Copy(fields, e)
			document, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			docs = append(docs, string(document))
			lines.Write(append(document, '\n'))
		}
	}
	createFor(c, index, fields)
	c.Bulk(index, docs...)
	want := map[signal.ID]bool{}
	summary, err := scan.Run(t.Context(), rules, []scan.Input{{Name: "made",
		Open: func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(lines.Bytes())), nil
		}}}, scan.Options{Bad: func(err error) { t.Error(err) },
		Signal: func(_ *rule.Rule, s signal.Signal) error { want[s.ID] = true; return nil }})
	if err != nil || len(summary.NotJudged) > 0 {
		t.Fatal(err, summary.NotJudged)
	}
	group, err := detect.NewGroup(detections)
	if err != nil {
		t.Fatal(err)
	}
	got := noted{ids: map[signal.ID]bool{}}
	out, err := (&detect.Coverer{Cluster: search.NewCluster(c.Client, search.Options{}),
		Signals: &got, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}).CoverGroup(t.Context(),
		group, detect.Target{Patterns: []string{index},
			Window:     span.New(start, start.Add(24*time.Hour)),
			Timestamps: detect.ByTimestamp(), Now: start.Add(24 * time.Hour)}, executions)
	if err != nil || len(out.Failures) > 0 {
		t.Fatal(err, out.Failures)
	}
	idle := 0
	for i, r := range summary.ByRule {
		if r.Created != out.Of(i).Matched {
			t.Errorf("%s: got %d signals of the server, %d of the scan", r.Rule.File,
				out.Of(i).Matched, r.Created)
		}
		if r.Created == 0 {
			idle++
		}
	}
	t.Logf("%d rules, %d events, %d signals, %d rules without any, %d searches", len(detections),
		len(docs), len(got.ids), idle, out.Searches)
	if len(detections) < 170 || idle > len(detections)/4 {
		t.Errorf("got %d rules, %d of them without a signal: too few to tell anything",
			len(detections), idle)
	}
	for id := range want {
		if !got.ids[id] {
			t.Errorf("the server has not the scan's signal %s", id)
		}
	}
	if len(got.ids) != len(want) {
		t.Errorf("got %d signals of the server, %d of the scan", len(got.ids), len(want))
	}
}

// createFor makes an index whose mapping has the fields of one document already: the server takes
// them all at once far faster than event by event.
func createFor(c *estest.Cluster, index string, document map[string]any) {
	body := `{"settings":{"number_of_replicas":0,"index.mapping.total_fields.limit":10000},
		"mappings":{"subobjects":false,"properties":{"@timestamp":{"type":"date"},
		"event.ingested":{"type":"date"}},"dynamic_templates":[{"all":{"match_mapping_type":"string",
		"mapping":{"type":"keyword"}}}]}}`
	c.Create(index, body)
	c.Do(http.MethodPut, index+"/_doc/1", document)
	c.Do(http.MethodDelete, index+"/_doc/1", nil)
}

// Many tuples, and long ones, are held and looked up in pieces of the window.
func TestManyNewTerms(t *testing.T) {
	c := estest.For(t)
	index := c.Index("many")
	c.Create(index, `{"settings":{"number_of_replicas":0},"mappings":{"properties":{
		"@timestamp":{"type":"date"},"k":{"type":"keyword"}}}}`)
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const tuples = 2_600 // each of which counts for 20
	long := strings.Repeat("x", 4000)
	var docs []any
	for i := range tuples + 100 {
		docs = append(docs, fmt.Sprintf(`{"@timestamp":%q,"k":"%s %d"}`,
			start.Add(time.Duration(i)*time.Second).Format(time.RFC3339), long, i%tuples))
		if len(docs) == 500 || i == tuples+99 {
			c.Bulk(index, docs...)
			docs = docs[:0]
		}
	}
	c.Refresh(index)
	query, err := kql.Parse("")
	if err != nil {
		t.Fatal(err)
	}
	d, err := detect.New(&rule.Rule{Head: rule.Head{ID: "n", Name: "N", Severity: "low",
		Type: "new_terms", From: 10 * time.Minute, Index: []string{index}},
		Body: &rule.NewTermsQuery{EventQuery: rule.EventQuery{Query: query},
			Fields: []string{"k"}, History: 24 * time.Hour}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var found counter
	out, err := (&detect.Coverer{Cluster: search.NewCluster(c.Client, search.Options{Tries: 1}),
		Signals: &found, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}).Cover(t.Context(), d,
		detect.Target{Patterns: []string{index}, Window: span.New(start, start.Add(time.Hour)),
			Timestamps: detect.ByTimestamp(), Now: start.Add(time.Hour)}, signal.Execution{})
	if err != nil || len(out.Failures) > 0 || found.signals != tuples {
		t.Errorf("got %d signals, failures %v, error %v, want %d", found.signals, out.Failures, err,
			tuples)
	}
}
