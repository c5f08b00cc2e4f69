package sequence_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"esrule/internal/detect"
	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/estest/made"
	"esrule/internal/estest/pushdown"
	"esrule/internal/event"
	"esrule/internal/query/match"
	"esrule/internal/query/rule"
	"esrule/internal/sink"
	"esrule/internal/sink/signal"
	"esrule/internal/span"
)

// TestPublishedSequences runs every published sequence and sample on a real server, over events
// that are made from its conditions and fit, or nearly fit. Which events satisfy the condition of a
// stage the server says, by the query that Elasticsearch's EQL would run; which of them are a
// sequence says the definition.
func TestPublishedSequences(t *testing.T) {
	set, err := rule.Load(filepath.Join(estest.Corpus(t), "rules"))
	if err != nil {
		t.Fatal(err)
	}
	p := &published{Cluster: estest.For(t), t: t, counts: map[string]int{}}
	for _, r := range set.Rules {
		if _, joins := r.Body.(*rule.SequenceQuery); !joins {
			continue
		}
		d, err := detect.New(r, []string{p.Index("events")})
		if err != nil {
			t.Errorf("%s does not compile: %v", r.File, err)
			continue
		}
		p.rules = append(p.rules, &publishedRule{Detection: d})
	}
	p.load()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	p.cluster = search.NewCluster(p.Client, search.Options{Tries: 1, Logger: log})
	for _, r := range p.rules {
		p.judge(r, log)
	}
	p.report()
}

// published is the published sequences, and events made of them, on one server.
type published struct {
	*estest.Cluster
	t       *testing.T
	cluster *search.Cluster
	rules   []*publishedRule
	counts  map[string]int
	unmade  []string
}

// publishedRule is a rule with its events, in a time of their own.
type publishedRule struct {
	*detect.Detection
	question  question
	window    span.Interval
	scenarios []scenario
	events    []*madeEvent // of all scenarios, in the order of time
}

// scenario is events of which it is known whether they should be a sequence.
type scenario struct {
	name     string
	fits     bool
	from, to int64
}

// madeEvent is one event of a scenario.
type madeEvent struct {
	made.Event
	happening
}

// judge covers the time of a rule's events, and wants the sequences of the definition.
func (p *published) judge(r *publishedRule, log *slog.Logger) {
	p.t.Helper()
	if len(r.events) == 0 {
		return
	}
	name := filepath.Base(r.Rule.File)
	p.label(r)
	happenings := make([]*happening, len(r.events))
	for i, e := range r.events {
		happenings[i] = &e.happening
	}
	var want []string
	answers := definition(&r.question, happenings)
	for _, a := range answers {
		want = append(want, fmt.Sprint(a.events))
	}
	found := sequencesFound{t: p.t}
	out, err := (&detect.Coverer{Cluster: p.cluster, Signals: &found, Log: log}).Cover(
		p.t.Context(), r.Detection, detect.Target{Patterns: r.Patterns, Window: r.window,
			Timestamps: r.Timestamps(), Now: time.Now(), Began: time.Now()}, signal.Execution{})
	if err != nil || len(out.Failures) > 0 {
		p.t.Errorf("%s: %v, failures: %v", name, err, out.Failures)
		return
	}
	got := found.sequences
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		p.t.Errorf("%s:\n got  %q\n want %q\n%s", name, got, want, r.Rule.Body.Text())
		for i, e := range r.events[:min(len(r.events), 40)] {
			p.t.Logf("%d at %d: %v %v", i, e.at, e.labels, e.Event)
		}
	}
	p.counts["sequences"] += len(got)
	for _, s := range r.scenarios {
		fires := slices.ContainsFunc(answers, func(a answer) bool {
			return s.from <= happenings[a.events[0]].at && happenings[a.events[0]].at <= s.to
		})
		switch {
		case fires == s.fits || s.name == turned:
			p.counts[s.name]++
		case s.fits:
			p.unmade = append(p.unmade, fmt.Sprintf("%s: %s does not fit", name, s.name))
		default:
			p.unmade = append(p.unmade, fmt.Sprintf("%s: %s fits all the same", name, s.name))
		}
	}
}

// label asks the server which stages each event satisfies. Where Elasticsearch would run a script,
// the matcher says it.
func (p *published) label(r *publishedRule) {
	p.t.Helper()
	classes, err := r.Classes(p.t.Context(), p.cluster, r.Patterns)
	if err != nil || len(classes) != 1 {
		p.t.Fatalf("%s: %d classes, %v", r.Rule.File, len(classes), err)
	}
	var stages []pushdown.Query
	for i, m := range r.Matchers {
		query, err := pushdown.Translate(m.Condition(), classes[0].Mapping)
		if err != nil {
			p.counts["conditions judged by the matcher"]++
			p.labelByMatcher(r, i, classes[0].Mapping)
			continue
		}
		p.counts["conditions judged by the server"]++
		stages = append(stages, pushdown.Query{"bool": pushdown.Query{
			"filter": []pushdown.Query{query}, "_name": strconv.Itoa(i)}})
	}
	var answer struct {
		Hits struct {
			Hits []struct {
				Source  struct{ Serial int } `json:"_source"`
				Matched []string             `json:"matched_queries"`
			}
		}
	}
	text := p.Do(http.MethodPost, p.Index("events")+"/_search", pushdown.Query{
		"size": 10_000, "_source": []string{"serial"}, "query": pushdown.Query{
			"bool": pushdown.Query{"should": stages, "minimum_should_match": min(1, len(stages)),
				"filter": []pushdown.Query{{"range": pushdown.Query{"@timestamp": pushdown.Query{
					"gte": r.window.From, "lt": r.window.To}}}}}}})
	if err := json.Unmarshal(text, &answer); err != nil {
		p.t.Fatal(err)
	}
	for _, hit := range answer.Hits.Hits {
		e := r.events[hit.Source.Serial]
		e.labels = append(e.labels, hit.Matched...)
	}
}

func (p *published) labelByMatcher(r *publishedRule, i int, m *event.Mapping) {
	p.t.Helper()
	e := match.NewEvaluation(r.Fields, time.Now())
	for _, one := range r.events {
		if accepts(p.t, e, r.Matchers[i], m, one.Event) {
			one.labels = append(one.labels, strconv.Itoa(i))
		}
	}
}

func accepts(t *testing.T, e *match.Evaluation, m *match.Matcher, of *event.Mapping,
	one made.Event) bool {
	t.Helper()
	source, err := json.Marshal(one.Document())
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Read(of, event.Document{Source: source}); err != nil {
		t.Fatal(err)
	}
	return m.Match(e)
}

// sequencesFound keeps the serial numbers of the events of each sequence that is written.
type sequencesFound struct {
	t         *testing.T
	sequences []string
	events    []int
}

func (f *sequencesFound) Write(_ context.Context, signals []signal.Signal) ([]sink.Verdict,
	error) {
	for _, s := range signals {
		var document struct {
			Serial *int
			Place  *int `json:"kibana.alert.group.index"`
		}
		if err := json.Unmarshal(s.Document, &document); err != nil {
			f.t.Fatal(err)
		}
		if document.Place != nil {
			f.events = append(f.events, *document.Serial)
			continue
		}
		f.sequences = append(f.sequences, fmt.Sprint(f.events))
		f.events = nil
	}
	return make([]sink.Verdict, len(signals)), nil
}

// report says what was judged, and fails the test where that would show nothing.
func (p *published) report() {
	p.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%d rules\n", len(p.rules))
	names := make([]string, 0, len(p.counts))
	for name := range p.counts {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "%6d %s\n", p.counts[name], name)
	}
	p.t.Logf("%s%d scenarios that are not what they should be:\n  %s", b.String(), len(p.unmade),
		strings.Join(p.unmade, "\n  "))
	if fit := p.counts[fitting]; fit < len(p.rules) || fit == 0 {
		p.t.Errorf("of %d rules, events that fit were made for %d", len(p.rules), fit)
	}
}
