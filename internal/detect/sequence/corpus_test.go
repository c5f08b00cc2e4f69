package sequence_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/valyala/fastjson"

	"esrule/internal/detect/sequence"
	"esrule/internal/estest"
	"esrule/internal/event"
	"esrule/internal/query/eql"
	"esrule/internal/query/match"
	"esrule/internal/span"
)

const century = 100 * 365 * 24 * time.Hour

// TestConformance holds the judge to the answers that Elasticsearch's own EQL tests expect of
// sequences and samples without pipes.
func TestConformance(t *testing.T) {
	folder := filepath.Join(estest.Corpus(t), "eql")
	data, err := os.ReadFile(filepath.Join(folder, "test_data.json"))
	if err != nil {
		t.Fatal(err)
	}
	documents := fastjson.MustParseBytes(data).GetArray()
	slices.SortStableFunc(documents, func(a, b *fastjson.Value) int {
		if at := happened(a).Compare(happened(b)); at != 0 {
			return at
		}
		return a.GetInt("serial_event_id") - b.GetInt("serial_event_id")
	})
	files, _ := filepath.Glob(filepath.Join(folder, "*.toml"))
	total := 0
	for _, file := range files {
		var doc struct {
			Queries []struct {
				Name, Query string
				Expected    []int `toml:"expected_event_ids"`
			}
		}
		readTOML(t, file, &doc)
		counts := map[string]int{}
		for _, q := range doc.Queries {
			statement, err := eql.ParseStatement(q.Query)
			if err != nil {
				continue // package eql counts them
			}
			switch s := statement.(type) {
			case *eql.Event:
				continue
			case *eql.Sequence:
				if len(s.Pipes) > 0 {
					counts["with pipes"]++
					continue
				}
			}
			total++
			got := idsOf(t, statement, documents)
			if !slices.Equal(got, q.Expected) {
				t.Errorf("%s: %s\n got  %v\n want %v", q.Name, strings.TrimSpace(q.Query), got,
					q.Expected)
				continue
			}
			counts["as expected"]++
		}
		t.Logf("%-34s %v", filepath.Base(file), counts)
	}
	if total == 0 {
		t.Error("no sequence was judged")
	}
}

func happened(d *fastjson.Value) time.Time {
	return time.UnixMilli(d.GetInt64("timestamp")/10_000 - 11_644_473_600_000)
}

func idsOf(t *testing.T, s eql.Statement, documents []*fastjson.Value) []int {
	t.Helper()
	for _, q := range s.Queries() {
		q.CategoryField = "event_type"
	}
	var fields event.Fields
	plan, err := sequence.Compile(s, &fields, sequence.Options{LookBack: century})
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	window := span.Interval{From: time.UnixMilli(0), To: time.UnixMilli(0).Add(century)}
	j := sequence.NewJudge[int](plan, window, sequence.NewRoom(math.MaxInt))
	e := match.NewEvaluation(&fields, time.Time{})
	var matches []sequence.Match[int]
	for _, d := range documents {
		if err := e.Read(nil, event.Document{Source: []byte(d.String())}); err != nil {
			t.Fatal(err)
		}
		look, ok := plan.Look(e, func(i int) bool { return plan.Matchers()[i].Match(e) })
		if !ok {
			continue
		}
		found, err := j.See(look, happened(d), func() int { return d.GetInt("serial_event_id") })
		if err != nil {
			t.Fatal(err)
		}
		matches = append(matches, found...)
	}
	ids := []int{}
	for _, m := range append(matches, j.End()...) {
		for _, taken := range m.Events {
			ids = append(ids, taken.Event)
		}
	}
	return ids
}

// TestPublishedRulesCompile compiles every published sequence and sample.
func TestPublishedRulesCompile(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(estest.Corpus(t), "rules", "*.toml"))
	compiled := 0
	for _, file := range files {
		var doc struct{ Rule struct{ Query string } }
		readTOML(t, file, &doc)
		statement, err := eql.ParseStatement(doc.Rule.Query)
		if _, single := statement.(*eql.Event); single || err != nil {
			continue
		}
		_, err = sequence.Compile(statement, &event.Fields{}, sequence.Options{LookBack: century})
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
			continue
		}
		compiled++
	}
	t.Logf("%d published sequences and samples compile", compiled)
	if compiled == 0 {
		t.Error("no sequence was compiled")
	}
}

func readTOML(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := toml.Unmarshal(data, into); err != nil {
		t.Fatalf("read %s: %v", file, err)
	}
}
