package detect_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/valyala/fastjson"

	"esrule/internal/detect"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/query/eql"
	"esrule/internal/query/rule"
	"esrule/internal/scan"
	"esrule/internal/sink"
	"esrule/internal/sink/signal"
	"esrule/internal/span"
)

// conformanceCase is a sequence of Elasticsearch's own EQL tests, and what they expect of it: the
// ids of the events of all sequences, one after the other.
type conformanceCase struct {
	file string
	rule *rule.Rule
	want []int
}

// TestSequenceConformance holds scan and a run on a real server to the sequences that
// Elasticsearch's own EQL tests expect, all events and all rules at once.
func TestSequenceConformance(t *testing.T) {
	folder := filepath.Join(estest.Corpus(t), "eql")
	c := estest.For(t)
	cases := conformanceCases(t, folder, c.Index("events-*"))
	documents := conformanceEvents(t, folder)
	ways := []struct {
		name string
		got  map[rule.ID][]int
	}{
		{"scan", scanned(t, cases, documents)},
		{"on a server", covered(t, c, folder, cases, documents)},
	}
	for _, way := range ways {
		counts := map[string]map[string]int{}
		for _, one := range cases {
			if counts[one.file] == nil {
				counts[one.file] = map[string]int{}
			}
			if got := way.got[one.rule.ID]; !slices.Equal(got, one.want) {
				t.Errorf("%s: %s: %s\n got  %v\n want %v", way.name, one.rule.Name,
					one.rule.Body.Text(), got, one.want)
				counts[one.file]["otherwise"]++
				continue
			}
			counts[one.file]["as expected"]++
			counts[one.file]["events of sequences"] += len(one.want)
		}
		for file, of := range counts {
			t.Logf("%-12s %-32s %v", way.name, file, of)
		}
	}
	if len(cases) < 30 {
		t.Errorf("%d sequences were judged, want those of all files", len(cases))
	}
}

// conformanceCases reads the sequences without pipes.
func conformanceCases(t *testing.T, folder, pattern string) (cases []conformanceCase) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(folder, "*.toml"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Queries []struct {
				Name, Query string
				Expected    []int `toml:"expected_event_ids"`
			}
		}
		if err := toml.Unmarshal(text, &doc); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, q := range doc.Queries {
			statement, err := eql.ParseStatement(q.Query)
			if err != nil {
				continue // package eql counts them
			}
			if s, is := statement.(*eql.Sequence); !is || len(s.Pipes) > 0 {
				continue
			}
			for _, of := range statement.Queries() {
				of.CategoryField = "event_type"
			}
			cases = append(cases, conformanceCase{filepath.Base(file), &rule.Rule{
				Head: rule.Head{ID: rule.ID(fmt.Sprintf("case-%03d", len(cases))), Name: q.Name,
					Severity: "low", Type: "eql", Language: "eql", Index: []string{pattern},
					From: 200 * 365 * 24 * time.Hour},
				Body: &rule.SequenceQuery{Statement: statement, Source: q.Query,
					TiebreakerField: "serial_event_id"},
			}, q.Expected})
		}
	}
	return cases
}

// conformanceEvents reads the events, with the @timestamp that Elasticsearch's tests give them.
func conformanceEvents(t *testing.T, folder string) (documents []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "test_data.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range fastjson.MustParseBytes(text).GetArray() {
		ms := d.GetInt64("timestamp")/10_000 - 11_644_473_600_000
		d.Set("@timestamp", fastjson.MustParse(fmt.Sprint(ms)))
		documents = append(documents, d.String())
	}
	return documents
}

// sequenceRecorder keeps the ids of the events of the sequences of each rule, in the order in which
// their signals are given.
type sequenceRecorder struct {
	t   *testing.T
	got map[rule.ID][]int
}

func (r sequenceRecorder) Write(_ context.Context, signals []signal.Signal) ([]sink.Verdict,
	error) {
	verdicts := make([]sink.Verdict, len(signals))
	for i, s := range signals {
		verdicts[i].Fate = sink.Created
		var document struct {
			Place *int `json:"kibana.alert.group.index"`
			ID    any  `json:"serial_event_id"`
		}
		if err := json.Unmarshal(s.Document, &document); err != nil {
			r.t.Fatal(err)
		}
		if document.Place == nil {
			continue // the shell
		}
		var id int
		if _, err := fmt.Sscan(fmt.Sprint(document.ID), &id); err != nil {
			r.t.Fatalf("%v: %s", err, s.Document)
		}
		of := s.Match.Rule.ID
		r.got[of] = append(r.got[of], id)
	}
	return verdicts, nil
}

func scanned(t *testing.T, cases []conformanceCase, documents []string) map[rule.ID][]int {
	t.Helper()
	rules := scan.NewRules()
	for _, one := range cases {
		if err := rules.Add(one.rule); err != nil {
			t.Fatalf("%s: %v", one.rule.Name, err)
		}
	}
	r := sequenceRecorder{t, map[rule.ID][]int{}}
	shuffled := slices.Clone(documents)
	slices.Reverse(shuffled) // the order of a file does not matter
	text := strings.Join(shuffled, "\n")
	summary, err := scan.Run(t.Context(), rules, []scan.Input{{Name: "events",
		Open: func() (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(text)), nil
		}}}, scan.Options{
		Execution: signal.Execution{ID: "x"},
		Signal: func(_ *rule.Rule, s signal.Signal) error {
			_, err := r.Write(t.Context(), []signal.Signal{s})
			return err
		},
		Bad: func(err error) { t.Error(err) },
	})
	if err != nil || len(summary.NotJudged) > 0 {
		t.Errorf("scan: %v, not judged: %v", err, summary.NotJudged)
	}
	return r.got
}

// covered puts the events into two indices and covers them by groups of rules, as a run does.
func covered(t *testing.T, c *estest.Cluster, folder string, cases []conformanceCase,
	documents []string) map[rule.ID][]int {
	t.Helper()
	mapping, err := os.ReadFile(filepath.Join(folder, "endgame-140.mapping"))
	if err != nil {
		t.Fatal(err)
	}
	lines := slices.DeleteFunc(strings.Split(string(mapping), "\n"), func(line string) bool {
		return strings.HasPrefix(line, "#")
	})
	mappings := strings.ReplaceAll(strings.Join(lines, "\n"), "[runtime_random_keyword_type]",
		"keyword")
	halves := map[string][]any{}
	for i, d := range documents {
		index := c.Index(fmt.Sprint("events-", i%2))
		halves[index] = append(halves[index], d)
	}
	for index, half := range halves {
		c.Create(index, `{"settings":{"number_of_replicas":0},"mappings":`+mappings+`}`)
		c.Bulk(index, half...)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	r := sequenceRecorder{t, map[rule.ID][]int{}}
	coverer := &detect.Coverer{Signals: r, Log: log,
		Cluster: search.NewCluster(c.Client, search.Options{PageSize: 20, Tries: 1, Logger: log})}
	for _, detections := range byKind(t, cases) {
		g, err := detect.NewGroup(detections)
		if err != nil {
			t.Fatal(err)
		}
		out, err := coverer.CoverGroup(t.Context(), g, detect.Target{
			Patterns:   []string{c.Index("events-*")},
			Window:     span.New(time.Unix(0, 0), time.Unix(2e9, 0)),
			Timestamps: detect.ByTimestamp(), Now: time.Now(), Began: time.Now(),
		}, make([]signal.Execution, len(detections)))
		if err != nil || len(out.Failures) > 0 {
			t.Errorf("%d rules: %v, failures: %v", len(detections), err, out.Failures)
		}
	}
	return r.got
}

// byKind returns the rules, put together as a run does.
func byKind(t *testing.T, cases []conformanceCase) map[string][]*detect.Detection {
	t.Helper()
	var compiler detect.Compiler
	groups := map[string][]*detect.Detection{}
	for _, one := range cases {
		d, err := compiler.New(one.rule, nil)
		if err != nil {
			t.Fatalf("%s: %v", one.rule.Name, err)
		}
		groups[d.Kind()] = append(groups[d.Kind()], d)
	}
	return groups
}
