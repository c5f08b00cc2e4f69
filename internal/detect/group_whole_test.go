package detect_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"esrule/internal/detect"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/query/eql"
	"esrule/internal/query/rule"
	"esrule/internal/sink/signal"
	"esrule/internal/span"
)

// groupOf returns a group of rules that ask the queries.
func groupOf(t *testing.T, pattern string, queries ...string) *detect.Group {
	t.Helper()
	var compiler detect.Compiler
	var all []*detect.Detection
	for i, query := range queries {
		q, err := eql.Parse(query)
		if err != nil {
			t.Fatal(err)
		}
		d, err := compiler.New(&rule.Rule{Head: rule.Head{ID: rule.ID(fmt.Sprint("r", i)),
			Name: query, Severity: "low", Type: "eql", Language: "eql", Index: []string{pattern},
			From: 9 * time.Minute, Interval: 5 * time.Minute},
			Body: &rule.EventQuery{Query: q}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	g, err := detect.NewGroup(all)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// Where the pre-filters of a group narrow nothing, or return most events of the window, the window
// is read once for all its rules, and only there.
func TestWholeWindowIsReadOnce(t *testing.T) {
	c := estest.For(t)
	now := time.Now().UTC().Truncate(time.Millisecond)
	load := func(name, field string, events int) {
		c.Create(c.Index(name), `{"settings":{"number_of_replicas":0},"mappings":{"dynamic":false,
			"properties":{"@timestamp":{"type":"date"},"process":{"properties":{"name":`+field+
			`}},"event":{"properties":{"category":`+field+`}}}}}`)
		lines := make([]any, events)
		for i := range lines {
			lines[i] = fmt.Sprintf(`{"@timestamp":%q,"event":{"category":"process","id":"%s-%d"},`+
				`"process":{"name":"p%d"}}`, now.Add(-time.Second).Format(time.RFC3339Nano), name,
				i, i%1000)
		}
		c.Bulk(c.Index(name), lines...)
	}
	load("events-1", `{"type":"keyword"}`, 9000)
	load("events-2", `{"type":"keyword","index":false,"doc_values":false}`, 10)
	load("few", `{"type":"keyword"}`, 10)
	many := func(names int, more ...string) (queries []string) {
		for i := range 600 {
			queries = append(queries, fmt.Sprintf(
				`process where process.name == "p%d" and not process.name : "p*"`, i%names))
		}
		return append(append(queries, `process where process.name == "p7"`), more...)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	cluster := search.NewCluster(c.Client, search.Options{PageSize: 2000, Logger: log})
	f := func(why, pattern string, queries []string, matched int, times ...string) {
		t.Helper()
		group := groupOf(t, c.Index(pattern), queries...)
		x := make([]signal.Execution, len(queries))
		for i := range x {
			x[i].Now = func() time.Time { return now }
		}
		for i, want := range times {
			out, err := (&detect.Coverer{Cluster: cluster, Signals: &recorder{}, Log: log}).
				CoverGroup(t.Context(), group, detect.Target{
					Patterns: []string{c.Index(pattern)}, Now: now, Began: now,
					Window:     span.New(now.Add(-time.Minute), now),
					Timestamps: detect.ByTimestamp()}, x)
			if err != nil || len(out.Failures) > 0 {
				t.Fatalf("%s: %v, %v", why, err, out.Failures)
			}
			got := fmt.Sprintf("%d searches: %s", out.Searches, out.Whole)
			if !strings.HasPrefix(got, want) || out.Matched != matched {
				t.Errorf("%s, time %d: got %q and %d matched, want %q and %d", why, i, got,
					out.Matched, want, matched)
			}
		}
	}
	const narrow = "3 searches: "
	const few = "1 searches: reading 10 events costs less than a search with 12"
	f("few candidates", "events-1", many(20), 9, narrow, narrow)
	f("few events", "few", many(20), 1, few, few)
	f("a rule that asks for everything", "events-1", many(20, `any where not process.name : "p*"`),
		9,
		`1 searches: the pre-filter of rule "any where not`)
	f("one that does in a small index", "events-*", many(20), 9+1,
		`4 searches: the pre-filter of rule`)
	f("most events are candidates", "events-1", many(600), 9,
		"1 searches: the pre-filters of 601 rules accept most of 9000 events")
	f("many are not", "events-1", many(60), 9, narrow, narrow)
}
