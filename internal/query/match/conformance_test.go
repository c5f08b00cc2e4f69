package match_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"
	"github.com/valyala/fastjson"

	"esrule/internal/estest"
	"esrule/internal/event"
	"esrule/internal/query/eql"
	"esrule/internal/query/match"
)

// TestConformance holds the matcher to the answers that Elasticsearch's own EQL tests expect.
func TestConformance(t *testing.T) {
	folder := filepath.Join(estest.Corpus(t), "eql")
	documents := conformanceDocuments(t, filepath.Join(folder, "test_data.json"))
	mapping := conformanceMapping(t, filepath.Join(folder, "endgame-140.mapping"), documents)
	files, err := filepath.Glob(filepath.Join(folder, "*.toml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no queries in %s: %v", folder, err)
	}
	for _, file := range files {
		var queries struct {
			Queries []struct {
				Name, Query string
				Expected    []int `toml:"expected_event_ids"`
			}
		}
		readTOML(t, file, &queries)
		counts := map[string]int{}
		for _, q := range queries.Queries {
			parsed, err := eql.Parse(q.Query)
			if err != nil {
				counts["refused by the parser"]++
				continue
			}
			counts["event queries"]++
			parsed.CategoryField = "event_type"
			var fields event.Fields
			m, err := match.Compile(parsed, &fields, match.Options{})
			if err != nil {
				t.Errorf("%s: %v", q.Name, err)
				continue
			}
			got := accepted(t, m, &fields, mapping, documents)
			if diff := cmp.Diff(q.Expected, got, cmp.Transformer("set", asSet)); diff != "" {
				t.Errorf("%s: %s: want -, got +\n%s", q.Name, strings.TrimSpace(q.Query), diff)
				continue
			}
			counts["as expected"]++
		}
		t.Logf("%-34s %v", filepath.Base(file), counts)
	}
}

func asSet(ids []int) map[int]bool {
	set := map[int]bool{}
	for _, id := range ids {
		set[id] = true
	}
	return set
}

func accepted(t *testing.T, m *match.Matcher, fields *event.Fields, mapping *event.Mapping,
	documents []*fastjson.Value) []int {
	t.Helper()
	e := match.NewEvaluation(fields, time.Now())
	var ids []int
	for _, d := range documents {
		read(t, e, mapping, d.String())
		holds := m.Match(e)
		if holds {
			ids = append(ids, d.GetInt("serial_event_id"))
		}
		if explained := m.Explain(e).Holds; explained != holds {
			t.Errorf("event %d: Match says %v, Explain %v", d.GetInt("serial_event_id"), holds,
				explained)
		}
	}
	return ids
}

// conformanceDocuments reads the events and gives them the @timestamp that Elasticsearch's tests
// give them.
func conformanceDocuments(t *testing.T, file string) []*fastjson.Value {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all, err := fastjson.ParseBytes(data)
	if err != nil {
		t.Fatal(err)
	}
	documents := all.GetArray()
	for _, d := range documents {
		ms := d.GetInt64("timestamp")/10_000 - 11_644_473_600_000
		d.Set("@timestamp", fastjson.MustParse(fmt.Sprint(ms)))
	}
	return documents
}

// conformanceMapping reads the mapping of those tests; fields that it leaves to dynamic mapping are
// of the type of their first value.
func conformanceMapping(t *testing.T, file string, documents []*fastjson.Value) *event.Mapping {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var lines [][]byte
	for line := range bytes.Lines(data) {
		if !bytes.HasPrefix(line, []byte("#")) {
			lines = append(lines, line)
		}
	}
	text := strings.ReplaceAll(string(bytes.Join(lines, nil)), "[runtime_random_keyword_type]",
		"keyword")
	type property struct {
		Type       string
		Fields     map[string]any
		Properties map[string]any
	}
	var read struct{ Properties map[string]property }
	if err := json.Unmarshal([]byte(text), &read); err != nil {
		t.Fatal(err)
	}
	m := &event.Mapping{Fields: map[string]event.FieldMapping{}}
	for name, p := range read.Properties {
		if p.Type != "" {
			m.Fields[name] = event.FieldMapping{Type: event.TypeOf(p.Type), Name: p.Type,
				Exact: name}
		}
	}
	for _, d := range documents {
		d.GetObject().Visit(func(key []byte, v *fastjson.Value) {
			name := string(key)
			if _, known := m.Fields[name]; known {
				return
			}
			switch v.Type() {
			case fastjson.TypeString:
				m.Fields[name] = event.FieldMapping{Type: event.Text, Name: "text", Exact: name +
					".keyword"}
			case fastjson.TypeNumber:
				m.Fields[name] = event.FieldMapping{Type: event.Integer, Name: "long", Exact: name}
			}
		})
	}
	return m
}

func readTOML(t testing.TB, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := toml.Unmarshal(data, into); err != nil {
		t.Fatalf("read %s: %v", file, err)
	}
}

// TestPublishedRules compiles every published single-event rule, and matches it against every
// recorded event with Match and Explain, with and without a mapping.
func TestPublishedRules(t *testing.T) {
	folder := estest.Corpus(t)
	files, err := filepath.Glob(filepath.Join(folder, "rules", "*.toml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no rules in %s: %v", folder, err)
	}
	var fields event.Fields
	matchers := map[string]*match.Matcher{}
	for _, file := range files {
		var doc struct{ Rule struct{ Query string } }
		readTOML(t, file, &doc)
		q, err := eql.Parse(doc.Rule.Query)
		if err != nil {
			continue // sequences and samples; package eql counts them
		}
		m, err := match.Compile(q, &fields, match.Options{})
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
			continue
		}
		matchers[filepath.Base(file)] = m
	}
	e := match.NewEvaluation(&fields, time.Now())
	matches, events := map[string]int{}, 0
	for _, d := range recordedEvents(t, filepath.Join(folder, "events")) {
		events++
		read(t, e, nil, d.String())
		for name, m := range matchers {
			holds := m.Match(e)
			if holds {
				matches[name]++
			}
			if events%20 == 0 && m.Explain(e).Holds != holds {
				t.Errorf("%s: Match says %v, Explain does not", name, holds)
			}
		}
	}
	t.Logf("%d rules compile; %d events: %d rules match something", len(matchers), events,
		len(matches))
	for _, name := range slices.Sorted(maps.Keys(matches)) {
		t.Logf("%6d %s", matches[name], name)
	}
}

// recordedEvents reads the recorded events that are not packed.
func recordedEvents(t testing.TB, folder string) []*fastjson.Value {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	var all []*fastjson.Value
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(data) {
			if v, err := fastjson.ParseBytes(line); err == nil {
				if source := v.Get("_source"); source != nil {
					v = source
				}
				all = append(all, v)
			}
		}
	}
	return all
}

// BenchmarkPublishedRules judges recorded events by all published single-event rules at once, as a
// scan does, each parsed.
func BenchmarkPublishedRules(b *testing.B) {
	folder := estest.Corpus(b)
	files, err := filepath.Glob(filepath.Join(folder, "rules", "*.toml"))
	if err != nil {
		b.Fatal(err)
	}
	var fields event.Fields
	var matchers []*match.Matcher
	for _, file := range files {
		var doc struct{ Rule struct{ Query string } }
		readTOML(b, file, &doc)
		q, err := eql.Parse(doc.Rule.Query)
		if err != nil {
			continue
		}
		m, err := match.Compile(q, &fields, match.Options{})
		if err != nil {
			b.Fatal(err)
		}
		matchers = append(matchers, m)
	}
	var events []string
	for _, v := range recordedEvents(b, filepath.Join(folder, "events")) {
		events = append(events, v.String())
	}
	e := match.NewEvaluation(&fields, time.Now())
	b.ReportAllocs()
	judged := 0
	for b.Loop() {
		read(b, e, nil, events[judged%len(events)])
		judged++
		for _, m := range matchers {
			m.Match(e)
		}
	}
	b.ReportMetric(float64(judged)/b.Elapsed().Seconds(), "events/s")
}
